"""How counts and the cells of tables are written; this room imports nothing of the project."""

"""How counts and the cells of tables are written; imports nothing of ours."""

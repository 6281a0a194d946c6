"""What can go wrong, made to go wrong: power cuts, kills, system calls that fail, files that lie, hostile requests."""

"""The documentation: its links, and that it has everything the program has."""

"""The images of a run: which files there are, their numbers and names, and how files come in."""

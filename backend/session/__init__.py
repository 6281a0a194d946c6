"""One run that is being worked on: what the routes ask, and what follows the loops' files."""

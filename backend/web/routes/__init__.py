"""The routes of the API, a file an area."""

"""Keeps the answers of a run, the model's labels, and the figures computed from them, in one SQLite database."""

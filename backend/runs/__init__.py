"""The run directory: its settings, its lock, its question, and the checks before a start."""

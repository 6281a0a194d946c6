"""The files and folders that `IA.predict` writes: rows of predictions, and images sorted by class."""

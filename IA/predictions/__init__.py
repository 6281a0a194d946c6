"""The files and folders that `IA.predict` writes."""

"""The files between the processes: names, schemas, reading, writing, watching; no torch, no FastAPI."""

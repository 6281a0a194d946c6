"""The files between the processes: their names and schemas, and how to read, replace and watch them.

This room imports neither torch nor FastAPI.
"""

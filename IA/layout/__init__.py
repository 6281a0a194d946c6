"""The map of the folder: a place for each image, near ones alike, computed behind all that a person waits for."""

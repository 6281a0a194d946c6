"""Explanations: which parts of an image decide its probability, and which answered images are most similar to it."""

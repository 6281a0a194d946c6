"""Readers of files that Pillow does not know or refuses, as formats of Pillow; this room imports Pillow and NumPy."""

"""Readers of layouts that Pillow does not know, as formats of Pillow; imports nothing but Pillow and NumPy."""

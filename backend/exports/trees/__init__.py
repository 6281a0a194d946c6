"""Lays out the images of an export in folders, as entries of a zip or as files, and cuts tiles out of their photos."""

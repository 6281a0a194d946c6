"""Images of an export laid out in folders, as the entries of a zip or as files, tiles cut out of their photos."""

"""Image files to pixels, whatever the files are, in processes that no file can end; no torch."""

"""Files that lie, and the process that reads them."""

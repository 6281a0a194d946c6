"""Which question is asked next, and what the answers to random questions tell; no HTTP, no files but its own wish."""

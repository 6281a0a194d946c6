"""Many people at once, and what grows meanwhile."""

"""What is asked next, and what random questions tell."""

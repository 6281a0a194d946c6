"""Near duplicates: which images are one question, and how they count in what learns."""

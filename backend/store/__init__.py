"""What a run remembers: answers, labels of the model, and what is computed from them; one SQLite database."""

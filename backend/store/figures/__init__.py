"""What is computed from the answers: pure functions and counters, which know nothing of the database."""

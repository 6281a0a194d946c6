"""Learning: from answers and embeddings to a calibrated head; only the training set touches files."""

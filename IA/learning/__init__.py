"""From answers and embeddings to a calibrated head."""

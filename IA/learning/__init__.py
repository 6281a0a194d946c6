"""Learning: from answers and embeddings to a calibrated head, and what TensorBoard shows of it."""

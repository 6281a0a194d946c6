"""Images to embeddings, and the files that keep them."""

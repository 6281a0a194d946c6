"""Embedding: from image files to vectors, with the engines that compute them and the files that keep them."""

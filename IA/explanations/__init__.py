"""Why the model thinks so: where it looks in an image, and the answers most like it."""

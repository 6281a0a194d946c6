"""Intelligent annotation: the loops that learn, and what they are made of."""

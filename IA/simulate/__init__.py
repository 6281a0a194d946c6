"""A simulated person answers about sorted photos: the figures of the documentation; no part of a session."""

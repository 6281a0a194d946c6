"""Simulated people answer questions about sorted photos, for the figures in the documentation; no session uses this."""

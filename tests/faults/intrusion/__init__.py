"""Requests that no browser sends, and connections that keep others out."""

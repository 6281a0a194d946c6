"""Tests of backend.store.figures."""

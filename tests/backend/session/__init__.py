"""Tests of backend.session."""

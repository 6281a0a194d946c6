"""Tests of backend.questions."""

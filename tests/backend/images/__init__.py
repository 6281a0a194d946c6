"""Tests of backend.images."""

"""Tests of backend.previews."""

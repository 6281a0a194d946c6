"""Tests of backend.imports."""

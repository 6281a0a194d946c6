"""Tests of backend/map."""

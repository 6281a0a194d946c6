"""Tests of IA.pool."""

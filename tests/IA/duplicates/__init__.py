"""Tests of IA.duplicates."""

"""Tests of IA.embedding."""

"""Tests of IA.explanations."""

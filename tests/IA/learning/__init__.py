"""Tests of IA.learning."""

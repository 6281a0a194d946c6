"""Tests of IA.predictions."""

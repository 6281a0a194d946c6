"""Tests of IA.statistics."""

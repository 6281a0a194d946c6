"""Tests of IA.simulate."""

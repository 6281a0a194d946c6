"""Tests of IA.process."""

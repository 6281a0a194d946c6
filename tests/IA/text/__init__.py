"""Tests of IA.text."""

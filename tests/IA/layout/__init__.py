"""Tests of IA.layout."""

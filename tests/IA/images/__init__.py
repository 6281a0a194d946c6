"""Tests of IA.images."""

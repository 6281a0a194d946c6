"""Tests of IA.exporting."""

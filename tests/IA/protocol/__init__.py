"""Tests of IA.protocol."""

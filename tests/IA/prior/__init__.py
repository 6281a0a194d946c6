"""Tests of IA/prior."""

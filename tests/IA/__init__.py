"""Tests of IA."""

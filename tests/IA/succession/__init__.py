"""Tests of IA.succession."""

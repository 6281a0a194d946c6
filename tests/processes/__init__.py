"""Tests with real processes and real signals."""

"""Benchmarks that drive the page in a real Chromium, and what sees what was really on the screen."""

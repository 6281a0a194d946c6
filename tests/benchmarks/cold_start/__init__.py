"""Benchmarks of the time before the first positive is found."""

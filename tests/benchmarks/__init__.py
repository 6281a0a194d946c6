"""Benchmark scripts: each prints a table; nothing here is an assertion."""

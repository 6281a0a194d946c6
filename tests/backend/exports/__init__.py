"""Tests of backend.exports."""

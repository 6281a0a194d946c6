"""Processes that are killed at random moments, and disks whose power is cut, while people answer."""

"""The tests: real files, real processes, real browsers."""

"""The pool: all images of a run, embedded by one backbone, scored by its head, and published for the other loops."""

"""Labels that other programs have written: one file a format, each a function from a file to labels by path."""

from collections.abc import Callable
from pathlib import Path

from backend.answers import Label
from backend.imports.pickled import pickled_labels

FORMATS: dict[str, Callable[[Path], dict[str, Label]]] = {".pickle": pickled_labels, ".pkl": pickled_labels}
"""Suffix of a file: what reads its labels, by paths as the file has them; ValueError where it is none of the kind."""

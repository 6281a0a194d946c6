"""Importing this registers `tiny`, a network that is built in a moment: a loop with it has its first turn at once."""

from IA.networks import register
from tests.conftest import tiny

NAME = "tiny"

register(NAME)(tiny)

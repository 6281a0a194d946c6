"""JSON lines: one object an answer."""

import json
from collections.abc import Iterable, Iterator

from backend.answers import Answer
from backend.exports.fields import named


def jsonl_lines(answers: Iterable[Answer]) -> Iterator[bytes]:
    """Yield a line for each answer."""
    for answer in answers:
        yield json.dumps(named(answer)).encode() + b"\n"

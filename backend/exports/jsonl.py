"""JSON lines: one object an answer."""

import json
from collections.abc import Iterable, Iterator

from backend.answers import Answer
from backend.exports.fields import FIELDS, values


def jsonl_lines(answers: Iterable[Answer]) -> Iterator[bytes]:
    """Yield a line for each answer."""
    for answer in answers:
        yield json.dumps(dict(zip(FIELDS, values(answer), strict=True))).encode() + b"\n"

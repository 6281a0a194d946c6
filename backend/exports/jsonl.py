"""JSON lines: one object an answer."""

import json
from collections.abc import Iterator

from backend.exports.fields import named
from backend.exports.source import Source


def jsonl_lines(source: Source) -> Iterator[bytes]:
    """Yield a line for each answer."""
    for answer in source.answers:
        yield json.dumps(named(answer, source)).encode() + b"\n"

"""JSON lines: one object per answer."""

import json
from collections.abc import Iterator

from backend.exports.fields import named
from backend.exports.format import ExportFormat
from backend.exports.source import Source


def jsonl_lines(source: Source) -> Iterator[bytes]:
    """Yield a line for each answer."""
    for answer in source.answers:
        yield json.dumps(named(answer, source)).encode() + b"\n"


JSON_LINES = ExportFormat(
    name="jsonl",
    title="JSON lines",
    use="the same for a script, one answer a line",
    media_type="application/x-ndjson",
    ending="annotations.jsonl",
    lines=jsonl_lines,
)

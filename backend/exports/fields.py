"""What every export says of an answer."""

from backend.answers import Answer

FIELDS = ("path", "label", "source", "time", "shown_ms", "probability")


def values(answer: Answer) -> tuple[str | int | float | None, ...]:
    """The values of `FIELDS`."""
    return answer.path, answer.label, answer.source, answer.when, answer.shown_ms, answer.probability

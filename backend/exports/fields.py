"""What every export says of an answer."""

from backend.answers import NOT_DRAWN, Answer

FIELDS = ("path", "label", "source", "time", "shown_ms", "probability", "audit", "checkpoint", "copy_of")


def values(answer: Answer) -> tuple[str | float | bool | None, ...]:
    """The values of `FIELDS`."""
    return (
        answer.path,
        answer.label,
        answer.source,
        answer.when,
        answer.shown_ms,
        answer.probability,
        answer.audit != NOT_DRAWN,
        answer.checkpoint,
        answer.copy_of,
    )

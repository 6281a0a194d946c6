"""What every export says of an answer."""

from backend.answers import NOT_DRAWN, Answer

FIELDS = (
    "path",
    "label",
    "source",
    "time",
    "shown_ms",
    "probability",
    "audit",
    "checkpoint",
    "annotator",
    "copy_of",
)
BY_MODEL = "model"  # the source of a label that no person gave


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
        answer.client,
        answer.copy_of,
    )


def named(answer: Answer) -> dict[str, str | float | bool | None]:
    """The same by name."""
    return dict(zip(FIELDS, values(answer), strict=True))

"""What every export says of an answer."""

from backend.answers import NOT_DRAWN, Answer
from backend.exports.roll_up import OfPhoto
from IA.tiles import split

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
    "source_image",
    "tile",
)
OF_PHOTO = ("tiles", "tiles_positive")  # of answers that are rolled up, behind the others
BY_MODEL = "model"  # the source of a label that no person gave


Value = str | float | bool | None


def fields(is_rolled_up: bool) -> tuple[str, ...]:
    """What is said of each answer."""
    return (*FIELDS, *OF_PHOTO) if is_rolled_up else FIELDS


def values(answer: Answer) -> tuple[Value, ...]:
    """The values of `fields`."""
    photo, tile = split(answer.path)
    further = (answer.tiles, answer.tiles_positive) if isinstance(answer, OfPhoto) else ()
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
        photo,
        "" if tile is None else str(tile),
        *further,
    )


def named(answer: Answer) -> dict[str, Value]:
    """The same by name."""
    return dict(zip(fields(isinstance(answer, OfPhoto)), values(answer), strict=True))

"""The fields of an answer that every export has."""

from backend.exports.roll_up import OfPhoto
from backend.exports.source import Source
from backend.store.table import NOT_DRAWN, Answer
from IA.images.tiles import split

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
OF_PHOTO = ("tiles", "tiles_positive")  # Rolled-up answers have these fields after the others.
FURTHER = ("class", "person", "captured", "camera")  # These are last, because programs may know columns by their place.

Value = str | float | bool | None


def fields(is_rolled_up: bool) -> tuple[str, ...]:
    """The names of an answer's fields, in the order of the columns."""
    return (*FIELDS, *(OF_PHOTO if is_rolled_up else ()), *FURTHER)


def values(answer: Answer, source: Source) -> tuple[Value, ...]:
    """The values of `fields` for an answer."""
    photo, tile = split(answer.path)
    of_photo = (answer.tiles, answer.tiles_positive) if isinstance(answer, OfPhoto) else ()
    taken = source.taken(photo)
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
        *of_photo,
        source.name(answer.label),
        "",  # person: clients have no names
        taken.captured,
        taken.camera,
    )


def named(answer: Answer, source: Source) -> dict[str, Value]:
    """The values of `fields` by name."""
    return dict(zip(fields(isinstance(answer, OfPhoto)), values(answer, source), strict=True))

"""What every export says of an answer."""

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
OF_PHOTO = ("tiles", "tiles_positive")  # of answers that are rolled up, behind those
FURTHER = ("class", "person", "captured", "camera")  # behind all others, for columns are known by their place too

Value = str | float | bool | None


def fields(is_rolled_up: bool) -> tuple[str, ...]:
    """What is said of each answer."""
    return (*FIELDS, *(OF_PHOTO if is_rolled_up else ()), *FURTHER)


def values(answer: Answer, source: Source) -> tuple[Value, ...]:
    """The values of `fields`."""
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
    """The same by name."""
    return dict(zip(fields(isinstance(answer, OfPhoto)), values(answer, source), strict=True))

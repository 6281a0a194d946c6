"""Label Studio's JSON: tasks, each with the annotations of one image; a model's predictions are left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.imports.addresses import is_image
from backend.imports.format import JSON, ImportFormat
from backend.imports.labelled import Labelled
from backend.imports.records import label_words, moment, tile_of

IMAGE = "image"  # Our own configs and most others name this field.


def is_tasks(content: object) -> bool:
    """Whether this is a list of tasks."""
    return isinstance(content, list) and any(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in content
    )


def tasks(content: Sequence[Any]) -> Iterator[Labelled]:
    """The label that each annotator gave to each task.

    Raises:
        ValueError: a task names no image.
    """
    for task in content:
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            raise ValueError("a task has no data")
        place, tile = _image(data), tile_of(data)
        annotations = task.get("annotations", task.get("completions"))
        for annotation in annotations if isinstance(annotations, list) else []:
            if isinstance(annotation, dict):
                yield _labelled(place, tile, annotation)


@dataclass(frozen=True)
class _Place:
    """Possible addresses of a task's image, and the field that holds them if it is not the usual one."""

    addresses: tuple[str, ...]
    field: str


def _image(data: Mapping[str, Any]) -> _Place:
    """The address in `image`; else the addresses with the ending of an image; else the first text."""
    texts = {str(field): value for field, value in data.items() if isinstance(value, str) and value.strip()}
    images = {field: text for field, text in texts.items() if is_image(text)}
    if IMAGE in texts and (IMAGE in images or not images):
        return _Place((texts[IMAGE],), "")
    if not texts:
        raise ValueError("a task names no image in its data")
    first = next(iter(texts))
    found = images or {first: texts[first]}
    field = next(iter(found))
    return _Place(tuple(dict.fromkeys(found.values())), "" if field == first and len(found) == 1 else field)


def _labelled(place: _Place, tile: str, annotation: Mapping[str, Any]) -> Labelled:
    results = annotation.get("result")
    found = results if isinstance(results, list) else []
    words = tuple(word for result in found if isinstance(result, dict) for word in label_words(result.get("value")))
    annotator, seconds = annotation.get("completed_by"), annotation.get("lead_time")
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id")
    return Labelled(
        path=place.addresses[0],
        or_paths=place.addresses[1:],
        field=place.field,
        tile=tile,
        words=("skipped",) if annotation.get("was_cancelled") else words,
        annotator=None if annotator is None else str(annotator),
        time=moment(annotation.get("updated_at") or annotation.get("created_at")),
        shown_ms=round(1000 * seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e9 else None,
    )


LABEL_STUDIO = ImportFormat("Label Studio", JSON, lambda content, _: tasks(content), fits=is_tasks)

"""Label Studio's JSON: tasks, each with the annotations of one image; what a model predicted is left out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backend.imports.labelled import Labelled
from backend.imports.records import moment, said, tile_of


def is_tasks(content: object) -> bool:
    """Whether this is a list of tasks."""
    return isinstance(content, list) and any(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in content
    )


def tasks(content: Sequence[Any]) -> Iterator[Labelled]:
    """What each annotator said of each task.

    Raises:
        ValueError: a task names no image.
    """
    for task in content:
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            raise ValueError("a task has no data")
        path, tile = _image(data), tile_of(data)
        annotations = task.get("annotations", task.get("completions"))
        for annotation in annotations if isinstance(annotations, list) else []:
            if isinstance(annotation, dict):
                yield _labelled(path, tile, annotation)


def _image(data: Mapping[str, Any]) -> str:
    address = data.get("image") or next((value for value in data.values() if isinstance(value, str)), None)
    if not isinstance(address, str):
        raise ValueError("a task names no image in its data")
    return address


def _labelled(path: str, tile: str, annotation: Mapping[str, Any]) -> Labelled:
    results = annotation.get("result")
    found = results if isinstance(results, list) else []
    words = tuple(word for result in found if isinstance(result, dict) for word in said(result.get("value")))
    annotator, seconds = annotation.get("completed_by"), annotation.get("lead_time")
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id")
    return Labelled(
        path=path,
        tile=tile,
        said=("skipped",) if annotation.get("was_cancelled") else words,
        annotator=None if annotator is None else str(annotator),
        time=moment(annotation.get("updated_at") or annotation.get("created_at")),
        shown_ms=round(1000 * seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e9 else None,
    )

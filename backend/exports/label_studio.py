"""Label Studio: a task an image, with the person's annotation and what the model had said; and the labelling config.

Of a skipped image the annotation is there, but cancelled. A label that a model gave is a prediction alone. Who
annotated stands in `meta`: Label Studio refuses the whole file where `completed_by` is nobody that it knows.

The task of a tile shows its photo, with a rectangle around the tile in every annotation and prediction.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from backend.exports.fields import named
from backend.exports.format import ExportFormat, Scheme
from backend.exports.source import Source
from backend.store.sources import BY_MODEL
from backend.store.table import Answer, Label
from IA.images.tiles import Tile, split
from IA.text.answer_words import mistakable

CHOICES, IMAGE = "label", "image"  # names in the config that results refer to
PLACE = "place"  # likewise; not "tile", for JSON_MIN makes a column of it, which would replace that of the data
RECTANGLE = f'  <Rectangle name="{PLACE}" toName="{IMAGE}"/>\n'
CONFIG = """<View>
  <Image name="{image}" value="$image" zoom="true" zoomControl="true"/>
{rectangle}  <Choices name="{choices}" toName="{image}" choice="single" showInline="true">
    <Choice value={positive} {positive_alias}hotkey="f"/>
    <Choice value={negative} {negative_alias}hotkey="j"/>
  </Choices>
</View>
"""


def config(positive: str, negative: str, has_tiles: bool = False) -> bytes:
    """The labelling config that the tasks need, by what the two answers are called.

    Where these names would mislead whoever reads the results, `positive` and `negative` stand there instead.
    """
    names = {"positive": quoteattr(positive), "negative": quoteattr(negative)}
    is_plain = mistakable(positive, negative) is None
    aliases = {f"{label}_alias": "" if is_plain else f'alias="{label}" ' for label in names}
    rectangle = RECTANGLE if has_tiles else ""
    text = CONFIG.format(image=IMAGE, choices=CHOICES, rectangle=rectangle, **names, **aliases)
    return text.encode("utf-8", "replace")


def label_studio_lines(source: Source) -> Iterator[bytes]:
    """Yield a JSON array, a task a line."""
    before = b"[\n"
    for number, answer in enumerate(source.answers, 1):
        yield before + json.dumps(_task(answer, source, number)).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _task(answer: Answer, source: Source, number: int) -> dict[str, Any]:
    fields = {name: _text(value) for name, value in named(answer, source).items()}
    photo, tile = split(answer.path)
    place = quote(photo.encode("utf-8", "surrogateescape"))
    names = ("path",) if tile is None else ("path", "source_image", "tile")
    task: dict[str, Any] = {
        "id": number,
        "data": {"image": f"{source.prefix}{place}", **{name: fields[name] for name in names}},
        "meta": fields,
    }
    if answer.source == BY_MODEL:
        return task | {"annotations": [], "predictions": _prediction(answer, answer.label, source, tile)}
    annotation = {
        "result": _result(answer.label, source, tile),
        "was_cancelled": answer.label == "skipped",
        "ground_truth": False,
        "created_at": answer.when,
        "lead_time": None if answer.shown_ms is None else answer.shown_ms / 1000,
    }
    predicted: Label = "positive" if (answer.probability or 0) >= 0.5 else "negative"
    return task | {"annotations": [annotation], "predictions": _prediction(answer, predicted, source, tile)}


def _prediction(answer: Answer, predicted: Label, source: Source, tile: Tile | None) -> list[dict[str, Any]]:
    """What the model said, with the probability of just that; nothing where it was not asked."""
    if answer.probability is None:
        return []
    version = "model" if answer.checkpoint is None else f"checkpoint {answer.checkpoint}"
    score = answer.probability if predicted == "positive" else 1 - answer.probability
    return [{"model_version": version, "score": score, "result": _result(predicted, source, tile)}]


def _result(label: Label, source: Source, tile: Tile | None) -> list[dict[str, Any]]:
    results = []
    if label != "skipped":
        value: dict[str, Any] = {"choices": [source.word(label)]}
        results.append({"from_name": CHOICES, "to_name": IMAGE, "type": "choices", "value": value})
    if tile is not None:
        results.append({"from_name": PLACE, "to_name": IMAGE, "type": "rectangle", "value": _rectangle(tile)})
    return results


def _rectangle(tile: Tile) -> dict[str, Any]:
    """Where a tile lies, in percent of its photo."""
    width, height = 100 / tile.columns, 100 / tile.rows
    return {
        "x": width * (tile.column - 1),
        "y": height * (tile.row - 1),
        "width": width,
        "height": height,
        "rotation": 0,
    }


def _text(value: str | float | bool | None) -> str | float | bool | None:
    """Text that its database takes: bytes of a file name that are no UTF-8 stand in the address alone."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(value, str) else value


LABEL_STUDIO = ExportFormat(
    name="label-studio",
    title="Label Studio",
    use="tasks to import there",
    media_type="application/json",
    ending="label-studio.json",
    lines=label_studio_lines,
    scheme=Scheme("label-studio.xml", "application/xml", config),
)

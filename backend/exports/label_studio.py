"""Label Studio: one task per image, with the person's annotation and the model's prediction; and the labelling config.

The annotation of a skipped image is cancelled. A label that a model gave is only a prediction. `meta` holds the
annotator, because Label Studio refuses the whole file if it does not know the person in `completed_by`.

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

CHOICES, IMAGE = "label", "image"  # Results refer to these names in the config.
PLACE = "place"  # Likewise; JSON_MIN makes a column of it, and the name "tile" would replace the column of the data.
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
    """The labelling config that the tasks need, with the names of the two answers.

    If these names would mislead readers of the results, the config has `positive` and `negative` instead.
    """
    names = {"positive": quoteattr(positive), "negative": quoteattr(negative)}
    is_plain = mistakable(positive, negative) is None
    aliases = {f"{label}_alias": "" if is_plain else f'alias="{label}" ' for label in names}
    rectangle = RECTANGLE if has_tiles else ""
    text = CONFIG.format(image=IMAGE, choices=CHOICES, rectangle=rectangle, **names, **aliases)
    return text.encode("utf-8", "replace")


def label_studio_lines(source: Source) -> Iterator[bytes]:
    """Yield a JSON array with one task per line."""
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
    """The label that the model predicted, with its probability; empty if the model had not scored the image."""
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
    """The rectangle of a tile, in percent of its photo."""
    width, height = 100 / tile.columns, 100 / tile.rows
    return {
        "x": width * (tile.column - 1),
        "y": height * (tile.row - 1),
        "width": width,
        "height": height,
        "rotation": 0,
    }


def _text(value: str | float | bool | None) -> str | float | bool | None:
    """Text that Label Studio's database accepts; only the address keeps bytes of a file name that are not UTF-8."""
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

"""COCO: the images with their sizes, and an annotation of the whole image for each that has a label.

COCO has no label for a whole image, so the box covers the image. A skipped image has no annotation. The `attributes` of
each image hold the values for which COCO has no place.

In a run with tiles each photo is an image, and each answer to a tile is an annotation with the box of the tile and its
own `attributes`; annotations of skipped tiles are in the list `skipped`, beside `annotations`.
"""

import json
from array import array
from collections.abc import Iterator
from typing import Any

from backend.exports.fields import named
from backend.exports.format import ExportFormat
from backend.exports.pictures import MissingError
from backend.exports.source import Source
from backend.exports.spool import Spool
from backend.images.paths import Paths
from backend.store.table import Answer, Label
from IA.images.tiles import Box, Grid, Tile, split

CATEGORY: dict[Label, int] = {"positive": 1, "negative": 2}


def coco_lines(source: Source) -> Iterator[bytes]:
    """Yield one JSON object, with one image or annotation per line."""
    categories = [{"id": id, "name": source.word(label), "supercategory": "label"} for label, id in CATEGORY.items()]
    yield b'{"info": {"description": "Intelligent Annotation"}, "licenses": [],\n"categories": '
    yield json.dumps(categories).encode() + b',\n"images": ['
    document = _Document(source)
    between = b"\n"
    for answer in source.answers:
        for image in document.take(answer):
            yield between + image
            between = b",\n"
    yield b'\n],\n"annotations": ['
    yield from document.annotations.read()
    if document.skipped.count:
        yield b'\n],\n"skipped": ['
        yield from document.skipped.read()
    yield b"\n]}\n"


class _Document:
    """Keeps the annotations until the images are written, and the photos whose image is written already."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._count = 0
        self._photos = Paths()
        self._of_photo = array("i")  # id, width and height
        self.annotations = Spool()
        self.skipped = Spool()

    def take(self, answer: Answer) -> Iterator[bytes]:
        """Yield the image of an answer, unless it was yielded before, and keep its annotation."""
        photo, tile = split(answer.path)
        number = None if tile is None else self._photos.number(photo)
        if number is not None:
            id, width_px, height_px = self._of_photo[3 * number : 3 * number + 3]
        else:
            self._count += 1
            id, attributes = self._count, {"path": photo, "grid": _grid(tile)} if tile else named(answer, self._source)
            try:
                width_px, height_px = self._source.pictures.size_px(photo)
            except MissingError as error:
                width_px, height_px = 0, 0
                attributes["missing"] = str(error)
            image = {"id": id, "file_name": photo, "width": width_px, "height": height_px}
            yield json.dumps({**image, "attributes": attributes}).encode()
            if tile is not None:
                self._photos.add(photo)
                self._of_photo.extend((id, width_px, height_px))
        more = {"attributes": named(answer, self._source)} if tile else {}
        if answer.label in CATEGORY:
            box = _box(tile, width_px, height_px)
            _keep(self.annotations, _annotation(self.annotations.count + 1, id, CATEGORY[answer.label], box) | more)
        elif tile is not None:
            _keep(self.skipped, {"image_id": id} | more)


def _grid(tile: Tile) -> str:
    return str(Grid(tile.columns, tile.rows))


def _keep(spool: Spool, entry: dict[str, Any]) -> None:
    spool.write((b",\n" if spool.count else b"\n") + json.dumps(entry).encode())


def _box(tile: Tile | None, width_px: int, height_px: int) -> Box:
    """The box of an image in its photo; an empty one if the photo's size is unknown, or too small for the grid."""
    try:
        return (0, 0, width_px, height_px) if tile is None else tile.box(width_px, height_px)
    except ValueError:
        return 0, 0, 0, 0


def _annotation(id: int, image: int, category: int, box: Box) -> dict[str, Any]:
    left, top, right, bottom = box
    return {
        "id": id,
        "image_id": image,
        "category_id": category,
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
        "iscrowd": 0,
        "segmentation": [],
    }


COCO = ExportFormat(
    name="coco",
    title="COCO",
    use="JSON for training programs that read COCO",
    media_type="application/json",
    ending="coco.json",
    lines=coco_lines,
)

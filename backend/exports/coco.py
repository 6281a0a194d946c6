"""COCO: the images with their sizes, and an annotation of the whole image for each that has a label.

COCO knows no label of an image as a whole: the box is the image. A skipped image has no annotation. What it has no
place for stands in the `attributes` of each image.
"""

import json
from array import array
from collections.abc import Iterator

from backend.exports.fields import named
from backend.exports.pictures import MissingError
from backend.exports.source import Source

CATEGORY = {"positive": 1, "negative": 2}
NONE = 0


def coco_lines(source: Source) -> Iterator[bytes]:
    """Yield one JSON object, an image or an annotation a line."""
    names = {CATEGORY["positive"]: source.positive, CATEGORY["negative"]: source.negative}
    categories = [{"id": id, "name": name, "supercategory": "label"} for id, name in names.items()]
    yield b'{"info": {"description": "Intelligent Annotation"}, "licenses": [],\n"categories": '
    yield json.dumps(categories).encode() + b',\n"images": ['
    labelled = array("b")  # of each image its category, then its size: what the annotations are made of
    sizes_px = array("i")
    between = b"\n"
    for number, answer in enumerate(source.answers, 1):
        attributes = named(answer)
        try:
            width_px, height_px = source.pictures.size_px(answer.path)
        except MissingError as error:
            width_px, height_px = 0, 0
            attributes["missing"] = str(error)
        image = {"id": number, "file_name": attributes["path"], "width": width_px, "height": height_px}
        yield between + json.dumps({**image, "attributes": attributes}).encode()
        labelled.append(CATEGORY.get(answer.label, NONE))
        sizes_px.extend((width_px, height_px))
        between = b",\n"
    yield b'\n],\n"annotations": ['
    between = b"\n"
    for number, category in enumerate(labelled, 1):
        if category != NONE:
            yield between + _annotation(number, category, sizes_px[2 * number - 2], sizes_px[2 * number - 1])
            between = b",\n"
    yield b"\n]}\n"


def _annotation(image: int, category: int, width_px: int, height_px: int) -> bytes:
    annotation = {
        "id": image,
        "image_id": image,
        "category_id": category,
        "bbox": [0, 0, width_px, height_px],
        "area": width_px * height_px,
        "iscrowd": 0,
        "segmentation": [],
    }
    return json.dumps(annotation).encode()

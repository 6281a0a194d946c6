"""COCO: an image has the classes of all its annotations, whether they have boxes or not.

Our own exports put values for which COCO has no place into the attributes of an image, also that it was skipped. For a
photo with a grid they put them into the attributes of each annotation, which is about one tile and not the photo.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from backend.imports.format import JSON, ImportFormat
from backend.imports.labelled import Labelled
from backend.imports.records import label_words, with_circumstances


def is_coco(content: object) -> bool:
    """Whether this looks like COCO."""
    return isinstance(content, dict) and isinstance(content.get("images"), list)


def images(content: Mapping[str, Any]) -> Iterator[Labelled]:
    """The labels of each image; an image without an annotation has none.

    Raises:
        ValueError: the content is not valid COCO.
    """
    try:
        names = {category["id"]: str(category["name"]) for category in content.get("categories", [])}
        of_image: dict[Any, dict[str, None]] = defaultdict(dict)
        cut_up = {image["id"] for image in content["images"] if _attributes(image).get("grid")}
        for annotation in content.get("annotations", []):
            name = names[annotation["category_id"]]
            if annotation["image_id"] in cut_up:
                yield from _of_tile(annotation, name)
            else:
                of_image[annotation["image_id"]][name] = None
        for skip in content.get("skipped", []) if cut_up else []:
            yield from _of_tile(skip, "skipped")
        for image in content["images"]:
            if image["id"] in cut_up:
                continue
            own = _attributes(image)
            words = tuple(of_image.get(image["id"], ()))
            yield with_circumstances(str(image["file_name"]), words or tuple(label_words(own.get("label"))), own)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no good COCO ({type(error).__name__}: {error})") from None


def _of_tile(annotation: Mapping[str, Any], word: str) -> Iterator[Labelled]:
    own = _attributes(annotation)
    if isinstance(own.get("path"), str):
        yield with_circumstances(own["path"], (word,), own)


def _attributes(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    own = entry.get("attributes")
    return own if isinstance(own, dict) else {}


COCO = ImportFormat("COCO", JSON, lambda content, _: images(content), fits=is_coco)

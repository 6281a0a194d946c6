"""COCO: an image has the classes of all its annotations, whether they have boxes or not.

Our own exports say in the attributes of an image what COCO has no place for, also that it was skipped.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from backend.imports.labelled import Labelled
from backend.imports.records import said, with_circumstances


def is_coco(content: object) -> bool:
    """Whether this looks like COCO."""
    return isinstance(content, dict) and isinstance(content.get("images"), list)


def images(content: Mapping[str, Any]) -> Iterator[Labelled]:
    """What is said of each image; nothing of those without an annotation.

    Raises:
        ValueError: it is not as COCO has it.
    """
    try:
        names = {category["id"]: str(category["name"]) for category in content.get("categories", [])}
        of_image: dict[Any, dict[str, None]] = defaultdict(dict)
        for annotation in content.get("annotations", []):
            of_image[annotation["image_id"]][names[annotation["category_id"]]] = None
        for image in content["images"]:
            own = image.get("attributes")
            own = own if isinstance(own, dict) else {}
            words = tuple(of_image.get(image["id"], ()))
            yield with_circumstances(str(image["file_name"]), words or tuple(said(own.get("label"))), own)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no good COCO ({type(error).__name__}: {error})") from None

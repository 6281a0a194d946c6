"""The 1,000 classes of ImageNet-1k that networks know, as their names and definitions stand in WordNet (Miller 1995)."""

import re
from dataclasses import dataclass
from functools import cache

WORD = re.compile(r"\w+(?:['-]\w+)*")


@dataclass(frozen=True)
class KnownClasses:
    """The classes, in the usual order of ImageNet-1k.

    Attributes:
        names: (1000,) what a class is called, its other names left out.
        descriptions: (1000,) all names of a class, and after a colon its definition.
    """

    names: list[str]
    descriptions: list[str]


@cache
def known_classes() -> KnownClasses:
    """The classes, from the files of timm."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    classes = range(info.num_classes())
    names = [info.index_to_description(each).split(",")[0] for each in classes]
    return KnownClasses(names, [info.index_to_description(each, detailed=True) for each in classes])


@cache
def known_words() -> frozenset[str]:
    """The words of the names and definitions of all nouns that ImageNet-22k has, in small letters."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-22k")
    descriptions = (info.index_to_description(each, detailed=True) for each in range(info.num_classes()))
    return frozenset(word for description in descriptions for word in words_of(description))


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters; a hyphen or an apostrophe within a word belongs to it."""
    return WORD.findall(text.lower())

"""The 1,000 classes of ImageNet-1k of networks, with their names and definitions from WordNet (Miller 1995)."""

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
    """The classes."""
    names = [names.split(",")[0] for names in _descriptions("imagenet-1k", detailed=False)]
    return KnownClasses(names, _descriptions("imagenet-1k", detailed=True))


@cache
def known_words() -> frozenset[str]:
    """The words in the names and definitions of the nouns that ImageNet-22k has, in small letters."""
    return frozenset(
        word for description in _descriptions("imagenet-22k", detailed=True) for word in words_of(description)
    )


@cache
def known_nouns() -> frozenset[str]:
    """The words in their names alone."""
    return frozenset(word for names in _descriptions("imagenet-22k", detailed=False) for word in words_of(names))


def _descriptions(classes: str, detailed: bool) -> list[str]:
    """The names of each class, and with `detailed` after a colon its definition, from the files of timm."""
    from timm.data.imagenet_info import ImageNetInfo

    return list(ImageNetInfo(classes).label_descriptions(detailed=detailed))  # type: ignore[no-untyped-call]


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters; a hyphen or an apostrophe within a word belongs to it."""
    return WORD.findall(text.lower())

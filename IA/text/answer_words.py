"""What the words for answers mean in any file, and which names of answers could be mistaken for one another."""

import unicodedata
from functools import lru_cache
from typing import Literal

Label = Literal["positive", "negative", "skipped"]

CANONICAL: dict[str, Label] = {"positive": "positive", "negative": "negative", "skipped": "skipped"}
USUAL: dict[str, Label] = {
    **CANONICAL,
    **dict.fromkeys(("true", "1", "yes"), "positive"),
    **dict.fromkeys(("false", "0", "no"), "negative"),
}
UNREADABLE = "unreadable"  # The predictions have this word in place of a label where an image cannot be read.
TRUTH: dict[str, bool | None] = {"positive": True, "negative": False, "skipped": None}
"""Each label as the pickles have it, which the loops read."""
FROM_TRUTH: dict[bool | None, Label] = {TRUTH[label]: label for label in CANONICAL.values()}
"""The label of each value in a pickle."""


def folded(word: str) -> str:
    """A word as people tell it from others: without regard to case, spaces and Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold()).split())


@lru_cache(maxsize=16)
def mistakable(positive: str, negative: str) -> str | None:
    """Why files could not tell what answers with these names mean, as one sentence; None where they can."""
    if positive == negative:
        return f"Both answers are called {positive!r}; give them different names."
    if folded(positive) == folded(negative):
        return f"Files cannot tell {positive!r} from {negative!r}; give the answers names that differ by a letter."
    for label, name in (("positive", positive), ("negative", negative)):
        word = folded(name)
        if word == UNREADABLE or USUAL.get(word, label) != label:
            means = "an image that cannot be read" if word == UNREADABLE else f"{USUAL[word]!r}"
            return f"The {label} answer is called {name!r}, which means {means} elsewhere; give it another name."
    return None

"""Words that no definition has are read as the nearest word that one has, or as the two words that they are made of."""

import difflib
from collections.abc import Callable, Collection
from functools import lru_cache

from IA.prior.known_classes import WORD, known_words

SAME = 0.85  # So alike must two words be: twice the letters in common over all letters.
SHORTEST = 5  # Shorter words have too many neighbours to be mended.


def mended(phrase: str, pieces: Callable[[str], list[str]]) -> str:
    """The phrase with each unknown word replaced, if another reading of it is known.

    Args:
        phrase: as typed.
        pieces: splits a word into the whole words that it is made of; the word alone if it cannot.
    """
    return WORD.sub(lambda found: _mended(found.group(), pieces), phrase)


def _mended(word: str, pieces: Callable[[str], list[str]]) -> str:
    low = word.lower()
    known = known_words()
    if len(low) < SHORTEST or not low.isascii() or not low.isalpha() or _is_known(low, known):
        return word
    if near := _nearest(low):
        return near
    parts = pieces(low)
    return " ".join(parts) if len(parts) > 1 and all(part in known for part in parts) else word


def _is_known(word: str, known: Collection[str]) -> bool:
    return any(form in known for form in singulars(word))


def singulars(word: str) -> list[str]:
    """The word, and what it may be the plural of."""
    forms = [word]
    forms += [word.removesuffix(end) + instead for end, instead in PLURALS if word.endswith(end) and len(word) > 3]
    return forms


PLURALS = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"))


@lru_cache(4096)
def _nearest(word: str) -> str | None:
    """The known word that is nearest to this one among those with the same first letter; None if none is near."""
    among = [each for each in known_words() if each[0] == word[0] and abs(len(each) - len(word)) <= 2]
    return next(iter(difflib.get_close_matches(word, sorted(among), 1, SAME)), None)

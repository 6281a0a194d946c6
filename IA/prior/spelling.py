"""Words that no definition has are read as the nearest noun, or as the two words that they are made of."""

import difflib
from functools import lru_cache

from IA.prior.known_classes import WORD, known_nouns, known_words

SAME = 0.85  # So alike two words must be: twice the letters in common over all letters.
SHORTEST = 5  # Shorter words have too many neighbours to be mended.
PART = 3  # The parts of a word have at least so many letters.
PLURALS = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"))


def mended(phrase: str) -> str:
    """The phrase, each unknown word replaced if another reading of it is known."""
    return WORD.sub(lambda found: _mended(found.group().lower()) or found.group(), phrase)


def singulars(word: str) -> list[str]:
    """The word, and what it may be the plural of."""
    ends = [(end, instead) for end, instead in PLURALS if word.endswith(end) and len(word) > 3]
    return [word, *(word.removesuffix(end) + instead for end, instead in ends)]


@lru_cache(4096)
def _mended(word: str) -> str | None:
    """Another reading of a word in small letters; None: the word is known, or there is none."""
    known = known_words()
    if len(word) < SHORTEST or not (word.isascii() and word.isalpha()) or not known.isdisjoint(singulars(word)):
        return None
    among = [each for each in known_nouns() if each[0] == word[0] and abs(len(each) - len(word)) <= 2]
    if near := difflib.get_close_matches(word, sorted(among), 1, SAME):
        return near[0]
    cuts = [cut for cut in range(PART, len(word) - PART + 1) if {word[:cut], word[cut:]} <= known]
    if not cuts:
        return None
    cut = min(cuts, key=lambda each: abs(2 * each - len(word)))
    return f"{word[:cut]} {word[cut:]}"

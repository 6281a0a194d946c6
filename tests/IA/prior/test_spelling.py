"""Misspelt words are read as the word that was meant; all others stay as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from IA.prior.spelling import mended, singulars


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("girafe", "giraffe"),
        ("Girafe at night", "giraffe at night"),
        ("elephnat", "elephant"),
        ("snowleopard", "snow leopard"),
    ],
)
def test_misspelt_words(asked: str, read: str) -> None:
    """An unknown word becomes the nearest noun, or the two words that it is made of."""
    assert mended(asked) == read


@pytest.mark.parametrize(
    "phrase",
    ["lynx", "Lynxes", "wolves at night", "ponies", "hte cta", "Füchse", "山猫", "🐈", "x1234567", "qqqqqqqqq", ""],
)
def test_what_stays(phrase: str) -> None:
    """Known words, their plurals, short words, other scripts and what resembles nothing stay as they are."""
    assert mended(phrase) == phrase


@pytest.mark.parametrize(("word", "one"), [("cats", "cat"), ("foxes", "fox"), ("ponies", "pony"), ("wolves", "wolf")])
def test_plurals(word: str, one: str) -> None:
    """A word comes first, and what it may be the plural of is among its other forms."""
    first, *others = singulars(word)
    assert first == word
    assert one in others


def test_words_that_are_no_plural() -> None:
    """They have one form."""
    assert singulars("lynx") == ["lynx"]
    assert singulars("gas") == ["gas"]


@given(st.text(max_size=40))
def test_any_text_is_mended_once(text: str) -> None:
    """No text is too odd, and what was mended is not mended again."""
    assert mended(mended(text)) == mended(text)

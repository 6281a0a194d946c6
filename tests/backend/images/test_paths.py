"""Paths and their numbers, against a list and a dict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.images import paths as module
from backend.images.paths import Paths


@given(st.lists(st.text(max_size=3), unique=True), st.lists(st.text(max_size=3)), st.integers(0, 5))
def test_like_a_list_and_a_dict(given_paths: list[str], more: list[str], recent: int) -> None:
    """Whatever comes in whatever order, each path keeps the number it got, and strangers have none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RECENT", recent)
        known = Paths(list(given_paths))
        expected = list(given_paths)
        for path in more:
            number = known.number(path)
            assert number == (expected.index(path) if path in expected else None)
            if number is None:
                assert known.add(path) == len(expected)
                expected.append(path)
        assert list(known) == expected
        assert [known.number(path) for path in expected] == list(range(len(expected)))
        assert known.number("a stranger") is None


def test_equal_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths of one hash are told apart."""
    monkeypatch.setattr(module, "hash", lambda path: 7, raising=False)
    known = Paths(["a", "b", "c"])
    assert [known.number(path) for path in "abcd"] == [0, 1, 2, None]

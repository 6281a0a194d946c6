"""What the answers say of the work so far."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from backend.store.figures.statistics import (
    LAST,
    AskedImage,
    History,
    PastAnswer,
    curve,
    means,
    prequential,
    statistics,
)
from backend.store.table import Label
from tests.serving import serving, until


def entry(path: str, label: Label, state: str = "standing", **more: Any) -> PastAnswer:
    """One answer of a history."""
    return PastAnswer(
        **{"source": "key", "probability": None, "repeat": False, **more}, path=path, label=label, state=state
    )


@given(positive=st.lists(st.booleans(), max_size=60), points=st.integers(2, 40))
def test_any_curve(positive: list[bool], points: int) -> None:
    """A curve begins at (0, 0), ends with the last answer, has no more points than asked, and each is exact."""
    found = curve(positive, points)
    answers, positives = found["answers"], found["positives"]
    assert (answers[0], positives[0]) == (0, 0)
    assert (answers[-1], positives[-1]) == (len(positive), sum(positive))
    assert len(answers) == len(positives) <= points
    assert answers == sorted(set(answers))
    assert positives == [sum(positive[:place]) for place in answers]


@given(probabilities=st.lists(st.none() | st.floats(0, 1), max_size=60), points=st.integers(2, 40))
def test_any_means(probabilities: list[float | None], points: int) -> None:
    """Runs are equal but for the last one, cover every answer, and hold the mean of what was shown."""
    told = means(probabilities, points)
    ends = told["answers"]
    assert len(ends) <= points
    assert ends == sorted(set(ends))
    assert (ends[-1] if ends else 0) == len(probabilities)
    for start, end, mean in zip([0, *ends], ends, told["probability"], strict=False):
        shown = [value for value in probabilities[start:end] if value is not None]
        assert mean == (math.fsum(shown) / len(shown) if shown else None) or mean == pytest.approx(
            sum(shown) / len(shown)
        )


def test_the_model_is_judged_by_what_it_said_before() -> None:
    """Only the last fifty images that were shown with a probability count, and 0.5 says positive."""
    early = [AskedImage(True, "key", 0.0)] * 10
    late = [AskedImage(True, "key", 0.5), AskedImage(False, "key", 0.5), AskedImage(False, "key", None)] * (LAST // 2)
    told = prequential(early + late)
    assert told is not None
    assert (told["right"], told["of"]) == (LAST // 2, LAST)
    assert told["low"] < 0.5 < told["high"]
    assert prequential([AskedImage(True, "key", None)]) is None


def test_answers_given_again() -> None:
    """An image counts once, where it was first answered, as it stands, with the probability from before any answer."""
    history = History(
        [
            entry("taken back", "positive", "undone", probability=0.1),
            entry("changed", "negative", "superseded", probability=0.2),
            entry("skipped", "skipped", probability=0.3),
            entry("taken back", "negative", source="button", probability=0.9),
            entry("changed", "positive", source="timeout", probability=0.8),
            entry("gone", "positive", "undone"),
        ],
        {},
    )
    assert history.asked == [AskedImage(True, "timeout", 0.2), AskedImage(False, "button", 0.1)]
    told = statistics(history, 200)
    assert told["answers"] == 2
    assert told["curve"] == {"answers": [0, 1, 2], "positives": [0, 1, 1]}
    assert told["asked"] == {"answers": [1, 2], "probability": [0.2, 0.1]}
    assert told["sources"] == {"key": 0, "button": 1, "timeout": 1, "grid": 0, "map": 0, "api": 0, "import": 0}
    assert told["repeats"] == {"asked": 0, "missed": 0, "low": None, "high": None}


def test_repeats() -> None:
    """Only blind answers to what had timed out count, by the answer that stood before; a skip says nothing."""
    timeout: dict[str, Any] = {"source": "timeout"}
    again: dict[str, Any] = {"repeat": True}
    history = History(
        [
            *[entry(path, "negative", "superseded", **timeout) for path in ("missed", "right", "skipped", "seen")],
            entry("by key", "negative", "superseded"),
            entry("back", "negative", **timeout),
            entry("seen", "negative", "superseded"),
            entry("missed", "positive", **again),
            entry("right", "negative", **again),
            entry("skipped", "skipped", **again),
            entry("by key", "positive", **again),
            entry("seen", "positive", **again),
            entry("back", "positive", "undone", **again),
        ],
        {},
    )
    assert history.repeats == [True, False]
    told = statistics(history, 200)["repeats"]
    assert (told["asked"], told["missed"]) == (2, 1)
    assert 0 < told["low"] < 0.5 < told["high"] < 1


def test_over_http(tmp_path: Path) -> None:
    """The route tells the figures of now, whatever was answered, changed or taken back in between."""
    (tmp_path / "data").mkdir()
    for number in range(4):
        Image.new("RGB", (40, 30)).save(tmp_path / "data" / f"{number}.png")
    with serving(tmp_path / "run", tmp_path / "data") as server:
        until(lambda: not server.session.images.listing)
        told = server.client.get("/api/statistics").json()
        assert told.pop("audit")["rest"] == {"images": 4, "drawn": 0, "positives": 0}
        assert told == {
            "answers": 0,
            "curve": {"answers": [0], "positives": [0]},
            "asked": {"answers": [], "probability": []},
            "prequential": None,
            "repeats": {"asked": 0, "missed": 0, "low": None, "high": None},
            "sources": {"key": 0, "button": 0, "timeout": 0, "grid": 0, "map": 0, "api": 0, "import": 0},
        }
        server.answer(0, "negative", source="timeout")
        server.answer(1, "positive")
        server.answer(2, "skipped")
        server.answer(0, "positive", repeat=True, source="key")
        told = server.client.get("/api/statistics?points=2").json()
        assert told["curve"] == {"answers": [0, 2], "positives": [0, 2]}
        assert (told["repeats"]["asked"], told["repeats"]["missed"]) == (1, 1)
        server.client.post("/api/undo", json={})
        told = server.client.get("/api/statistics?points=1000").json()
        assert told["curve"] == {"answers": [0, 1, 2], "positives": [0, 0, 1]}
        assert told["sources"] == {"key": 0, "button": 0, "timeout": 1, "grid": 0, "map": 0, "api": 1, "import": 0}
        for wrong in ("1", "1001", "many"):
            assert server.client.get(f"/api/statistics?points={wrong}").status_code == 422

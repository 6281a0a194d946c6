"""Looking at answers again: filtered, and the most suspicious first."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from backend.store.figures.review import Choice, Outline, choose
from backend.store.table import Label
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from tests.serving import Serving, serving, until

PROBABILITIES = st.none() | st.floats(0, 1)


@given(
    answered=st.lists(
        st.tuples(st.sampled_from(["positive", "negative", "skipped"]), PROBABILITIES, PROBABILITIES), max_size=12
    ),
    least=PROBABILITIES,
    most=PROBABILITIES,
    disagrees=st.booleans(),
    suspicious=st.booleans(),
)
def test_any_choice(
    answered: list[tuple[Label, float | None, float | None]],
    least: float | None,
    most: float | None,
    disagrees: bool,
    suspicious: bool,
) -> None:
    """Exactly the answers asked for come, newest first among those that are equally suspicious."""
    outlines = [Outline(seq, str(seq), label, "key", shown) for seq, (label, shown, _) in enumerate(answered, 1)]
    held_out = {str(seq): said for seq, (_, _, said) in enumerate(answered, 1) if said is not None}
    choice = Choice(None, "key", least, most, disagrees, "suspicious" if suspicious else "newest")
    expected = []
    for outline in reversed(outlines):
        said = held_out.get(outline.path)
        compared = outline.probability if said is None else said
        truth = {"positive": 1.0, "negative": 0.0}.get(outline.label)
        doubt = -1.0 if said is None or truth is None else abs(truth - said)
        if (least is not None or most is not None) and compared is None:
            continue
        if compared is not None and not (least or 0) <= compared <= (1 if most is None else most):
            continue
        if disagrees and doubt < 0.8:
            continue
        expected.append((-doubt if suspicious else 0, outline.seq))
    expected.sort(key=lambda entry: entry[0])
    assert choose(outlines[::-1], held_out, choice) == [seq for _, seq in expected]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server of six images, all answered: 0 to 2 positive, 3 and 4 negative, 5 skipped; held-out figures of four."""
    (tmp_path / "data").mkdir()
    for number in range(6):
        Image.new("RGB", (40, 30)).save(tmp_path / "data" / f"{number}.png")
    with serving(tmp_path / "run", tmp_path / "data") as server:
        until(lambda: not server.session.images.listing)
        for number, label in enumerate(["positive"] * 3 + ["negative"] * 2 + ["skipped"]):
            server.answer(number, label, source="key" if number % 2 else "timeout", repeat=number == 4)
        held_out = {"0.png": 0.1, "1.png": 0.95, "3.png": 0.6, "4.png": 0.8}
        pickle_file.publish(server.session.run, protocol.HELD_OUT, held_out)
        until(lambda: server.session.following.held_out)
        yield server


def listed(server: Serving, query: str) -> list[int]:
    """Numbers of the images of the answers that are listed, all of them."""
    content = server.client.get(f"/api/annotations?{query}").json()
    assert content["total"] == len(content["annotations"])
    return [record["image"] for record in content["annotations"]]


def test_filters_and_order(server: Serving) -> None:
    """Each filter leaves out what it says, alone and together; suspicious answers come first when asked for."""
    assert listed(server, "") == [5, 4, 3, 2, 1, 0]
    assert listed(server, "source=timeout") == [4, 2, 0]
    assert listed(server, "source=timeout&label=positive") == [2, 0]
    assert server.answer(3, "negative", source="grid").status_code == 201
    assert listed(server, "source=grid") == [3]
    server.client.post("/api/undo", json={})
    assert listed(server, "least=0.6") == [4, 3, 1]
    assert listed(server, "least=0.6&most=0.8") == [4, 3]
    assert listed(server, "most=0.1") == [0]
    assert listed(server, "disagrees=true") == [4, 0]
    assert listed(server, "order=suspicious") == [0, 4, 3, 1, 5, 2]
    assert listed(server, "order=suspicious&label=positive") == [0, 1, 2]
    assert listed(server, "least=0.9&most=0.2") == []


def test_pages_of_a_choice(server: Serving) -> None:
    """Any choice comes in pages, with the number of all that match; each record says what it rests on."""
    page = server.client.get("/api/annotations?order=suspicious&limit=2&offset=1").json()
    assert (page["total"], [record["image"] for record in page["annotations"]]) == (6, [4, 3])
    assert [(record["held_out"], record["repeat"]) for record in page["annotations"]] == [(0.8, True), (0.6, False)]
    beyond = server.client.get("/api/annotations?order=suspicious&offset=99").json()
    assert beyond == {"annotations": [], "total": 6}
    assert server.client.get("/api/annotations?limit=1").json()["annotations"][0]["held_out"] is None


@pytest.mark.parametrize(
    "query", ["least=2", "most=-1", "least=nan", "least=x", "order=best", "source=mouse", "disagrees=perhaps"]
)
def test_a_choice_that_makes_no_sense(server: Serving, query: str) -> None:
    """A filter that makes no sense is 422."""
    assert server.client.get(f"/api/annotations?{query}").status_code == 422

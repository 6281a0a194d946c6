"""How many photos are positive: one tile is enough, whatever comes and goes."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from backend.store.standing import CurrentLabels
from backend.store.table import Label
from IA.images.tiles import Grid, photo_of
from tests.serving import Serving, serving, until

TILES = [path for photo in ("a.jpg", "b/a.jpg") for path in Grid(2, 1).paths(photo)]
LABELS = st.sampled_from(["positive", "negative", "skipped"])


@given(
    before=st.dictionaries(st.sampled_from([*TILES, "whole.jpg", "b#1.jpg"]), LABELS),
    changes=st.lists(st.tuples(st.sampled_from([*TILES, "whole.jpg", "b#1.jpg"]), st.none() | LABELS)),
)
def test_any_changes(before: dict[str, Label], changes: list[tuple[str, Label | None]]) -> None:
    """After any answers, corrections and undos it is what counting anew gives."""
    standing = CurrentLabels(before)
    for path, label in changes:
        standing.put(path, label)
        positives = [path for path, label in standing.labels.items() if label == "positive"]
        assert standing.photos_positive == len({photo_of(path) for path in positives})
    assert CurrentLabels(standing.labels).photos_positive == standing.photos_positive


def told(server: Serving) -> tuple[int, int]:
    """Positive tiles and positive photos, as the status says."""
    status = server.client.get("/api/status").json()
    return status["positives"], status["photos_positive"]


def test_a_run_of_tiles(tmp_path: Path) -> None:
    """The status tells it after answers, an undo, a correction and a restart."""
    (tmp_path / "data").mkdir()
    for name in "ab":
        Image.new("RGB", (80, 40)).save(tmp_path / "data" / f"{name}.png")
    with serving(tmp_path / "run", tmp_path / "data", tile="2x1") as server:
        until(lambda: server.client.get("/api/status").json()["images"] == 4)
        assert told(server) == (0, 0)
        for image in (0, 1, 2):
            server.answer(image, client="x")
        assert told(server) == (3, 2)
        server.client.post("/api/undo", json={"client": "x"})
        assert told(server) == (2, 1)
        server.answer(0, "negative")
        assert told(server) == (1, 1)
        server.answer(1, "skipped")
        assert told(server) == (0, 0)
        server.answer(3)
    with serving(tmp_path / "run", tmp_path / "data") as server:
        assert told(server) == (1, 1)

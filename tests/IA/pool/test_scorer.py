"""What one backbone does in a turn: it embeds in the background, and a person who answers does not wait for it."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from IA.embedding.embedder import Batch, Embedder
from IA.learning.events import Events
from IA.networks import build
from IA.pool import scorer, stream
from IA.pool.scorer import Scorer
from IA.pool.stream import FIRST_FEATURES
from IA.protocol import pickle_file
from IA.protocol.files import ANNOTATIONS, PREDICTIONS
from IA.protocol.pickle_file import Version

COUNT = 2 * FIRST_FEATURES


@pytest.fixture
def photos(tmp_path: Path) -> Version[list[str]]:
    """`COUNT` JPEGs in `tmp_path/photos`."""
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for number in range(COUNT):
        Image.fromarray(noise.integers(0, 255, (40, 40, 3), np.uint8)).save(folder / f"{number:03}.jpg")
    return Version(1, [f"{number:03}.jpg" for number in range(COUNT)])


@pytest.fixture
def scores(tmp_path: Path, tiny_network: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scorer]:
    """A scorer whose turns end, and which publishes, for other reasons than the time."""
    monkeypatch.setattr(stream, "TURN_S", float("inf"))
    monkeypatch.setattr(scorer, "PUBLISH_EVERY_S", float("inf"))
    scores = Scorer(tmp_path, build(tiny_network), Events(tmp_path / "tensorboard"))
    yield scores
    scores.close()


def test_a_turn_ends_for_news(tmp_path: Path, scores: Scorer, photos: Version[list[str]]) -> None:
    """Something new to learn ends a turn after the present batch; later turns embed the other images."""
    assert scores.turn(tmp_path / "photos", photos, lambda: scores.pool.embedded > 0)
    assert 0 < scores.pool.embedded < FIRST_FEATURES
    while scores.turn(tmp_path / "photos", photos, lambda: False):
        pass
    assert scores.pool.embedded == COUNT


def test_the_first_turn_ends_when_the_pool_can_be_described(
    tmp_path: Path, scores: Scorer, photos: Version[list[str]]
) -> None:
    """The second turn publishes at once, and nothing is embedded before that."""
    assert scores.turn(tmp_path / "photos", photos, lambda: False)
    assert scores.turn(tmp_path / "photos", photos, lambda: True)
    assert pickle_file.read(tmp_path, PREDICTIONS).content.embedded == FIRST_FEATURES


def test_the_first_answers_are_published_at_once(tmp_path: Path, scores: Scorer, photos: Version[list[str]]) -> None:
    """Before there is a checkpoint, an answer changes the order: a turn publishes it before it embeds more."""
    scores.turn(tmp_path / "photos", photos, lambda: False)
    scores.turn(tmp_path / "photos", photos, lambda: True)
    known = next(number for number in range(COUNT) if scores.pool.key(number) is not None)
    answers: dict[str, bool | None] = {photos.content[known]: False}
    pickle_file.publish(tmp_path, ANNOTATIONS, answers)
    learnt: list[int] = []

    def has_news() -> bool:
        learnt.append(pickle_file.read(tmp_path, PREDICTIONS).content.labels)
        return scores.pool.embedded == COUNT

    assert scores.turn(tmp_path / "photos", photos, has_news)
    assert set(learnt) == {1}
    assert scores.pool.embedded == COUNT


def test_a_batch_under_way_holds_nothing_up(
    tmp_path: Path, scores: Scorer, photos: Version[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something new ends a turn even while a file takes long to decode."""
    is_begun, goes_on = threading.Event(), threading.Event()
    embed = Embedder.embed

    def slowed(files: Iterable[Path]) -> Iterator[Path]:
        for file in files:
            is_begun.set()
            goes_on.wait()
            yield file

    def slow(self: Embedder, files: Iterable[Path], inside: Path | None = None) -> Iterator[Batch]:
        return embed(self, slowed(files), inside)

    monkeypatch.setattr(Embedder, "embed", slow)
    assert scores.turn(tmp_path / "photos", photos, is_begun.is_set)
    assert scores.pool.embedded == 0
    goes_on.set()
    while scores.turn(tmp_path / "photos", photos, lambda: False):
        pass
    assert scores.pool.embedded == COUNT

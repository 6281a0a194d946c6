"""How inference explains the head of the ranking, and that it never keeps an answer waiting."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from config import Config
from IA.explanations import explainer
from IA.explanations.feature_maps import FeatureMaps
from IA.protocol import files as protocol
from IA.protocol import pickle_file, replacement
from IA.protocol.files import AUDIT, EXPLANATIONS, PREDICTOR, RANKING
from IA.protocol.shown import FULL, LARGEST_MAP, NEIGHBOURS, Explanations
from tests.IA.test_loops import Loops

ANSWERS: dict[str, bool | None] = {"red/0.png": True, "red/1.png": True, "blue/0.png": False, "blue/1.png": None}


@pytest.fixture
def loops(tmp_path: Path, images_folder: Path, tiny_network: str) -> Loops:
    """Loops over twelve pictures, red and blue, before any answer."""
    return Loops(tmp_path / "run", images_folder, tiny_network)


def explained(loops: Loops) -> Explanations:
    """The explanations that inference publishes once it has had the time."""
    while loops.inference.step():
        pass
    return pickle_file.read(loops.run, EXPLANATIONS).content


def near(loops: Loops, content: Explanations, place: int) -> tuple[list[str], list[str]]:
    """Paths of the nearest positive and negative answers of one image."""
    numbers = np.asarray(content.neighbours).reshape(-1, 2, NEIGHBOURS)[place]
    positive, negative = ([loops.paths[number] for number in row if number >= 0] for row in numbers)
    return positive, negative


@pytest.mark.slow
def test_the_head_of_the_ranking_is_explained(loops: Loops) -> None:
    """Each of the next images has a map and the most similar answers of either kind, without skipped images."""
    loops.answer(ANSWERS)
    content = explained(loops)
    ranking = pickle_file.read(loops.run, RANKING).content
    assert list(content.images) == list(ranking.images)
    assert content.checkpoint == ranking.checkpoint
    shapes = np.asarray(content.shapes).reshape(-1, 2)
    assert 1 < shapes.min() <= shapes.max() <= LARGEST_MAP
    first = np.asarray(content.maps)[: shapes[0].prod()]
    assert np.abs(first).max() == FULL
    assert first.min() < 0 < first.max()
    positive, negative = near(loops, content, 0)
    assert set(positive) == {"red/0.png", "red/1.png"}
    assert negative == ["blue/0.png"]
    similarity = np.asarray(content.similarity).reshape(-1, 2, NEIGHBOURS)
    assert similarity[0, 0, 0] >= similarity[0, 0, 1] > similarity[0, 1, 0]


def test_sampled_answers_are_no_neighbours(loops: Loops) -> None:
    """Answers of the audit sample are not shown, and change nothing that is shown."""
    loops.answer(ANSWERS)
    before = explained(loops)
    sampled: dict[str, bool | None] = {"red/2.png": True, "blue/2.png": False}
    pickle_file.publish(loops.run, AUDIT, sampled)
    loops.answer(ANSWERS | sampled)
    assert explained(loops) == before
    loops.answer(ANSWERS | sampled | {"red/3.png": True, "red/4.png": False})
    shown = near(loops, explained(loops), 0)
    assert "red/3.png" in shown[0]
    assert "red/4.png" in shown[1]
    assert not set(sampled) & {*shown[0], *shown[1]}


def test_a_new_head_looks_at_no_picture_again(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """The feature map of an image is kept: after an answer, only its explanation is computed anew."""
    loops.answer(ANSWERS)
    before = explained(loops)
    computed: list[object] = []
    monkeypatch.setattr(FeatureMaps, "feature_map", lambda *given: computed.append(given))
    loops.answer(ANSWERS | {"red/2.png": False})
    after = explained(loops)
    assert after.checkpoint > before.checkpoint
    assert bytes(after.maps) != bytes(before.maps)
    assert computed == []


def test_nothing_is_explained_while_an_answer_is_learnt(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an answer, inference leaves the processor to the trainer, but does not wait for a trainer that is down."""
    loops.answer(ANSWERS)
    before = explained(loops)
    monkeypatch.setattr(explainer, "LEARNING_S", 1e6)
    pickle_file.publish(loops.run, protocol.ANNOTATIONS, ANSWERS | {"red/2.png": True})
    (loops.run / RANKING.name).touch()
    loops.selector.step()  # ranks the remaining images by the old checkpoint
    assert len(pickle_file.read(loops.run, RANKING).content.images) == 7
    assert list(explained(loops).images) == list(before.images)
    monkeypatch.setattr(explainer, "LEARNING_S", 0.0)
    assert len(explained(loops).images) == 7


def test_an_answer_goes_before(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that comes while a feature map is computed is used before the next layer."""
    loops.answer(ANSWERS)
    (loops.run / EXPLANATIONS.name).unlink(missing_ok=True)
    layers: list[str] = []
    feature_map, generation = FeatureMaps.feature_map, pickle_file.read(loops.run, protocol.PREDICTIONS).generation

    def interrupted(maps: FeatureMaps, image: Tensor, is_urgent: Callable[[], bool]) -> Tensor | None:
        def urgent() -> bool:
            if not layers:
                data = (loops.run / PREDICTOR).read_bytes()
                replacement.replace(loops.run / PREDICTOR, data)
            layers.append("layer")
            return is_urgent()

        return feature_map(maps, image, urgent)

    monkeypatch.setattr(FeatureMaps, "feature_map", interrupted)
    loops.inference = type(loops.inference)(Config(run=loops.run))  # it has no feature maps yet
    while not layers:
        assert loops.inference.step()
    assert layers == ["layer"]
    assert not (loops.run / EXPLANATIONS.name).exists()
    loops.inference.step()
    assert pickle_file.read(loops.run, protocol.PREDICTIONS).generation > generation
    loops.selector.step()
    assert len(explained(loops).images) == 8


def test_a_picture_that_cannot_be_read_has_no_map(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that cannot be read has no map, but its most similar answers are shown."""

    def away(*_: object) -> None:
        raise OSError(2, "No such file")

    monkeypatch.setattr(explainer, "load_with_box", away)
    loops.answer(ANSWERS)
    content = explained(loops)
    assert set(content.shapes) == {0}
    assert near(loops, content, 0)[1] == ["blue/0.png"]


def test_little_is_kept(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """The feature maps of the images that were needed last are kept, and no others."""
    monkeypatch.setattr(explainer, "KEPT", 3)
    monkeypatch.setattr(explainer, "EXPLAINED", 3)
    computed: list[FeatureMaps] = []
    feature_map = FeatureMaps.feature_map

    def noted(maps: FeatureMaps, image: Tensor, is_urgent: Callable[[], bool]) -> Tensor | None:
        computed.append(maps)
        return feature_map(maps, image, is_urgent)

    monkeypatch.setattr(FeatureMaps, "feature_map", noted)
    loops.answer(ANSWERS)
    first = list(explained(loops).images)
    assert len(first) == len(computed) == 3
    loops.answer(ANSWERS | {path: True for path in loops.paths if path.startswith("red")})
    assert [loops.paths[image][:4] for image in explained(loops).images] == ["blue"] * 3
    assert len(computed) == 6
    loops.answer(ANSWERS)
    assert list(explained(loops).images) == first
    assert len(computed) == 9

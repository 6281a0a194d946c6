"""Examples: the option, the order before any answer, and what is learnt before the first positive answer."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from backend.runs.settings import settle
from config import Config, UsageError
from IA import training
from IA.dataset import batches
from IA.embedding import examples
from IA.inference import Inference
from IA.learning import learner
from IA.learning.learner import Learner
from IA.learning.projection import Projection
from IA.pool.view import ProjectedPool
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS, PREDICTOR, SETTINGS
from IA.ranking import Known, order
from IA.simulate.person import simulate
from IA.text.image_files import EXAMPLES_AT_MOST, images_below
from IA.training import Trainer
from tests.IA.test_loops import Loops

NUMBERS = np.random.default_rng(0)
VECTORS = torch.from_numpy(NUMBERS.standard_normal((40, 8)).astype(np.float32))
SPACE = Projection.from_vectors(VECTORS)


# --- the option -------------------------------------------------------------------------------------------------------


def started(tmp_path: Path, *options: str) -> Config:
    """The settings of a session with these options."""
    return Config.for_session(["localhost", "8077", str(tmp_path), "--run", str(tmp_path / "run"), *options])


def test_kept_with_the_run_until_dropped(tmp_path: Path, images_folder: Path) -> None:
    """The folder is kept in settings.pickle, a start without the option keeps it, and `none` removes it."""
    (tmp_path / "run").mkdir()
    given = str(images_folder.resolve())
    for options, kept in ((("--examples", given), given), ((), given), (("--examples", "none"), ""), ((), "")):
        config = started(tmp_path, *options)
        assert Config.from_environment(config.environment()) == config
        settings = settle(config)
        assert settings.examples == kept
        pickle_file.publish(tmp_path / "run", SETTINGS, settings)


@pytest.mark.parametrize(
    ("made", "sentence"), [(None, "does not exist"), ("file", "is not a folder"), ("text", "no image")]
)
def test_a_folder_that_is_none(tmp_path: Path, made: str | None, sentence: str) -> None:
    """A missing folder, a file, or a folder without images gives one sentence."""
    given = tmp_path / "given"
    if made == "file":
        given.touch()
    elif made == "text":
        given.mkdir()
        (given / "notes.txt").touch()
    with pytest.raises(UsageError, match=sentence):
        started(tmp_path, "--examples", str(given))


def test_so_many_are_read_at_most(tmp_path: Path) -> None:
    """A large folder gives its first pictures by name."""
    for number in range(EXAMPLES_AT_MOST + 5):
        (tmp_path / f"{number:04d}.JPG").touch()
    assert list(images_below(tmp_path)) == [f"{number:04d}.JPG" for number in range(EXAMPLES_AT_MOST)]


# --- order and head ---------------------------------------------------------------------------------------------------


def test_ranked_by_similarity_before_a_model() -> None:
    """The first questions go by similarity, then they take turns with novelty; `random` stays random."""
    unknown, none_out = np.full(4, np.nan, np.float32), np.zeros(4, bool)
    novelty = np.array([4, 3, 2, 1], np.float32)
    similarity = np.array([0.1, -0.5, np.nan, 2.0], np.float32)
    assert order(Known(unknown, novelty, similarity), "max_prob", 0, none_out).tolist() == [3, 0, 1, 2]
    asked = Known(unknown, novelty, similarity, labels={4: True, 5: True, 6: True})
    assert order(asked, "max_prob", 0, none_out).tolist() == [0, 3, 1, 2]
    at_random = order(Known(unknown, novelty), "random", 0, none_out)
    assert order(Known(unknown, novelty, similarity), "random", 0, none_out).tolist() == at_random.tolist()
    with pytest.raises(ValueError, match="Figures for 2 and 4 images"):
        order(Known(unknown, novelty, similarity[:2]), "max_prob", 0, none_out)


def test_similarity_follows_what_is_embedded() -> None:
    """After any changes, similarity is the largest cosine to an example, and NaN without an embedding."""
    view, examples = ProjectedPool(SPACE, 30), VECTORS[30:33].numpy()
    view.put(np.arange(10), VECTORS[:10].numpy())
    view.compare_to_examples(examples)
    view.put(np.arange(10, 20), VECTORS[10:20].numpy())
    view.drop(np.array([3]))
    view.grow(32)
    wanted: NDArray[np.float32] = np.full(32, np.nan, np.float32)
    wanted[:20] = (SPACE.project(VECTORS[:20]) @ SPACE.project(VECTORS[30:33]).T).max(dim=1).values.numpy()
    wanted[3] = np.nan
    assert view.similarity is not None
    np.testing.assert_allclose(view.similarity, wanted, atol=1e-6)
    view.compare_to_examples(None)
    assert view.similarity is None


def test_most_similar_leaves_out(images: int = 20) -> None:
    """The most similar images by cosine come without the image itself, images left out, and images not embedded."""
    view = ProjectedPool(SPACE, images + 5)
    view.put(np.arange(images), VECTORS[:images].numpy())
    projected = SPACE.project(VECTORS[:images])
    wanted = [n for n in (-(projected @ projected[4])).argsort().tolist() if n not in {4, 7, 9}]
    assert [image for image, _ in view.most_similar(4, np.array([7, 9]), 5)] == wanted[:5]
    assert len(view.most_similar(4, np.array([7, 9]), 100)) == images - 3


def learnt(labels: dict[int, bool], examples: torch.Tensor | None) -> Learner[int]:
    """A learner that has learnt these answers one by one."""
    learner: Learner[int] = Learner(lambda names: VECTORS[list(names)])
    learner.examples = examples
    for count in range(1, len(labels) + 1):
        learner.learn(dict(list(labels.items())[:count]), SPACE)
    return learner


def test_examples_are_positives_until_there_are_some() -> None:
    """The head learns examples beside negative answers, and drops them after ten positive answers."""
    examples = VECTORS[30:33]
    assert learnt({0: False}, None).head is None
    assert learnt({0: True}, examples).head is None
    head = learnt({0: False}, examples).head
    assert head is not None
    assert head(examples).min() > head(VECTORS[:1]).max()
    support = []
    for positives in range(11):
        head = learnt({0: False} | dict.fromkeys(range(1, 1 + positives), True), examples).head
        assert head is not None
        support.append(len(head.support) - 1 - positives)
    assert support == [3, 3, 3, 3, 2, 2, 2, 1, 1, 1, 0]


def test_examples_are_in_no_figure() -> None:
    """Without a positive answer nothing is held out, and figures rest on the real answers alone."""
    learner = learnt(dict.fromkeys(range(12), False), VECTORS[20:40])
    assert learner.held_out == {}
    assert set(learner.figures) == {"prequential_accuracy", "prequential_ece"}
    assert learner.threshold == 0.5


def test_simulated_people_find_more_at_once() -> None:
    """Twenty answers find more of a class that is a tenth of the pool if there are three examples of it."""
    truth = np.arange(200) % 10 == 0
    vectors = (
        NUMBERS.standard_normal((200, 16)).astype(np.float32) + 3 * truth[:, None] * np.eye(16, dtype=np.float32)[0]
    )
    others = torch.from_numpy(vectors[truth][:3])
    without = simulate(torch.from_numpy(vectors), truth, 20)
    course = simulate(torch.from_numpy(vectors), truth, 20, examples=others)
    assert course.labels[0]
    assert sum(course.labels) > sum(without.labels)


# --- the loops --------------------------------------------------------------------------------------------------------


@pytest.fixture
def loops(tmp_path: Path, images_folder: Path, tiny_network: str) -> Loops:
    """Loops over twelve red and blue pictures, with two blue examples outside the folder, one of them unreadable."""
    folder = tmp_path / "examples" / "below"
    folder.mkdir(parents=True)
    Image.new("RGB", (50, 50), (35, 45, 205)).save(folder / "blue.png")
    (folder / "torn.jpg").write_bytes(b"no picture")
    loops = Loops(tmp_path / "run", images_folder, tiny_network)
    settings = pickle_file.read(loops.run, SETTINGS).content
    pickle_file.publish(loops.run, SETTINGS, dataclasses.replace(settings, examples=str(folder.parent)))
    return loops


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one positive answer replace all examples."""
    for module in (learner, training):
        monkeypatch.setattr(module, "EXAMPLES_UNTIL", 1)


def kinds(paths: list[str]) -> str:
    """The classes of images, a letter each."""
    return "".join(path[0] for path in paths)


def test_the_first_ranking_is_by_similarity(
    loops: Loops, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any answer, images similar to the examples come first; unreadable examples give one warning."""
    monkeypatch.setattr(examples, "AT_ONCE", 1)
    with caplog.at_level(logging.WARNING):
        loops.turn()
    predictions = pickle_file.read(loops.run, PREDICTIONS).content
    assert (predictions.checkpoint, len(predictions.prior)) == (None, 12)
    assert kinds(loops.ranked())[:3] == "bbb"
    assert pickle_file.read(loops.run, PREDICTIONS).generation == 1  # no earlier one had another order
    assert [record.getMessage().count("torn.jpg") for record in caplog.records] == [1]


def test_negative_answers_alone_make_a_model(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative answers and examples give a checkpoint; after enough positive answers the examples no longer count."""
    few(monkeypatch)
    loops.turn()
    loops.answer({"red/0.png": False})
    predictions = pickle_file.read(loops.run, PREDICTIONS).content
    assert predictions.checkpoint is not None
    assert (predictions.checkpoint["labels"], predictions.labels, len(predictions.prior)) == (1, 1, 0)
    assert kinds(loops.ranked()) == "bbbbbbrrrrr"
    loops.answer({"red/0.png": True, "blue/0.png": False})  # the person looks for something else
    assert kinds(loops.ranked()) == "rrrrrbbbbb"
    assert torch.load(loops.run / PREDICTOR, weights_only=True)["labels"] == 2


def test_a_positive_of_the_audit_sample_stays_unknown(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model must not learn a positive answer of the audit sample, so the examples still count."""
    few(monkeypatch)
    loops.turn()
    pickle_file.publish(loops.run, protocol.AUDIT, dict[str, bool | None]({"blue/0.png": True}))
    loops.answer({"blue/0.png": True, "red/0.png": False})
    checkpoint = torch.load(loops.run / PREDICTOR, weights_only=True)
    assert checkpoint["labels"] == 1
    assert kinds(loops.ranked()) == "bbbbbbrrrrr"


def test_examples_that_went_away(loops: Loops, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """If no example can be read, the run goes on by novelty, with one warning from each loop that needs them."""
    (tmp_path / "examples").rename(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING):
        loops.turn()
        loops.answer({"red/0.png": False})
    assert len(pickle_file.read(loops.run, PREDICTIONS).content.prior) == 0
    assert not (loops.run / PREDICTOR).exists()
    assert [record.getMessage()[:20] for record in caplog.records] == ["none of the examples"] * 2


def test_examples_are_embedded_once(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart both loops take the examples' embeddings from their caches."""
    loops.turn()
    loops.answer({"red/0.png": False})
    ranked = loops.ranked()
    (loops.run / PREDICTOR).unlink()
    config = Config(run=loops.run)
    loops.inference, loops.trainer = Inference(config), Trainer(config)
    asked: list[Path] = []

    def counted(files, *rest):  # type: ignore[no-untyped-def]
        files = list(files)
        asked.extend(files)
        return batches(files, *rest)

    monkeypatch.setattr("IA.embedding.embedder.batches", counted)
    loops.turn()
    assert loops.ranked() == ranked
    assert {path.name for path in asked} == {"torn.jpg"}

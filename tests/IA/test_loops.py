"""The loops, a step at a time: images to embeddings, answers to a head, a head to a ranking."""

import copy
import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from config import Config
from IA.finetuning import schedule as tuner
from IA.finetuning.checkpoint import Tuned
from IA.finetuning.schedule import Tuner
from IA.inference import Inference
from IA.learning.head import Head
from IA.learning.learner import Learner
from IA.learning.report import Report
from IA.model import Predictor, load_head
from IA.networks import Backbone, build, register
from IA.pool.pool import Pool
from IA.protocol import pickle_file, replacement
from IA.protocol.files import (
    ANNOTATIONS,
    AUDIT,
    BACKBONE,
    FEATURES,
    HELD_OUT,
    IMAGES,
    LAYOUT,
    PREDICTIONS,
    PREDICTOR,
    RANKING,
    SETTINGS,
)
from IA.protocol.records import Settings
from IA.selector import Selector
from IA.training import Trainer
from tests.conftest import tiny

POSITIVES = {f"red/{number}.png" for number in range(6)}


@dataclass
class Loops:
    """The three loops of one run in one process."""

    run: Path
    datadir: Path
    network: str

    def __post_init__(self) -> None:
        """Publish what the server would publish, and set up the loops as after a start."""
        self.run.mkdir(exist_ok=True)
        pickle_file.publish(
            self.run, SETTINGS, Settings(str(self.datadir), self.network, "max_prob", "red", "blue", "1d")
        )
        self.paths = sorted(str(path.relative_to(self.datadir)) for path in self.datadir.rglob("*.png"))
        pickle_file.publish(self.run, IMAGES, self.paths)
        config = Config(run=self.run)
        self.inference, self.selector, self.trainer = Inference(config), Selector(config), Trainer(config)

    def answer(self, answers: dict[str, bool | None]) -> None:
        """Publish these as all answers there are, and let each loop take its turn."""
        pickle_file.publish(self.run, ANNOTATIONS, answers)
        self.turn()

    def turn(self) -> None:
        """Let each loop take its turn, in the order in which the files flow."""
        while self.inference.step():
            pass
        while self.trainer.step():
            pass
        while self.inference.step():
            pass
        self.selector.step()

    def ranked(self) -> list[str]:
        """The paths in the order of the ranking."""
        return [self.paths[image] for image in pickle_file.read(self.run, RANKING).content.images]


@pytest.fixture
def loops(tmp_path: Path, images_folder: Path, tiny_network: str) -> Loops:
    """Loops over twelve pictures, red and blue, before any answer."""
    return Loops(tmp_path / "run", images_folder, tiny_network)


def test_nothing_to_do_yet(tmp_path: Path) -> None:
    """Each loop alone on an empty run does nothing, and does not fail."""
    config = Config(run=tmp_path)
    assert Inference(config).step() is False
    assert Trainer(config).step() is False
    Selector(config).step()
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


@pytest.mark.slow
def test_before_any_answer(loops: Loops) -> None:
    """Without answers every image is embedded and ranked, none has a probability, and there is no checkpoint."""
    loops.turn()
    predictions = pickle_file.read(loops.run, PREDICTIONS).content
    assert (predictions.embedded, predictions.labels, predictions.checkpoint) == (12, 0, None)
    assert np.isnan(predictions.probability).all()
    assert sorted(loops.ranked()) == loops.paths
    assert not (loops.run / PREDICTOR).exists()


@pytest.mark.slow
@pytest.mark.parametrize("restart", [False, True])
def test_renamed_answers_are_renamed_in_the_checkpoint(loops: Loops, restart: bool) -> None:
    """After the server has taken other names, predictor.ckpt has them too without another answer."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    settings = pickle_file.read(loops.run, SETTINGS).content
    pickle_file.publish(loops.run, SETTINGS, dataclasses.replace(settings, positive="ruby", negative="azure"))
    if restart:
        loops.trainer = Trainer(Config(run=loops.run))
    loops.turn()
    checkpoint = load_head(loops.run / PREDICTOR)
    assert checkpoint.classes == {"positive": "ruby", "negative": "azure"}
    assert checkpoint.labels == 2


@pytest.mark.slow
def test_farthest_first_before_a_model(loops: Loops) -> None:
    """After an answer of one kind, the image least similar to it comes first, and the ranking counts the answer."""
    loops.turn()
    loops.answer({"red/0.png": True})
    assert all(path.startswith("blue/") for path in loops.ranked()[:4])
    assert pickle_file.read(loops.run, RANKING).content.labels == 1


def test_learns(loops: Loops) -> None:
    """With an answer of each kind the other positives come first, and the ranking has learnt both answers."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    ranking = pickle_file.read(loops.run, RANKING).content
    assert set(loops.ranked()[:5]) == POSITIVES - {"red/0.png"}
    assert (ranking.labels, ranking.checkpoint) == (2, 1)
    assert len(loops.ranked()) == 10


@pytest.mark.slow
def test_answered_and_skipped_are_left_out(loops: Loops) -> None:
    """Skipped images are asked no more, and train nothing."""
    loops.answer({"red/0.png": True, "blue/0.png": False, "red/1.png": None})
    assert not {"red/0.png", "blue/0.png", "red/1.png"} & set(loops.ranked())
    assert load_head(loops.run / PREDICTOR).labels == 2


@pytest.mark.slow
def test_what_was_drawn_at_random_is_not_known(loops: Loops) -> None:
    """Answers in audit.pickle change no file of any loop; an answer that leaves it does."""
    answers: dict[str, bool | None] = {"red/0.png": True, "blue/0.png": False}
    loops.answer(answers)
    before = pickle_file.read(loops.run, PREDICTIONS).content, pickle_file.read(loops.run, RANKING).content
    checkpoint = (loops.run / PREDICTOR).read_bytes()
    drawn: dict[str, bool | None] = {"red/1.png": False, "red/2.png": False, "blue/1.png": True, "blue/2.png": None}
    pickle_file.publish(loops.run, AUDIT, drawn)
    loops.answer(answers | drawn)
    assert (loops.run / PREDICTOR).read_bytes() == checkpoint
    assert (pickle_file.read(loops.run, PREDICTIONS).content, pickle_file.read(loops.run, RANKING).content) == before
    assert set(drawn) < set(loops.ranked())
    restarted = Trainer(Config(run=loops.run))
    while restarted.step():
        pass
    assert load_head(loops.run / PREDICTOR).labels == 2
    restarted.close()
    del drawn["red/1.png"]
    pickle_file.publish(loops.run, AUDIT, drawn)
    loops.turn()
    assert load_head(loops.run / PREDICTOR).labels == 3
    assert pickle_file.read(loops.run, RANKING).content.labels == 3
    assert "red/1.png" not in loops.ranked()


@pytest.mark.slow
def test_novelty_does_not_know_what_was_drawn(loops: Loops) -> None:
    """Before a model, too, the order rests on the answers outside of the audit sample alone."""
    loops.answer({"red/0.png": True})
    before = loops.ranked()
    drawn: dict[str, bool | None] = {"blue/0.png": None}
    pickle_file.publish(loops.run, AUDIT, drawn)
    loops.answer({"red/0.png": True, **drawn})
    assert loops.ranked() == before


def test_scores_every_image(loops: Loops) -> None:
    """Every image has a probability however few are answered, and the checkpoint alone gives the same ones."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    published = np.asarray(pickle_file.read(loops.run, PREDICTIONS).content.probability)
    assert len(published) == 12
    predictor = Predictor.load(loops.run / PREDICTOR)
    alone = predictor.predict([loops.datadir / path for path in loops.paths])
    assert published == pytest.approx(alone, abs=1e-3)


def test_undo_unlearns(loops: Loops) -> None:
    """An answer that was taken back is asked again, and the model forgets it."""
    loops.answer({"red/0.png": True, "blue/0.png": False, "blue/1.png": True})
    loops.answer({"red/0.png": True, "blue/0.png": False})
    assert "blue/1.png" in loops.ranked()
    assert load_head(loops.run / PREDICTOR).labels == 2


@pytest.mark.slow
def test_nothing_changed_nothing_written(loops: Loops) -> None:
    """Further turns without a change write nothing."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    loops.turn()
    before = {path.name: path.stat().st_mtime_ns for path in loops.run.iterdir() if path.is_file()}
    loops.turn()
    assert {path.name: path.stat().st_mtime_ns for path in loops.run.iterdir() if path.is_file()} == before


@pytest.mark.slow
def test_held_out_probabilities_are_published(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out probabilities are published, and written again only if they have changed."""
    learners: list[Learner[str]] = []
    monkeypatch.setattr(Report, "show", lambda report, learner, *_: learners.append(learner))
    loops.answer({"red/0.png": True, "blue/0.png": False})
    assert not (loops.run / HELD_OUT.name).exists()
    answers: dict[str, bool | None] = {path: path in POSITIVES for path in loops.paths}
    loops.answer(answers)
    held_out = pickle_file.read(loops.run, HELD_OUT)
    assert set(held_out.content) == set(loops.paths)
    assert held_out.content == pytest.approx(learners[-1].held_out)
    assert {path for path, said in held_out.content.items() if said > 0.5} == POSITIVES
    loops.answer(answers)
    assert pickle_file.read(loops.run, HELD_OUT).generation == held_out.generation
    loops.answer({path: label for path, label in answers.items() if path != "red/5.png"})
    again = pickle_file.read(loops.run, HELD_OUT)
    assert again.generation > held_out.generation
    assert set(again.content) == set(loops.paths) - {"red/5.png"}


@pytest.mark.slow
def test_held_out_probabilities_on_a_full_disk(
    loops: Loops, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If held-out probabilities cannot be written, training goes on and tries again with the next answer."""

    def failing(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("IA.training.publish", failing)
    answers: dict[str, bool | None] = {path: path in POSITIVES for path in loops.paths[:-1]}
    loops.answer(answers)
    assert ["held_out.pickle" in record.getMessage() for record in caplog.records] == [True]
    assert load_head(loops.run / PREDICTOR).labels == 11
    monkeypatch.undo()
    loops.answer(answers | {loops.paths[-1]: True})
    assert set(pickle_file.read(loops.run, HELD_OUT).content) == set(loops.paths)


@pytest.mark.slow
def test_a_restart_embeds_nothing_again(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart the cache knows every image, and generations go on."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    again = Loops(loops.run, loops.datadir, loops.network)
    added: list[int] = []
    monkeypatch.setattr(Pool, "add", lambda pool, numbers, vectors: added.append(len(numbers)))
    again.answer({"red/0.png": True, "blue/0.png": False, "blue/1.png": False})
    assert added == []
    assert load_head(again.run / PREDICTOR).generation > 1
    assert pickle_file.read(again.run, PREDICTIONS).content.embedded == 12


@pytest.mark.slow
def test_new_and_changed_images(loops: Loops) -> None:
    """A new image is embedded and ranked, and a changed one is embedded again."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    (loops.datadir / "new.png").write_bytes((loops.datadir / "red/3.png").read_bytes())
    (loops.datadir / "red/2.png").write_bytes((loops.datadir / "blue/2.png").read_bytes())
    loops.paths.append("new.png")
    pickle_file.publish(loops.run, IMAGES, loops.paths)
    loops.turn()
    ranked = loops.ranked()
    assert "new.png" in ranked[:5]
    assert "red/2.png" in ranked[4:]


@pytest.mark.slow
def test_unreadable_images(loops: Loops, caplog: pytest.LogCaptureFixture) -> None:
    """An undecodable image causes one warning, is counted, and leaves the ranking; a missing one does not."""
    for path, content in {"torn.png": b"\x89PNG\r\n\x1a\n", "empty.png": b""}.items():
        (loops.datadir / path).write_bytes(content)
    loops.paths += ["torn.png", "empty.png", "away.png"]
    pickle_file.publish(loops.run, IMAGES, loops.paths)
    with caplog.at_level(logging.WARNING):
        loops.answer({"red/0.png": True, "blue/0.png": False})
        loops.answer({"red/0.png": True, "blue/0.png": False, "blue/1.png": False})
    assert list(pickle_file.read(loops.run, PREDICTIONS).content.unreadable) == [12, 13]
    assert {"torn.png", "empty.png"}.isdisjoint(loops.ranked())
    assert sorted(record.message.split(" ")[0] for record in caplog.records) == ["'empty.png'", "'torn.png'"]
    Image.new("RGB", (40, 60), (200, 40, 40)).save(loops.datadir / "torn.png")
    pickle_file.publish(loops.run, IMAGES, loops.paths)
    loops.turn()
    assert list(pickle_file.read(loops.run, PREDICTIONS).content.unreadable) == [13]


def test_an_answered_image_that_cannot_be_read(loops: Loops) -> None:
    """An answer to an image that is missing or torn trains nothing and stops nothing."""
    (loops.datadir / "torn.png").write_bytes(b"no picture")
    loops.answer({"red/0.png": True, "blue/0.png": False, "torn.png": True, "away.png": False})
    assert load_head(loops.run / PREDICTOR).labels == 2


@pytest.mark.slow
def test_a_torn_checkpoint_changes_nothing(loops: Loops, caplog: pytest.LogCaptureFixture) -> None:
    """A torn checkpoint is one warning; the last good one stays in force."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    replacement.replace(loops.run / PREDICTOR, b"torn")
    with caplog.at_level(logging.WARNING):
        loops.inference.step()
        loops.inference.step()
    assert len(caplog.records) == 1
    checkpoint = pickle_file.read(loops.run, PREDICTIONS).content.checkpoint
    assert checkpoint is not None
    assert checkpoint["generation"] == 1


@pytest.mark.slow
def test_a_head_that_is_not_finite_is_not_published(
    loops: Loops, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A head with a NaN is one warning; the checkpoint in place stays, and the next answers are learnt again."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    before = (loops.run / PREDICTOR).read_bytes()

    def failing(backbone: Backbone, head: Head, **said: Any) -> Predictor:
        head = copy.deepcopy(head)
        head.weights[0] = float("nan")
        return Predictor(backbone, head, **said)

    monkeypatch.setattr("IA.training.Predictor", failing)
    loops.answer({"red/0.png": True, "blue/0.png": False, "blue/1.png": False})
    assert (loops.run / PREDICTOR).read_bytes() == before
    assert ["is not finite" in record.getMessage() for record in caplog.records] == [True]
    monkeypatch.undo()
    loops.answer({"red/0.png": True, "blue/0.png": False, "blue/1.png": False, "blue/2.png": False})
    assert load_head(loops.run / PREDICTOR).labels == 4


@pytest.mark.slow
def test_a_backbone_that_is_not_finite_is_not_taken(loops: Loops, caplog: pytest.LogCaptureFixture) -> None:
    """A fine-tuned network with an infinity is not saved; if another program saves one, there is one warning."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    before = load_head(loops.run / PREDICTOR).backbone
    backbone = _other_backbone(loops)
    next(backbone.module.parameters()).data[0] = float("inf")
    tuned = Tuned(backbone, before, 2, frozenset())
    with pytest.raises(ValueError, match="not finite"):
        tuned.save(loops.run / BACKBONE)
    assert not (loops.run / BACKBONE).exists()
    with pytest.MonkeyPatch.context() as unchecked:
        unchecked.setattr("IA.finetuning.checkpoint.check_finite", lambda weights: None)
        tuned.save(loops.run / BACKBONE)
    loops.answer({"red/0.png": True, "blue/0.png": False, "blue/1.png": False})
    loops.turn()
    assert load_head(loops.run / PREDICTOR).backbone == before
    assert load_head(loops.run / PREDICTOR).labels == 3
    warnings = [record.name for record in caplog.records if "not finite" in record.getMessage()]
    assert len(warnings) == 2  # inference's and the trainer's


@pytest.mark.slow
def test_another_network(loops: Loops) -> None:
    """With other weights the images are embedded again, and no head meets embeddings that it was not fitted to."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    features = pickle_file.read(loops.run, FEATURES).content
    register("tiny2")(lambda pretrained: tiny(not pretrained))
    pickle_file.publish(loops.run, SETTINGS, Settings(str(loops.datadir), "tiny2", "max_prob", "red", "blue", "1d"))
    while loops.inference.step():
        pass
    assert pickle_file.read(loops.run, PREDICTIONS).content.checkpoint is None
    loops.turn()
    assert pickle_file.read(loops.run, FEATURES).content.backbone != features.backbone
    assert load_head(loops.run / PREDICTOR).network == "tiny2"
    assert set(loops.ranked()[:5]) == POSITIVES - {"red/0.png"}


def test_strategies_change_over(loops: Loops) -> None:
    """Another strategy changes the order at once, without a new model."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    before = loops.ranked()
    pickle_file.publish(
        loops.run, SETTINGS, Settings(str(loops.datadir), loops.network, "min_prob", "red", "blue", "1d")
    )
    loops.selector.step()
    assert loops.ranked() == before[::-1]


@pytest.mark.slow
def test_a_fine_tuned_backbone_takes_over(loops: Loops) -> None:
    """The old ranking stays until every image is embedded again and a head is fitted; a restart keeps the new one."""
    answers: dict[str, bool | None] = {"red/0.png": True, "blue/0.png": False, "red/1.png": True, "blue/1.png": False}
    loops.answer(answers)
    base = load_head(loops.run / PREDICTOR).backbone
    backbone = _other_backbone(loops)
    Tuned(backbone, base, 4, frozenset(answers)).save(loops.run / BACKBONE)
    while loops.inference.step():
        pass
    assert pickle_file.read(loops.run, FEATURES).content.backbone != base
    assert pickle_file.read(loops.run, PREDICTIONS).content.checkpoint == {
        "generation": 1,
        **{name: getattr(load_head(loops.run / PREDICTOR), name) for name in ("labels", "threshold", "metrics")},
    }
    loops.turn()
    checkpoint = load_head(loops.run / PREDICTOR)
    assert checkpoint.backbone == pickle_file.read(loops.run, FEATURES).content.backbone
    assert checkpoint.metrics["fine_tuned_on"] == 4
    assert "prequential_accuracy" not in checkpoint.metrics  # all answers were learnt by the backbone itself
    assert pickle_file.read(loops.run, RANKING).content.checkpoint == checkpoint.generation
    assert set(loops.ranked()[:4]) == POSITIVES - set(answers)
    again = Loops(loops.run, loops.datadir, loops.network)
    again.answer(answers | {"red/2.png": True})
    assert load_head(loops.run / PREDICTOR).backbone == checkpoint.backbone
    assert pickle_file.read(loops.run, RANKING).content.labels == 5


@pytest.mark.slow
def test_fine_tuning_that_fails_is_one_warning(
    loops: Loops, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fine-tuning that fails causes one warning, and is not begun again for the same answers."""
    monkeypatch.setattr(tuner, "FIRST_ANSWERS", 4)
    monkeypatch.setattr(tuner, "LEAST_OF_A_KIND", 2)
    answers = {path: path in POSITIVES for path in loops.paths}
    starter = Tuner(loops.run, None)
    settings = Settings(str(loops.datadir), loops.network, "max_prob", "red", "blue", "1d", finetune="on")
    starter.consider(dataclasses.replace(settings, finetune="off"), "base", answers)
    assert starter.process is None
    starter.consider(dataclasses.replace(settings, finetune="auto"), "base", answers)
    assert starter.process is None  # nothing is embedded yet
    starter.consider(settings, "base", answers)
    assert starter.process is not None
    assert starter.process.wait(timeout=60) == 2  # there are no answers in the run
    for _ in range(2):
        starter.consider(settings, "base", answers)
    assert starter.process is None
    assert [record.getMessage() for record in caplog.records] == ["fine-tuning ended with code 2"]
    starter.close()


def _other_backbone(loops: Loops) -> Backbone:
    """The same architecture with other weights."""
    register("tiny2")(lambda pretrained: tiny(not pretrained))
    other = build("tiny2")
    return Backbone(loops.network, other.module, other.preprocessing, other.dimension)


def _tuned(loops: Loops, answers: dict[str, bool | None]) -> str:
    """Publish a backbone that claims to have learnt these answers, and let it take over; returns its fingerprint."""
    base = load_head(loops.run / PREDICTOR).backbone
    backbone = _other_backbone(loops)
    Tuned(backbone, base, len(answers), frozenset(answers)).save(loops.run / BACKBONE)
    loops.turn()
    loops.turn()
    assert load_head(loops.run / PREDICTOR).backbone == backbone.fingerprint != base
    return backbone.fingerprint


def test_a_backbone_that_is_gone(loops: Loops, caplog: pytest.LogCaptureFixture) -> None:
    """Without backbone.ckpt a new trainer uses predictor.ckpt, and inference warns and returns to the network."""
    answers: dict[str, bool | None] = {"red/0.png": True, "blue/0.png": False}
    loops.answer(answers)
    tuned = _tuned(loops, answers)
    (loops.run / BACKBONE).unlink()
    loops.trainer = Trainer(Config(run=loops.run))
    pickle_file.publish(loops.run, ANNOTATIONS, answers | {"red/1.png": True})
    while loops.trainer.step():
        pass
    checkpoint = load_head(loops.run / PREDICTOR)
    assert (checkpoint.backbone, checkpoint.labels, checkpoint.metrics["fine_tuned_on"]) == (tuned, 3, 2)
    loops.answer(answers | {"red/1.png": True, "blue/1.png": False})
    loops.turn()
    checkpoint = load_head(loops.run / PREDICTOR)
    assert checkpoint.backbone != tuned
    assert "fine_tuned_on" not in checkpoint.metrics
    assert pickle_file.read(loops.run, RANKING).content.labels == 4
    assert ["gone" in record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [True]


def test_what_is_gone_is_not_missing(loops: Loops) -> None:
    """Nothing waits for an image that was removed, so fine-tuning may begin."""
    (loops.datadir / "red/5.png").unlink()
    loops.turn()
    predictions = pickle_file.read(loops.run, PREDICTIONS).content
    assert (len(predictions.probability), predictions.embedded, predictions.missing) == (12, 11, 0)
    settings = Settings(str(loops.datadir), loops.network, "max_prob", "red", "blue", "1d")
    assert Tuner(loops.run, None).is_welcome(settings)


@pytest.mark.slow
def test_the_folder_is_laid_out(loops: Loops) -> None:
    """Once the images are embedded each has a place, and an answer moves none."""
    loops.turn()
    layout = pickle_file.read(loops.run, LAYOUT)
    assert np.isfinite(np.asarray(layout.content.x)).sum() == 12
    loops.answer({"red/0.png": True, "blue/0.png": False})
    assert pickle_file.read(loops.run, LAYOUT).generation == layout.generation

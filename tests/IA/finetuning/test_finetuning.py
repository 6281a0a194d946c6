"""Fine-tuning: it learns what the network could not see, and is taken only if held-out answers show it is better."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from IA.dataset import Preprocessing
from IA.embedding.embedder import Embedder
from IA.finetuning import training as finetuning
from IA.finetuning.__main__ import run_once
from IA.finetuning.checkpoint import LatestTuned, Tuned
from IA.finetuning.training import HELD_OUT, STOPPING, TRAINED, DividedAnswers, augmentation, fine_tune
from IA.networks import register
from IA.protocol import pickle_file, replacement
from IA.protocol.files import ANNOTATIONS, BACKBONE, FINE_TUNING, IMAGES, SETTINGS
from IA.protocol.records import Settings

Pictures = tuple[list[Path], "np.ndarray[tuple[int], np.dtype[np.bool_]]"]


def _blind(pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    """A network that sees colours, but whose last layer only adds them up, until it learns to do otherwise."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = nn.Sequential(
            nn.Conv2d(3, 12, 1), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(12, 24, 1), nn.Flatten()
        )
        last = module[3]
        assert isinstance(last, nn.Conv2d)
        nn.init.normal_(last.weight, std=0.01)
        last.weight.data[:] = last.weight.data[:1]
    return module, Preprocessing(size_px=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use few threads, as the command does: on a busy machine, threads wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """A hundred noisy pictures, every third a little redder than blue: few enough for seconds."""
    random = np.random.default_rng(1)
    labels = np.arange(100) % 3 == 0
    (tmp_path / "images").mkdir()
    files = [tmp_path / "images" / f"{number}.png" for number in range(100)]
    for file, label in zip(files, labels, strict=True):
        colour = random.integers(60, 200, 3) * [1, 1, 0.2] if label else random.integers(60, 200, 3) * [0.2, 1, 1]
        pixels = (colour + random.integers(-40, 40, (32, 32, 3))).clip(0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    return files, labels


@pytest.fixture
def blind() -> str:
    """The name of a network that hardly tells colours apart."""
    register("blind")(_blind)
    return "blind"


def test_every_answer_has_one_use(pictures: Pictures) -> None:
    """Both kinds of answers get the three uses in the same shares; too few of a kind raise an error."""
    files, labels = pictures
    answers = DividedAnswers.from_answers(files, labels, np.random.default_rng(0))
    for label in (True, False):
        share = np.bincount(answers.part[labels == label]) / np.sum(labels == label)
        assert share == pytest.approx([0.64, 0.16, 0.2], abs=0.03)
    assert sorted([*answers.used_for(TRAINED), *answers.used_for(STOPPING, HELD_OUT)]) == list(range(100))
    with pytest.raises(ValueError, match="too few"):
        DividedAnswers.from_answers(files, np.arange(100) < 20, np.random.default_rng(0))


@pytest.mark.slow
def test_a_better_backbone(pictures: Pictures, blind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss falls, the copy learns what the network did not see, and the network itself stays as it was."""
    monkeypatch.setattr(finetuning, "LEARNING_RATE", 0.01)  # there are only a few steps
    files, labels = pictures
    old = Embedder(blind, compiled=False)
    before = {name: tensor.clone() for name, tensor in old.backbone.module.state_dict().items()}
    losses: list[float] = []
    answers = DividedAnswers.from_answers(files, labels, np.random.default_rng(0))
    outcome = fine_tune(old, answers, files, lambda epoch, loss, precision: losses.append(loss))
    assert all(torch.equal(before[name], tensor) for name, tensor in old.backbone.module.state_dict().items())
    assert outcome.embedder.fingerprint != old.fingerprint
    assert losses[-1] < losses[0]
    assert outcome.promotion.after > 0.8 > outcome.promotion.before
    assert outcome.promotion.certainty > 0.9
    assert outcome.promotion.is_better
    assert sorted(outcome.learnt) == sorted(answers.used_for(TRAINED, STOPPING))


def test_augmentation_keeps_the_picture() -> None:
    """A varied image keeps its shape and type, and differs each time."""
    image = torch.randint(256, (3, 64, 96), dtype=torch.uint8)
    vary = augmentation(Preprocessing(size_px=64, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)))
    one, other = vary(image), vary(image)
    assert (one.shape, one.dtype) == (image.shape, image.dtype)
    assert not torch.equal(one, other)


@pytest.mark.slow
def test_a_run_is_fine_tuned(pictures: Pictures, blind: str, tmp_path: Path) -> None:
    """The outcome is published, and the backbone only if it is better; then it loads as it was."""
    files, labels = pictures
    run = tmp_path / "run"
    run.mkdir()
    names = [file.name for file in files]
    pickle_file.publish(run, SETTINGS, Settings(str(files[0].parent), blind, "max_prob", "a", "b", "1d"))
    pickle_file.publish(run, IMAGES, names)
    answers: dict[str, bool | None] = dict(zip(names, labels.tolist(), strict=True))
    pickle_file.publish(run, ANNOTATIONS, answers | {"away.png": True})
    result = run_once(run)
    assert pickle_file.read(run, FINE_TUNING).content == result
    assert result.labels == 100
    assert (run / BACKBONE).exists() == result.taken
    base = Embedder(blind, compiled=False).fingerprint
    tuned = LatestTuned(run).tuned_from(base)
    assert (tuned is not None) == result.taken
    if tuned is not None:
        assert (tuned.base, tuned.labels, len(tuned.learnt)) == (base, 100, 80)


def test_a_backbone_file(tmp_path: Path, blind: str, caplog: pytest.LogCaptureFixture) -> None:
    """A saved backbone is loaded for its own base alone; a torn file gives one warning, and the last one stays."""
    backbone = Embedder(blind, compiled=False).backbone
    Tuned(backbone, "base", 500, frozenset({"a.png"})).save(tmp_path / BACKBONE)
    latest = LatestTuned(tmp_path)
    tuned = latest.tuned_from("base")
    assert tuned is not None
    assert tuned.backbone.fingerprint == backbone.fingerprint
    assert (tuned.labels, tuned.learnt) == (500, frozenset({"a.png"}))
    assert latest.tuned_from("another") is None
    whole = (tmp_path / BACKBONE).read_bytes()
    replacement.replace(tmp_path / BACKBONE, whole[: len(whole) // 2])
    assert latest.tuned_from("base") is tuned
    assert latest.tuned_from("base") is tuned
    assert len(caplog.records) == 1


def test_every_damaged_byte_is_noticed(tmp_path: Path, blind: str) -> None:
    """A flipped bit anywhere, or random bytes, raises ValueError with one sentence, or does no harm."""
    path = tmp_path / BACKBONE
    Tuned(Embedder(blind, compiled=False).backbone, "base", 500, frozenset({"a.png"})).save(path)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    central = whole.index(b"PK\x01\x02")
    places = [*random.integers(0, len(whole), 100), *random.integers(central, len(whole), 200)]
    files = [whole[:place] + bytes([whole[place] ^ 1 << random.integers(8)]) + whole[place + 1 :] for place in places]
    refused = 0
    for content in [*files, *(random.bytes(size) for size in range(1, 200)), whole[:central] + bytes(100)]:
        path.write_bytes(content)
        try:
            Tuned.load(path)
        except ValueError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 400

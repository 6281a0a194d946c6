"""What a person says before any answer, followed through the loops: prompt, scores, and what words lead to."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from IA.learning.events import Events
from IA.networks import Built, build, register
from IA.pool.scorer import Scorer
from IA.prior.known_classes import known_classes
from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS, SCORES, SETTINGS, SIMILAR, WANTED
from IA.protocol.pickle_file import Version
from IA.protocol.records import Predictions, Scores
from IA.protocol.shown import Similar, Wanted
from tests.conftest import tiny
from tests.IA.test_loops import Loops

BLUE, RED = known_classes().names.index("lynx"), known_classes().names.index("teapot")


@pytest.fixture
def reading_network() -> str:
    """Name of the tiny network with a layer that calls blue images lynx, and red ones teapot."""
    register("tiny")(tiny)
    module, preprocessing = build("tiny").module, build("tiny").preprocessing
    mean, std = (torch.tensor(each)[:, None, None] for each in (preprocessing.mean, preprocessing.std))
    colours = torch.tensor([[200.0, 40, 40], [40, 40, 200]]) / 255
    with torch.inference_mode():
        red, blue = module(((colours[:, :, None, None].expand(2, 3, 32, 32) - mean) / std).float())
    weight, bias = torch.zeros(1000, len(red)), torch.zeros(1000)
    away, middle = (blue - red) / (blue - red).norm() ** 2, (blue + red) / 2
    for place, direction in ((BLUE, 20 * away), (RED, -20 * away)):
        weight[place], bias[place] = direction, -direction @ middle
    register("tiny_reading")(lambda pretrained: Built(*tiny(pretrained), classifier=(weight, bias)))
    return "tiny_reading"


@pytest.fixture
def loops(tmp_path: Path, images_folder: Path, reading_network: str) -> Loops:
    """Loops over twelve red and blue pictures, by a network that reads words."""
    return Loops(tmp_path / "run", images_folder, reading_network)


def say(loops: Loops, **said: Any) -> None:
    """Change the settings, and let each loop take its turn until what was said can count."""
    settings = pickle_file.read(loops.run, SETTINGS).content
    pickle_file.publish(loops.run, SETTINGS, dataclasses.replace(settings, **said))
    loops.turn()


def bring(loops: Loops, scores: dict[str, float]) -> None:
    """Publish scores as the server does."""
    images = sorted(loops.paths.index(path) for path in scores)
    values = [scores[loops.paths[image]] for image in images]
    pickle_file.publish(loops.run, SCORES, Scores(np.array(images, np.int32), np.array(values, np.float32)))


def predictions(loops: Loops) -> Predictions:
    """What inference has published."""
    content: Predictions = pickle_file.read(loops.run, PREDICTIONS).content
    return content


def ask(loops: Loops, prompt: str, request: str = "1") -> Similar:
    """What inference answers to a prompt that is not kept."""
    pickle_file.publish(loops.run, WANTED, Wanted(None, request, prompt))
    loops.turn()
    answer: Similar = pickle_file.read(loops.run, SIMILAR).content
    assert answer.request == request
    return answer


def kinds(paths: list[str]) -> str:
    """The classes of images, a letter each."""
    return "".join(path[0] for path in paths)


@pytest.mark.slow
def test_a_prompt_orders_before_any_answer(loops: Loops) -> None:
    """The first order follows the words, other words turn it round at once, and no words drop it."""
    say(loops, prompt="lynx")
    prior = np.asarray(predictions(loops).prior)
    assert prior[:6].min() > 0 > prior[6:].max()
    assert predictions(loops).checkpoint is None
    assert kinds(loops.ranked())[:3] == "bbb"
    assert pickle_file.read(loops.run, PREDICTIONS).generation == 1  # no earlier one had another order
    say(loops, prompt="teapot")
    assert kinds(loops.ranked())[:3] == "rrr"
    say(loops, prompt="")
    assert len(predictions(loops).prior) == 0


@pytest.mark.slow
def test_a_prompt_goes_on_after_a_checkpoint(loops: Loops) -> None:
    """With a model the prior is published still, and a new prompt is followed."""
    say(loops, prompt="lynx")
    loops.answer({"blue/0.png": True, "red/0.png": False})
    before = np.asarray(predictions(loops).prior)
    assert predictions(loops).checkpoint is not None
    assert len(before) == 12
    say(loops, prompt="teapot")
    assert np.corrcoef(before, predictions(loops).prior)[0, 1] < 0


def test_scores_order_before_any_answer(tmp_path: Path, images_folder: Path, tiny_network: str) -> None:
    """Any network can use them; an image without a score has no prior, and without the setting none has one."""
    loops = Loops(tmp_path / "run", images_folder, tiny_network)
    bring(loops, {"red/3.png": 70, "red/1.png": 60, "blue/2.png": -5})
    loops.turn()
    assert len(predictions(loops).prior) == 0
    say(loops, scores="/scores.csv")
    assert loops.ranked()[:2] == ["red/3.png", "red/1.png"]
    assert np.isnan(predictions(loops).prior).sum() == 9
    bring(loops, {"red/3.png": 0.01, "blue/2.png": 0.9, "blue/4.png": 0.99})
    loops.turn()
    assert loops.ranked()[:2] == ["blue/4.png", "blue/2.png"]


@pytest.mark.slow
def test_words_and_scores_together(loops: Loops) -> None:
    """Among the images that fit the words, that with the highest score comes first."""
    bring(loops, {path: float(path in ("blue/4.png", "red/4.png")) * 9 for path in loops.paths})
    say(loops, prompt="lynx", scores="/scores.csv")
    assert loops.ranked()[0] == "blue/4.png"
    prior = np.asarray(predictions(loops).prior)
    assert prior[loops.paths.index("red/4.png")] > prior[loops.paths.index("red/3.png")]


@pytest.mark.slow
def test_what_words_lead_to(loops: Loops) -> None:
    """A prompt that is asked about is answered with images, classes and a note, and changes no order."""
    loops.turn()
    before = loops.ranked()
    answer = ask(loops, "lynx")
    assert kinds([loops.paths[image] for image in answer.images]) == "bbbbbbrrrrrr"
    assert list(answer.scores) == sorted(answer.scores, reverse=True)
    assert answer.classes[0] == "lynx"
    loops.answer({"blue/0.png": None})
    assert loops.paths.index("blue/0.png") not in list(ask(loops, "lynx", "2").images)
    assert "Read “teapott” as “teapot”." in ask(loops, "teapott", "3").note
    assert ask(loops, "🐈‍⬛, قطة", "4").request == "4"
    assert len(predictions(loops).prior) == 0
    assert set(loops.ranked()) == set(before) - {"blue/0.png"}


def test_a_network_that_reads_no_words(tmp_path: Path, images_folder: Path, tiny_network: str) -> None:
    """It says so in one sentence, and ranks as without words."""
    loops = Loops(tmp_path / "run", images_folder, tiny_network)
    say(loops, prompt="lynx")
    assert (len(loops.ranked()), len(predictions(loops).prior)) == (12, 0)
    answer = ask(loops, "lynx")
    assert (len(answer.images), answer.classes) == (0, [])
    assert answer.note.startswith("The network tiny knows no words")


@pytest.mark.slow
def test_who_takes_over_inherits_the_prior(loops: Loops, tiny_network: str, tmp_path: Path) -> None:
    """A network that reads no words keeps what the one before made of them; images that came since have no prior.

    Once the words change, nobody can say what they mean.
    """
    say(loops, prompt="lynx")
    settings = pickle_file.read(loops.run, SETTINGS).content
    events = Events(tmp_path / "tensorboard")
    readers = [Scorer(loops.run, build(name), events) for name in (loops.network, tiny_network)]
    for reader, count in zip(readers, (11, 12), strict=True):
        images = Version(count, loops.paths[:count])
        while reader.take_prior(settings) | reader.turn(loops.datadir, images, lambda: False, describes=False):
            pass
    before, after = readers
    after.follow_from(before)
    old, new = before.prior.values(), after.prior.values()
    assert old is not None and new is not None
    np.testing.assert_allclose(new[:11], old, atol=1e-5)
    assert np.isnan(new[11])
    after.take_prior(dataclasses.replace(settings, prompt="fox"))
    assert after.prior.values() is None
    for reader in readers:
        reader.close()

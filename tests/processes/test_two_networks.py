"""Two networks in a real session: the second one takes over, a restart keeps it, and no answer is lost."""

import logging
import random
import warnings
from pathlib import Path

import pytest

from backend.demo import draw_picture
from IA.protocol.files import PREDICTOR
from tests.processes.suite import Suite, running
from tests.serving import until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

IMAGES = 90
ANSWERS = 60
START_S = 150.0
MODEL = "ViT-S-32-alt"  # the smallest of open_clip


def has_star(number: int) -> bool:
    """Whether the picture of this number has a star."""
    return number % 3 == 0


def answer_some(suite: Suite, first: int, end: int) -> None:
    """Answer these pictures truthfully."""
    for image in range(first, end):
        suite.answer(image, "positive" if has_star(image) else "negative")


@pytest.fixture
def blind(tmp_path: Path) -> str:
    """A network of open_clip, whose weights are random and lie in a file."""
    import open_clip
    import torch

    logging.getLogger().addHandler(logging.NullHandler())  # open_clip would set up logging
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        torch.save(open_clip.create_model(MODEL).state_dict(), tmp_path / "random.pt")
    return f"open_clip:{MODEL}/{tmp_path / 'random.pt'}"


def test_the_better_network_takes_over_and_stays(tmp_path: Path, blind: str) -> None:
    """Answers go on all the while, are learnt by the network in force, and are all there after a restart."""
    (tmp_path / "images").mkdir()
    for number in range(IMAGES):
        picture = draw_picture(has_star(number), random.Random(number)).resize((96, 96))
        picture.save(tmp_path / f"images/{number:02d}.jpg")
    options = ("--network", f"{blind},efficientnet_lite0", "--alike", "off", "--no-token")
    with running(tmp_path / "run", tmp_path / "images", *options) as suite:
        until(lambda: suite.status()["ranking"] is not None, START_S)
        answer_some(suite, 0, 4)
        until(lambda: suite.learnt() == 4, START_S)
        assert suite.status()["network"] == f"open_clip:{MODEL}/random.pt"
        until(lambda: "efficientnet_lite0" in str(suite.status()["behind"]), START_S)
        answer_some(suite, 4, ANSWERS)
        until(lambda: suite.status()["network"] == "efficientnet_lite0", START_S)
        until(lambda: suite.learnt() == ANSWERS, START_S)
        assert suite.status()["behind"] is None
        assert suite.ctrl_c() == 0
    with running(tmp_path / "run", tmp_path / "images", *options[2:]) as suite:
        answer_some(suite, ANSWERS, ANSWERS + 1)
        until(lambda: suite.learnt() == ANSWERS + 1, START_S)
        status = suite.status()
        assert status["network"] == "efficientnet_lite0"
        assert status["positives"] + status["negatives"] == ANSWERS + 1  # type: ignore[operator]
        from IA.model import load_head

        assert load_head(tmp_path / "run" / PREDICTOR).network == "efficientnet_lite0"
    (tmp_path / "random.pt").unlink()  # pytest keeps the folder for a while

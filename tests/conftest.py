"""The fixtures that several tests share: a few pictures, and a network that is built in a moment."""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

IS_ONE_OF_SEVERAL = "PYTEST_XDIST_WORKER" in os.environ
if IS_ONE_OF_SEVERAL:  # before numpy and torch are imported: threads of two workers on two cores wait for one another
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from tests.examples import examples

if TYPE_CHECKING:  # torch takes seconds to import, and the server's tests do not need it
    from torch import nn

    from IA.dataset import Preprocessing

sys.dont_write_bytecode = False  # otherwise each worker compiles all tests again every time
settings.register_profile("tests", max_examples=examples(100), deadline=None)
settings.load_profile("tests")


def pytest_collection_finish() -> None:
    """Freeze the objects of the imports, so that the garbage collector does not walk through torch again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup() -> None:
    """Give torch one thread again, as an embedder in an earlier test may have taken more."""
    if IS_ONE_OF_SEVERAL and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture
def images_folder(tmp_path: Path) -> Path:
    """Twelve pictures, `red/0.png` to `red/5.png` and the same in `blue/`, each in its colour with some noise."""
    random = np.random.default_rng(0)
    folder = tmp_path / "images"
    for name, colour in {"red": (200, 40, 40), "blue": (40, 40, 200)}.items():
        (folder / name).mkdir(parents=True)
        for number in range(6):
            pixels = np.array(colour) + random.integers(-30, 30, (40, 60, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def tiny_network() -> str:
    """Name of a registered network of two convolutions: images (B, 3, 32, 32) -> embeddings (B, 24)."""
    from IA.networks import register

    register("tiny")(tiny)
    return "tiny"


def tiny(pretrained: bool) -> "tuple[nn.Module, Preprocessing]":
    """Build the tiny network, in the form that `IA.networks.register` takes."""
    import torch
    from torch import nn

    from IA.dataset import Preprocessing

    with torch.random.fork_rng():
        torch.manual_seed(0 if pretrained else 1)
        module = nn.Sequential(
            nn.Conv2d(3, 12, 5, stride=3), nn.ReLU(), nn.Conv2d(12, 24, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
    return module, Preprocessing(size_px=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))

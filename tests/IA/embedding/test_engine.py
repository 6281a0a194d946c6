"""The backbone compiled for this machine gives what torch gives."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from config import DEFAULT_NETWORK
from IA import networks
from IA.dataset import Preprocessing, normalise
from IA.embedding import engine
from IA.embedding.engine import OpenVinoEngine, TorchEngine, fastest, usable_cores
from IA.networks import Backbone, build

CPU = torch.device("cpu")
OPENVINO = pytest.mark.skipif(
    sys.platform == "win32" and "ARM64" in sys.version, reason="there are no wheels of OpenVINO for Windows on ARM"
)


def noise(number: int, height_px: int, width_px: int) -> Tensor:
    """Random pictures, (B, 3, H, W) uint8 in channels-last order."""
    generator = torch.Generator().manual_seed(height_px * width_px)
    shape = (number, height_px, width_px, 3)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator).permute(0, 3, 1, 2)


def reference(backbone: Backbone, images: Tensor) -> Tensor:
    """What torch makes of them, (B, D)."""
    with torch.inference_mode():
        embeddings: Tensor = backbone.module(normalise(images, backbone.preprocessing))
        return embeddings


def least_cosine(vectors: np.ndarray, expected: Tensor) -> float:
    """Of all rows, the cosine of the two that differ most."""
    return torch.cosine_similarity(torch.from_numpy(vectors), expected).min().item()


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """The threads of torch would wait for one another on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=["tiny", DEFAULT_NETWORK])
def backbone(request: pytest.FixtureRequest, tiny_network: str) -> Backbone:
    """A network of two convolutions, and the default one."""
    return build(request.param)


@pytest.mark.slow
@OPENVINO
def test_openvino_embeds_as_torch_does(backbone: Backbone) -> None:
    """Stacks of several shapes, asked for at once, each image in its row."""
    stacks = [noise(2, 192, 256), noise(1, 256, 192), noise(1, 128, 448)]
    every = OpenVinoEngine(backbone, cores=2).embed(stacks)
    for images, vectors in zip(stacks, every, strict=True):
        assert vectors.dtype == np.float32
        assert least_cosine(vectors, reference(backbone, images)) > 0.9999


@OPENVINO
def test_frequent_shapes_get_forms_of_their_own(tiny_network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many of them, however many shapes there are, and none changes an embedding."""
    monkeypatch.setattr(engine, "FREQUENT", 1)
    monkeypatch.setattr(engine, "MAX_SHAPES", 2)
    backbone = build(tiny_network)
    compiled = OpenVinoEngine(backbone, cores=1)
    for _ in range(3):
        for side_px in (32, 64, 96, 128):
            images = noise(1, side_px, 64)
            assert least_cosine(compiled.embed([images])[0], reference(backbone, images)) > 0.9999
    assert len(compiled._of_shape) == 2


@OPENVINO
def test_a_network_that_takes_squares_only_is_compiled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose last layer counts the pixels gets letterboxed squares."""
    monkeypatch.setattr(networks, "_builders", {})
    networks.register("square")(lambda _: (nn.Sequential(nn.Flatten(), nn.Linear(3072, 7)), preprocessing()))
    backbone = build("square")
    assert backbone.preprocessing.resize == "letterbox"
    images = noise(3, 32, 32)
    vectors = OpenVinoEngine(backbone, cores=1).embed([images])[0]
    assert least_cosine(vectors, reference(backbone, images)) > 0.9999


def preprocessing() -> Preprocessing:
    """Of a network for small squares."""
    return Preprocessing(32, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))


class Unconvertible(nn.Module):
    """Ends in a step that OpenVINO does not have."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3)."""
        bent: Tensor = torch.special.bessel_j0(images)
        return bent.mean((2, 3))


class ByShape(nn.Module):
    """Does with wide images what it does not do with square ones: tracing sees one of the two."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3)."""
        means = images.mean((2, 3))
        return means.flip(1) + 1 if images.shape[3] > images.shape[2] else means


@OPENVINO
@pytest.mark.parametrize("module", [Unconvertible, ByShape])
def test_what_openvino_cannot_have_runs_on_torch(
    module: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not convertible, or another network afterwards: one line says so, and the embeddings are right."""
    monkeypatch.setattr(networks, "_builders", {})
    monkeypatch.setattr(engine, "best_device", lambda: CPU)
    networks.register("own")(lambda _: (module(), preprocessing()))
    backbone = build("own")
    with caplog.at_level(logging.INFO, "IA.embedding.engine"):
        chosen = fastest(backbone, cores=1)
    assert isinstance(chosen, TorchEngine)
    assert [record.levelname for record in caplog.records] == ["INFO"]
    reason = "bessel" if module is Unconvertible else "differ"
    assert caplog.messages[0].startswith("own runs on plain torch") and reason in caplog.messages[0]
    assert "\n" not in caplog.messages[0]
    images = noise(2, 32, 64)
    assert least_cosine(chosen.embed([images])[0], reference(backbone, images)) > 0.9999


def test_without_openvino_torch_does_it(tiny_network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, nothing else changes."""
    monkeypatch.setattr(engine, "best_device", lambda: CPU)
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert isinstance(fastest(build(tiny_network), cores=1), TorchEngine)


def test_half_precision_is_close_enough(backbone: Backbone) -> None:
    """What CUDA is given, tried on the processor."""
    halved = TorchEngine(backbone, CPU)
    halved._half = True
    images = noise(2, 192, 256)
    assert least_cosine(halved.embed([images])[0], reference(backbone, images)) > 0.999


def test_an_overflow_in_half_precision_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values beyond 65,504 come out in full."""
    monkeypatch.setattr(networks, "_builders", {})
    layer = nn.Conv2d(3, 4, 32)
    nn.init.constant_(layer.weight, 1e3)
    networks.register("large")(lambda _: (nn.Sequential(layer, nn.Flatten()), preprocessing()))
    backbone = build("large")
    halved = TorchEngine(backbone, CPU)
    halved._half = True
    images = noise(2, 32, 32) // 2 + 128
    assert least_cosine(halved.embed([images])[0], reference(backbone, images)) > 0.9999


@pytest.mark.slow
@OPENVINO
def test_openvino_tells_nobody_that_it_was_imported() -> None:
    """Its telemetry, which is on unless asked not to be, never gets to run."""
    code = (
        "import sys; from torch import nn; from IA.dataset import Preprocessing; from IA.networks import Backbone;"
        "from IA.embedding.engine import OpenVinoEngine; grey = (0.5, 0.5, 0.5);"
        "OpenVinoEngine(Backbone('mine', nn.Flatten(), Preprocessing(32, grey, grey, 'crop'), 3072), 1);"
        "sys.exit(any(name.startswith('openvino_telemetry.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("quota", "most"), [("150000 100000", 2), ("10000 100000", 1), ("max 100000", 4), ("", 4)])
def test_cores_are_those_that_may_be_used(
    quota: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of a container and of taskset, rounded up, and at least one."""
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(engine, "CPU_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert usable_cores() == most

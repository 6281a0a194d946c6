"""The engines compute the same embeddings as plain torch."""

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
    """Random images, (B, 3, H, W) uint8 in channels-last order."""
    generator = torch.Generator().manual_seed(height_px * width_px)
    shape = (number, height_px, width_px, 3)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator).permute(0, 3, 1, 2)


def reference(backbone: Backbone, images: Tensor) -> Tensor:
    """The embeddings (B, D) that torch computes."""
    with torch.inference_mode():
        embeddings: Tensor = backbone.module(normalise(images, backbone.preprocessing))
        return embeddings


def least_cosine(vectors: np.ndarray, expected: Tensor) -> float:
    """The lowest cosine between a row of one and the same row of the other."""
    return torch.cosine_similarity(torch.from_numpy(vectors), expected).min().item()


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Use one thread: on a busy machine the threads of torch wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=["tiny", DEFAULT_NETWORK])
def backbone(request: pytest.FixtureRequest, tiny_network: str) -> Backbone:
    """A network of two convolutions, and the default network."""
    return build(request.param)


@pytest.mark.slow
@OPENVINO
def test_openvino_embeds_as_torch_does(backbone: Backbone) -> None:
    """Stacks of several shapes may be embedded at once, and each image gets its own row."""
    stacks = [noise(2, 192, 256), noise(1, 256, 192), noise(1, 128, 448)]
    every = OpenVinoEngine(backbone, cores=2).embed(stacks)
    for images, vectors in zip(stacks, every, strict=True):
        assert vectors.dtype == np.float32
        assert least_cosine(vectors, reference(backbone, images)) > 0.9999


@OPENVINO
def test_frequent_shapes_get_forms_of_their_own(tiny_network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many shapes there are, a few get a compiled form of their own, and no form changes an embedding."""
    monkeypatch.setattr(engine, "FREQUENT", 1)
    monkeypatch.setattr(engine, "MAX_SHAPES", 2)
    backbone = build(tiny_network)
    compiled = OpenVinoEngine(backbone, cores=1)
    for _ in range(3):
        for side_px in (32, 64, 96, 128):
            images = noise(1, side_px, 64)
            assert least_cosine(compiled.embed([images])[0], reference(backbone, images)) > 0.9999
    assert compiled.compiled_shapes == {(32, 64), (64, 64)}


@OPENVINO
def test_a_network_that_takes_squares_only_is_compiled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose last layer depends on the number of pixels gets letterboxed squares."""
    monkeypatch.setattr(networks, "BUILDERS", {})
    networks.register("square")(lambda _: (nn.Sequential(nn.Flatten(), nn.Linear(3072, 7)), preprocessing()))
    backbone = build("square")
    assert backbone.preprocessing.resize == "letterbox"
    images = noise(3, 32, 32)
    vectors = OpenVinoEngine(backbone, cores=1).embed([images])[0]
    assert least_cosine(vectors, reference(backbone, images)) > 0.9999


def preprocessing() -> Preprocessing:
    """The preprocessing of a network for small squares."""
    return Preprocessing(32, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))


class Unconvertible(nn.Module):
    """A network that ends in a step that OpenVINO lacks."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3)."""
        bent: Tensor = torch.special.bessel_j0(images)
        return bent.mean((2, 3))


class ByShape(nn.Module):
    """A network that treats wide images otherwise than square ones; tracing sees one of the two."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3)."""
        means = images.mean((2, 3))
        return means.flip(1) + 1 if images.shape[3] > images.shape[2] else means


@OPENVINO
@pytest.mark.parametrize("module", [Unconvertible, ByShape])
def test_what_openvino_cannot_have_runs_on_torch(
    module: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If OpenVINO cannot convert a network or changes it, one line is logged, and the embeddings are right."""
    monkeypatch.setattr(networks, "BUILDERS", {})
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
    """Without OpenVINO, torch runs the network."""
    monkeypatch.setattr(engine, "best_device", lambda: CPU)
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert isinstance(fastest(build(tiny_network), cores=1), TorchEngine)


@pytest.mark.slow
def test_half_precision_is_close_enough(backbone: Backbone) -> None:
    """Half precision, as on CUDA but tried on the processor, gives nearly the same embeddings."""
    halved = TorchEngine(backbone, CPU, in_half=True)
    images = noise(2, 192, 256)
    assert least_cosine(halved.embed([images])[0], reference(backbone, images)) > 0.999


def test_an_overflow_in_half_precision_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch with values beyond 65,504 is run again in full precision."""
    monkeypatch.setattr(networks, "BUILDERS", {})
    layer = nn.Conv2d(3, 4, 32)
    nn.init.constant_(layer.weight, 1e3)
    networks.register("large")(lambda _: (nn.Sequential(layer, nn.Flatten()), preprocessing()))
    backbone = build("large")
    halved = TorchEngine(backbone, CPU, in_half=True)
    images = noise(2, 32, 32) // 2 + 128
    assert least_cosine(halved.embed([images])[0], reference(backbone, images)) > 0.9999


@pytest.mark.slow
@OPENVINO
def test_openvino_tells_nobody_that_it_was_imported() -> None:
    """The telemetry of OpenVINO, which is on by default, never runs."""
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
    """The limits of a container and of taskset count, rounded up, and at least one core."""
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(engine, "CPU_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert usable_cores() == most

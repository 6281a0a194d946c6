"""The predictor as one graph: it sees what the predictor sees, and says the same."""

import io
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from config import DEFAULT_NETWORK, ROOT, UsageError
from IA.dataset import RESIZES, Preprocessing, normalise
from IA.exporting.graph import FixedPadding, Portable, traced
from IA.exporting.resampling import resized
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.model import Predictor
from IA.networks import build, register
from tests.predictors import trained

SHAPES = [(1, 1), (1, 400), (400, 1), (32, 32), (31, 33), (64, 48), (90, 120), (500, 60), (60, 500), (333, 334)]


def picture(height_px: int, width_px: int, seed: int = 0) -> Tensor:
    """A picture of noise, half of it with hard edges, where resizing overshoots."""
    random = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (height_px, width_px, 3), dtype=torch.uint8, generator=random)
    pixels[: height_px // 2] = (pixels[: height_px // 2] > 127) * 255
    return pixels


@pytest.mark.parametrize("before", SHAPES)
@pytest.mark.parametrize("after", [(32, 32), (29, 64), (1, 7), (96, 96)])
def test_resizing_is_torch_s_to_the_byte(before: tuple[int, int], after: tuple[int, int]) -> None:
    """The bytes are torch's for larger, smaller and squeezed pictures; very large sums round a few otherwise."""
    pixels = picture(*before).permute(2, 0, 1)
    theirs = interpolate(pixels[None], after, mode="bicubic", antialias=True)[0].float()
    difference = (resized(pixels.float(), *after) - theirs).abs()
    if max(old / new for old, new in zip(before, after, strict=True)) <= 4:
        assert difference.max() == 0
    assert difference.max() <= 1
    assert (difference > 0).sum() <= 1 + 1e-3 * difference.numel()


@pytest.mark.slow
@pytest.mark.parametrize("resize", ["area", "letterbox"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_network_sees_the_same(tiny_network: str, resize: str, shape: tuple[int, int]) -> None:
    """Canvas, margins and scale are the same for pictures of every shape."""
    backbone = build(tiny_network)
    preprocessing = Preprocessing(48, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), resize)
    predictor = Predictor(backbone, Head.empty(24, 4, 0))
    predictor.preprocessing = preprocessing
    pixels = picture(*shape)
    ours = normalise(RESIZES[resize](pixels.permute(2, 0, 1), preprocessing)[None], preprocessing)[0]
    theirs = Portable(predictor).prepared(pixels)
    assert theirs.shape == ours.shape
    assert (theirs - ours).abs().max() < 1e-5 + 1 / (255 * 0.224)  # one byte at most
    assert ((theirs - ours).abs() > 1e-5).float().mean() < 1e-3


@pytest.mark.parametrize("gamma", [0.0, 3.0])
@pytest.mark.parametrize("root_transform", [False, True])
def test_every_kind_of_head(tiny_network: str, gamma: float, root_transform: bool) -> None:
    """Linear and kernel heads predict the same, with the root transform or without, and calibrated."""
    random = torch.Generator().manual_seed(1)
    space = Projection(torch.rand(24, generator=random), torch.randn(24, 8, generator=random), root_transform)
    head = Head(space, torch.randn(5, 8, generator=random), torch.randn(5, generator=random), torch.tensor(0.3), gamma)
    head.curve = torch.tensor([[-2.0, -4.0], [0.0, -1.0], [1.0, 0.5], [1.5, 0.6]])
    vectors = torch.randn(9, 24, generator=random)
    fixed = Portable(Predictor(build(tiny_network), head)).head
    assert torch.allclose(fixed(vectors), head(vectors), atol=1e-6)
    assert float(head(vectors).std()) > 0.01  # else anything would be the same


def test_fixed_padding_is_timm_s() -> None:
    """The fixed padding equals timm's for sides that are multiples of the stride."""
    from timm.layers.conv2d_same import Conv2dSame

    for size, stride, dilation in ((3, 2, 1), (5, 2, 1), (3, 1, 1), (2, 4, 1), (3, 1, 2), (7, 2, 2)):
        layer = Conv2dSame(3, 4, size, stride=stride, dilation=dilation)
        for shape in ((32, 64), (96, 32)):
            images = torch.rand(2, 3, *shape)
            assert torch.equal(FixedPadding(layer)(images), layer(images))


@pytest.mark.slow
def test_a_file_that_torch_alone_reads(images_folder: Path, tiny_network: str) -> None:
    """The file loads without this project, takes any size, predicts the same, and names no folder of this machine."""
    predictor = trained(images_folder, tiny_network)
    buffer = io.BytesIO()
    torch.export.save(traced(predictor), buffer)
    assert str(ROOT).encode() not in buffer.getvalue()
    buffer.seek(0)
    graph = torch.export.load(buffer).module()
    said = []
    for height_px, width_px in SHAPES:
        pixels = picture(height_px, width_px) // 2 + 60 * torch.eye(3, dtype=torch.uint8)[height_px % 3]
        seen = RESIZES["area"](pixels.permute(2, 0, 1), predictor.preprocessing)
        ready = normalise(seen[None], predictor.preprocessing)
        probability, embedding = graph(pixels)
        assert float(probability) == pytest.approx(float(predictor.probabilities(ready)), abs=1e-4)
        assert torch.allclose(embedding, predictor.embeddings(ready)[0], atol=1e-2)
        said.append(float(probability))
    assert max(said) - min(said) > 0.1


@pytest.mark.slow
def test_what_cannot_be_exported_is_one_sentence(tiny_network: str) -> None:
    """One sentence refuses a way to resize that no graph has, and a network that branches on its picture."""
    backbone = build(tiny_network)
    predictor = Predictor(backbone, Head.empty(24, 4, 0))
    predictor.preprocessing = Preprocessing(32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "crop")
    with pytest.raises(UsageError, match="crop"):
        traced(predictor)

    class Chooses(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.mean((2, 3)) if images.mean() > 0 else images.amax((2, 3))

    register("chooses")(lambda pretrained: (Chooses(), Preprocessing(32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    with pytest.raises(UsageError, match=r"chooses cannot be exported \(.*\); use predictor\.ckpt"):
        traced(Predictor(build("chooses"), Head.empty(3, 2, 0)))


@pytest.mark.slow
def test_a_graph_that_says_something_else_is_refused(tiny_network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph that predicts something else is refused, since tracing may change a network silently."""
    predictor = Predictor(build(tiny_network), Head.empty(24, 4, 0))
    monkeypatch.setattr(predictor, "probabilities", lambda images: torch.tensor([0.501]))
    with pytest.raises(UsageError, match=r"would say 0\.5000 .* says 0\.5010; it was not written"):
        traced(predictor)


@pytest.mark.slow
def test_the_default_network_for_any_shape() -> None:
    """The graph holds for every shape, though the network's layers pad by the size."""
    backbone = build(DEFAULT_NETWORK, pretrained=False)
    space = Projection(
        torch.zeros(backbone.dimension), torch.eye(backbone.dimension)[:, :4].contiguous(), root_transform=False
    )
    predictor = Predictor(backbone, Head.empty(backbone.dimension, 4, 0))
    predictor.head = Head(space, torch.eye(4)[:1], torch.tensor([2.0]), torch.tensor(0.1), 3.0)
    graph = traced(predictor).module()
    for height_px, width_px in ((500, 60), (60, 500), (224, 224)):
        pixels = picture(height_px, width_px)
        ready = normalise(
            RESIZES["area"](pixels.permute(2, 0, 1), predictor.preprocessing)[None], predictor.preprocessing
        )
        _, embedding = graph(pixels)
        assert float(torch.cosine_similarity(embedding, predictor.embeddings(ready)[0], dim=0)) > 0.9999
        assert float(embedding.std()) > 0

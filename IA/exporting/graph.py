"""The predictor as one graph from an upright picture to its probability, which runs without this project."""

import copy
import math
import warnings

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn.functional import pad

from config import UsageError
from IA.dataset import MAX_ASPECT, RESIZES, STEP_PX, Preprocessing, normalise
from IA.exporting.resampling import resized
from IA.learning.calibration import along
from IA.learning.head import Head, kernel
from IA.learning.projection import Projection
from IA.model import Predictor

MAX_SIDE_PX = 100_000
EXAMPLE_PX = (90, 120)  # height, width of the picture that the graph is traced with
TRIED_PX = ((64, 64), (90, 120), (300, 20), (20, 300))  # graph and predictor must agree on pictures of these sizes
SAME = 1e-4  # probabilities agree if they differ by no more than this


class Portable(nn.Module):
    """Preprocessing, network, head and calibration. Tensors compute every size, so that tracing does not fix it."""

    margin: Tensor
    shift: Tensor
    stretch: Tensor

    def __init__(self, predictor: Predictor) -> None:
        """Copy the parts of a predictor, which itself stays as it is.

        Raises:
            UsageError: the predictor resizes pictures in a way that cannot be exported.
        """
        super().__init__()
        preprocessing = predictor.preprocessing
        if preprocessing.resize not in ("area", "letterbox"):
            raise UsageError(f"A predictor that resizes by {preprocessing.resize!r} cannot be exported.")
        self.backbone = copy.deepcopy(predictor.backbone).cpu()
        if preprocessing.resize == "area":
            _fix_padding(self.backbone)
        self.head = _FixedHead(predictor.head)
        self._takes_any_shape = preprocessing.resize == "area"
        self._size_px = preprocessing.size_px
        mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
        self.register_buffer("margin", (mean * 255).round().clamp(0, 255).view(3, 1, 1))
        self.register_buffer("shift", 255 * mean.view(3, 1, 1))
        self.register_buffer("stretch", 255 * std.view(3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Predict for one picture.

        Args:
            image: (H, W, 3) uint8, RGB, upright, of any size.

        Returns:
            Probability of the positive class, (); embedding, (D,).
        """
        embedding = self.backbone(self.prepared(image)[None]).float()  # (1, D)
        return self.head(embedding)[0], embedding[0]

    def prepared(self, image: Tensor) -> Tensor:
        """The network's input for a picture, (3, H', W') float32, by the steps area or letterbox of `IA.dataset`."""
        pixels = image.permute(2, 0, 1).float()
        sides = torch.stack(
            [torch.scalar_tensor(side, dtype=torch.float64) for side in (image.shape[0], image.shape[1])]
        )
        canvas = self._canvas(sides)  # (2,) float64: height, width
        scaled = sides * (canvas / sides).min()
        fitted = torch.where((scaled - canvas).abs() < STEP_PX / 2, canvas, scaled.round().clamp(min=1))
        if self._takes_any_shape:
            height, width = (_whole(side / STEP_PX) * STEP_PX for side in canvas)
        else:
            height = width = self._size_px
        inner_height, inner_width = (_whole(side) for side in fitted)
        torch._check(inner_height <= height)
        torch._check(inner_width <= width)
        small = resized(pixels, inner_height, inner_width)
        top, left = (height - inner_height) // 2, (width - inner_width) // 2
        around = (left, width - inner_width - left, top, height - inner_height - top)
        return (pad(small - self.margin, around) + self.margin - self.shift) / self.stretch

    def _canvas(self, sides: Tensor) -> Tensor:
        if not self._takes_any_shape:
            return torch.full_like(sides, self._size_px)
        root = (sides[1] / sides[0]).clamp(1 / MAX_ASPECT, MAX_ASPECT).sqrt()
        return (torch.stack([self._size_px / root, self._size_px * root]) / STEP_PX).round().clamp(min=1) * STEP_PX


class _FixedHead(nn.Module):
    """The head with its choices made, because a graph cannot branch on the value of a tensor."""

    mean: Tensor
    basis: Tensor
    support: Tensor
    weights: Tensor
    bias: Tensor
    curve: Tensor

    def __init__(self, head: Head) -> None:
        super().__init__()
        for name in ("mean", "basis", "support", "weights", "bias", "curve"):
            self.register_buffer(name, getattr(head, name).detach().cpu().clone())
        self._root_transform, self._gamma = bool(head.rooted), float(head.gamma)

    def forward(self, embeddings: Tensor) -> Tensor:
        projected = Projection(self.mean, self.basis, self._root_transform).project(embeddings)
        similarity = kernel(projected, self.support, self._gamma) if self._gamma else projected @ self.support.T
        return torch.sigmoid(along(self.curve, similarity @ self.weights + self.bias))


class FixedPadding(nn.Module):
    """A layer with TensorFlow's padding ("same"), which is constant if the sides are multiples of the stride."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.layer = layer
        down, across = (
            max(0, dilation * (size - 1) + 1 - stride)
            for size, stride, dilation in zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
        )
        self._around = (across // 2, across - across // 2, down // 2, down - down // 2)

    def forward(self, images: Tensor) -> Tensor:
        """The layer, with the padding that it would have computed."""
        layer = self.layer
        padded = pad(images, self._around)
        return nn.functional.conv2d(padded, layer.weight, layer.bias, layer.stride, 0, layer.dilation, layer.groups)


def _fix_padding(module: nn.Module) -> None:
    """Replace the layers of timm whose padding depends on the size; it is constant for multiples of `STEP_PX`."""
    from timm.layers.conv2d_same import Conv2dSame

    for name, layer in list(module.named_modules()):
        if isinstance(layer, Conv2dSame):
            parent, _, last = name.rpartition(".")
            setattr(module.get_submodule(parent), last, FixedPadding(layer))


def _whole(number: Tensor) -> int:
    """The tensor's value, which is at least 1, as a symbol of the graph."""
    whole = number.long().item()
    torch._check(whole >= 1)
    return whole  # type: ignore[return-value]


def traced(predictor: Predictor) -> ExportedProgram:
    """The predictor as a graph for pictures of any size.

    Raises:
        UsageError: a step of the predictor depends on the picture, or the graph would predict something else.
    """
    module = Portable(predictor)
    height, width = (Dim(name, min=1, max=MAX_SIDE_PX) for name in ("height", "width"))
    picture = torch.zeros(*EXAMPLE_PX, 3, dtype=torch.uint8)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(module, (picture,), dynamic_shapes=({0: height, 1: width},), strict=False)
    except (RuntimeError, ValueError, TypeError, AttributeError, AssertionError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise UsageError(
            f"The network {predictor.checkpoint.network} cannot be exported ({reason}); use predictor.ckpt with "
            "IA.predict, or train with another --network."
        ) from error
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names folders of the machine that exports
    _compare(program, predictor)
    return program


@torch.inference_mode()
def _compare(program: ExportedProgram, predictor: Predictor) -> None:
    noise = torch.Generator().manual_seed(0)
    graph, preprocessing = program.module(), predictor.preprocessing
    for height_px, width_px in TRIED_PX:
        picture = torch.randint(256, (height_px, width_px, 3), dtype=torch.uint8, generator=noise)
        theirs, ours = float(graph(picture)[0]), float(predictor.probabilities(_seen(picture, preprocessing)))
        if not math.isclose(theirs, ours, rel_tol=0, abs_tol=SAME):
            raise UsageError(
                f"The exported {predictor.checkpoint.network} would say {theirs:.4f} of a picture of {width_px} x "
                f"{height_px} px, and the predictor says {ours:.4f}; it was not written."
            )


def _seen(picture: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The network's input as `IA.dataset.load` and `normalise` make it, (1, 3, H, W)."""
    return normalise(RESIZES[preprocessing.resize](picture.permute(2, 0, 1), preprocessing)[None], preprocessing)

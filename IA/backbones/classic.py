"""The classifiers of torchvision, whose weights it downloads once."""

from typing import Any

from torch import nn

from IA.backbones.backbone import Built, classifier_of
from IA.dataset import Preprocessing

CLASSIFIERS = ("fc", "classifier", "head", "heads")  # Torchvision gives the last layers one of these names.
WITHOUT_WEIGHTS: dict[str, dict[str, Any]] = {  # Arguments that torchvision sets only when it loads weights.
    "inception_v3": {"transform_input": True, "init_weights": False},
    "googlenet": {"transform_input": True, "init_weights": False},
    "vit_h_14": {"image_size": 518},
}


def is_classic(name: str) -> bool:
    """Whether torchvision has a classifier of this name."""
    from torchvision import models

    # The networks of this module take one image; those of its submodules take videos, or find objects.
    return name in models.list_models(module=models)


def classic(name: str, pretrained: bool) -> Built:
    """The network without its last layer.

    Raises:
        OSError: its weights cannot be downloaded.
    """
    from torchvision.models import get_model, get_model_weights

    weights = get_model_weights(name).DEFAULT
    seen = weights.transforms()
    module = get_model(name, weights=weights) if pretrained else get_model(name, **WITHOUT_WEIGHTS.get(name, {}))
    last = _behead(module)
    preprocessing = Preprocessing(int(seen.crop_size[0]), tuple(seen.mean), tuple(seen.std))
    return Built(module, preprocessing, classifier_of(last) if pretrained else None)


def _behead(module: nn.Module) -> nn.Module:
    """Replace the classification layer, the last linear or convolutional layer of the classifier, by Identity.

    Returns:
        The layer; where it is linear, nothing follows it, and its input is what the module gives from now on.
    """
    for auxiliary in ("AuxLogits", "aux1", "aux2"):  # Inception and GoogLeNet use these in their training alone
        if hasattr(module, auxiliary):
            setattr(module, auxiliary, None)
    attribute = next(name for name in CLASSIFIERS if hasattr(module, name))
    layers = [
        (name, layer)
        for name, layer in module.named_modules()
        if name.split(".")[0] == attribute and isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    name, layer = layers[-1]
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, nn.Identity())
    return layer

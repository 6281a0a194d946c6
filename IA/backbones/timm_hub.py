"""The networks of timm, whose weights it loads from the hub once."""

import contextlib
from typing import Any

import torch
from torch import nn

from config import UsageError
from IA.backbones.backbone import IMAGENET_CLASSES, Built, Classifier, classifier_of
from IA.backbones.hub import not_waiting
from IA.dataset import Preprocessing

TIMM = "timm:"
DINOV2 = "vit_small_patch14_reg4_dinov2.lvd142m"
DINOV2_PX = 224
SAME = 1e-3  # If logits differ by more than this share, the layer does not take the embedding as it is.


def timm_network(name: str, pretrained: bool) -> Built:
    """The network without its classification layer.

    Raises:
        UsageError: timm has no such network.
        OSError, RuntimeError, ValueError: its weights cannot be loaded.
    """
    import timm
    from timm.data.config import resolve_model_data_config

    short = check_timm(name)
    with not_waiting() if pretrained else contextlib.nullcontext():
        module = timm.create_model(short, pretrained=pretrained, num_classes=0)
        seen = resolve_model_data_config(module)  # type: ignore[no-untyped-call]
        preprocessing = Preprocessing(int(seen["input_size"][1]), tuple(seen["mean"]), tuple(seen["std"]))
        return Built(module, preprocessing, _classifier(short, module, preprocessing.size_px) if pretrained else None)


def check_timm(name: str) -> str:
    """See that timm has this network; returns timm's name for it. Raises UsageError if not."""
    import timm

    short = name.removeprefix(TIMM)
    if not timm.is_model(short):
        raise UsageError(f"timm has no network {short!r}; choose one of https://huggingface.co/timm.")
    return short


def dinov2_small(pretrained: bool) -> Built:
    """DINOv2 with registers (Oquab et al. 2023; Darcet et al. 2023), its smallest network, on images of 224 px.

    timm's own setting are the 518 px of its last training steps, which take nine times as long.

    Raises:
        OSError, RuntimeError, ValueError: its weights cannot be loaded.
    """
    import timm
    from timm.data.config import resolve_model_data_config

    with not_waiting() if pretrained else contextlib.nullcontext():
        module = timm.create_model(DINOV2, pretrained=pretrained, num_classes=0, img_size=DINOV2_PX)
    seen = resolve_model_data_config(module)  # type: ignore[no-untyped-call]
    return Built(module, Preprocessing(DINOV2_PX, tuple(seen["mean"]), tuple(seen["std"])))


def _classifier(short: str, module: nn.Module, size_px: int) -> Classifier | None:
    """The layer that the embeddings of the module are the input of; timm loads the whole network once more for it."""
    import timm

    known = timm.get_pretrained_cfg(short)
    if known is None or known.num_classes != IMAGENET_CLASSES:
        return None
    whole: Any = timm.create_model(short, pretrained=True).eval()
    layer = classifier_of(whole.get_classifier())
    if layer is None:
        return None
    noise = torch.randn(1, 3, size_px, size_px, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        embedding, logits = module.eval()(noise), whole(noise)
        if embedding.shape[1:] != layer[0].shape[1:]:
            return None
        difference = nn.functional.linear(embedding, *layer) - logits
    return layer if difference.norm() <= SAME * logits.norm() else None

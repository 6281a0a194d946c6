"""The last feature map of a backbone, for networks whose embedding is its mean over the places; torch only."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from IA.dataset import normalise
from IA.networks import Backbone

log = logging.getLogger(__name__)

SAME = 1e-3  # The mean of the map may differ from the embedding by this share of the largest value.


class SetAside(Exception):
    """Raised between two layers when something more urgent has come."""


class FeatureMaps:
    """Takes the last feature map of one backbone; a map whose mean is not the embedding is discarded."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._pooled: nn.Module | None = None
        self._is_known = False  # Whether it is known which layer gives the map, if any does.

    def feature_map(self, image: Tensor, is_urgent: Callable[[], bool] = lambda: False) -> Tensor | None:
        """The feature map of an image, (D, h, w) float32 on the CPU; None where the embedding is not its mean.

        Args:
            image: (3, H, W) uint8, as `IA.dataset.RESIZES` give it.
            is_urgent: asked between two layers, so that urgent work waits for one layer at most.

        Raises:
            SetAside: something urgent came.
        """
        if self._is_known and self._pooled is None:
            return None
        seen: list[tuple[nn.Module, Tensor]] = []
        with torch.inference_mode(), self._watched(seen, is_urgent):
            embedding = self._embed(image)[0]  # (D,)
        fitting = [(layer, maps) for layer, maps in seen if _is_pooled(maps, embedding)]
        if not self._is_known:
            self._is_known, self._pooled = True, fitting[-1][0] if fitting else None
            if not fitting:
                log.info("the embedding of %s is no mean over places: it has no explanations", self._backbone.name)
        return fitting[-1][1][0].float().cpu().clone() if fitting else None

    def _embed(self, image: Tensor) -> Tensor:
        parameter = next(self._backbone.module.parameters(), None)
        device = torch.device("cpu") if parameter is None else parameter.device
        embedding: Tensor = self._backbone.module(normalise(image[None].to(device), self._backbone.preprocessing))
        return embedding

    @contextlib.contextmanager
    def _watched(self, seen: list[tuple[nn.Module, Tensor]], is_urgent: Callable[[], bool]) -> Iterator[None]:
        """Collect the output of the layer that gives the map, or of all layers while that one is not known."""
        thread = threading.get_ident()  # another thread may be embedding with the same network

        def before(_: nn.Module, __: object) -> None:
            if threading.get_ident() == thread and is_urgent():
                raise SetAside

        def after(layer: nn.Module, _: object, output: object) -> None:
            if threading.get_ident() != thread or not isinstance(output, Tensor) or output.ndim != 4:
                return
            if output.shape[1] == self._backbone.dimension:
                seen.append((layer, output))

        modules = list(self._backbone.module.modules())
        hooks = [layer.register_forward_pre_hook(before) for layer in modules if not list(layer.children())]
        watched = modules if self._pooled is None else [self._pooled]
        hooks += [layer.register_forward_hook(after) for layer in watched]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _is_pooled(maps: Tensor, embedding: Tensor) -> bool:
    """Whether maps (1, D, h, w) have several places, and the mean over them is the embedding (D,)."""
    if maps.shape[2] * maps.shape[3] < 2:
        return False
    difference = (maps[0].mean(dim=(1, 2)) - embedding).abs().max()
    return bool(difference <= SAME * embedding.abs().max().clamp(min=1e-6))

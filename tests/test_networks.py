"""The registry of backbones."""

import io
import sys
import urllib.error
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from config import DEFAULT_NETWORK, UsageError
from IA import networks
from IA.dataset import Preprocessing
from IA.head import Head
from IA.loop import one_sentence
from IA.model import Predictor
from IA.networks import build, fingerprint


def test_the_default_network_comes_with_its_weights() -> None:
    """Without a network connection, the weights of the package give the embeddings of their own architecture."""
    backbone = build(DEFAULT_NETWORK)
    assert (backbone.name, backbone.dimension) == (DEFAULT_NETWORK, 1280)
    assert backbone.preprocessing.size_px == 224
    assert backbone.preprocessing.mean == backbone.preprocessing.std == (0.5, 0.5, 0.5)
    assert not backbone.module.training
    assert backbone.fingerprint == build(DEFAULT_NETWORK).fingerprint
    assert backbone.fingerprint != build(DEFAULT_NETWORK, pretrained=False).fingerprint


def test_a_network_of_ones_own_takes_one_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered function is all that `build` needs; it is told whether weights are wanted."""
    monkeypatch.setattr(networks, "_builders", {})
    wanted: list[bool] = []

    @networks.register("own")
    def own(pretrained: bool) -> tuple[nn.Module, Preprocessing]:
        wanted.append(pretrained)
        return nn.Sequential(nn.AvgPool2d(8), nn.Flatten()), Preprocessing(16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

    assert build("own").dimension == 12
    build("own", pretrained=False)
    assert wanted == [True, False]


def test_a_network_without_embeddings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that keeps a map instead of a vector is told so."""
    monkeypatch.setattr(networks, "_builders", {})
    networks.register("map")(lambda _: (nn.AvgPool2d(8), Preprocessing(16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    with pytest.raises(UsageError, match="no embedding"):
        build("map")


@pytest.mark.parametrize(
    ("name", "dimension", "size_px"),
    [
        ("mobilenet_v3_small", 1024, 224),
        ("squeezenet1_1", 512, 224),
        ("shufflenet_v2_x0_5", 1024, 224),
        ("densenet121", 1024, 224),
        ("inception_v3", 2048, 299),
        ("googlenet", 1024, 224),
    ],
)
def test_torchvision_loses_its_classification_layer(name: str, dimension: int, size_px: int) -> None:
    """The embedding is what went into the last layer; size and scale are those of the weights."""
    backbone = build(name, pretrained=False)
    assert (backbone.dimension, backbone.preprocessing.size_px) == (dimension, size_px)
    assert backbone.preprocessing.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize("name", ["inception_v3", "googlenet"])
def test_without_weights_the_architecture_is_that_of_the_weights(name: str) -> None:
    """A checkpoint of these loads into the same computation: with their own scaling, without auxiliary outputs."""
    module = build(name, pretrained=False).module
    assert vars(module)["transform_input"] is True
    assert not any("aux" in key.lower() for key in module.state_dict())


def test_timm_networks_have_a_prefix() -> None:
    """`timm:NAME` builds with the preprocessing of its data config."""
    backbone = build("timm:mobilenetv3_small_050", pretrained=False)
    assert backbone.name == "timm:mobilenetv3_small_050"
    assert backbone.dimension == 1024


@pytest.mark.parametrize("name", ["resnet", "timm:resnet", "", "raft_small", "r3d_18", "fcn_resnet50", "no/such.pth"])
def test_an_unknown_network_is_one_sentence(name: str) -> None:
    """It says what is wrong, and what to do."""
    with pytest.raises(UsageError) as raised:
        build(name, pretrained=False)
    assert str(raised.value).endswith(".")
    assert any(word in str(raised.value) for word in ("use", "choose", "name"))


def test_weights_that_cannot_be_downloaded_are_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a connection, the sentence names the network that is installed."""

    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    with pytest.raises(UsageError, match=f"mobilenet_v3_small cannot be had .*{DEFAULT_NETWORK}, which is installed"):
        build("mobilenet_v3_small")


def test_a_state_dict_loads_by_its_file_name(tmp_path: Path) -> None:
    """A file of torchvision's own name gives its network with its weights, ready for a checkpoint without the file."""
    original = torchvision.models.mobilenet_v3_small()
    torch.save(original.state_dict(), tmp_path / "mobilenet_v3_small-047dcff4.pth")
    backbone = build(str(tmp_path / "mobilenet_v3_small-047dcff4.pth"))
    assert backbone.name == "mobilenet_v3_small"
    key = "features.0.0.weight"
    assert torch.equal(backbone.module.state_dict()[key], original.state_dict()[key])


def test_a_predictor_lends_its_backbone(tmp_path: Path, tiny_network: str) -> None:
    """The network may be a predictor.ckpt: same weights, same preprocessing, same embeddings."""
    backbone = build(tiny_network)
    Predictor(backbone, Head.empty(24, 4, 2)).save(tmp_path / "predictor.ckpt")
    lent = build(str(tmp_path / "predictor.ckpt"))
    assert lent.name == tiny_network
    assert lent.fingerprint == backbone.fingerprint


@pytest.mark.parametrize("content", ["text", "other", "half", "code", "list"])
def test_a_file_without_weights_that_fit_is_one_sentence(tmp_path: Path, tiny_network: str, content: str) -> None:
    """Damaged, foreign and malicious files are a person's mistake, never a traceback, and never run."""
    path = tmp_path / f"{tiny_network}-1.pth"
    buffer = io.BytesIO()
    saved: dict[str, object] = {
        "other": {"weight": torch.zeros(3)},
        "half": build(tiny_network).module.state_dict(),
        "code": {"weight": print},
        "list": [torch.zeros(3)],
    }
    torch.save(saved.get(content), buffer)
    data = buffer.getvalue()
    path.write_bytes({"text": b"no weights", "half": data[: len(data) // 2]}.get(content, data))
    with pytest.raises(UsageError, match="holds no weights that fit"):
        build(str(path))


def test_damage_inside_a_file_of_weights_is_noticed(tmp_path: Path, tiny_network: str) -> None:
    """A single flipped bit among the weights is refused."""
    module = build(tiny_network).module
    path = tmp_path / f"{tiny_network}-1.pth"
    torch.save(module.state_dict(), path)
    data = bytearray(path.read_bytes())
    place = data.index(module.state_dict()["0.weight"].numpy().tobytes())
    data[place + 5] ^= 1
    path.write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        build(str(path))


def test_the_fingerprint_changes_with_any_weight() -> None:
    """One figure more or less, of any kind, or another name, is another fingerprint."""
    module = nn.BatchNorm1d(3)
    prints = {fingerprint(module), fingerprint(module, "name")}
    state = module.state_dict()
    state["running_mean"][1] += 1e-3
    prints.add(fingerprint(module))
    state["num_batches_tracked"] += 1
    prints.add(fingerprint(module))
    assert len(prints) == 4
    assert all(len(text) == 16 and int(text, 16) >= 0 for text in prints)


def test_the_command_says_whether_a_network_can_be_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_network: str
) -> None:
    """Exit code 0 in silence, or one sentence and exit code 2."""
    monkeypatch.setattr(sys, "argv", ["IA.networks", tiny_network])
    one_sentence(networks.main)
    assert capsys.readouterr() == ("", "")
    for arguments in (["nonsense"], []):
        monkeypatch.setattr(sys, "argv", ["IA.networks", *arguments])
        with pytest.raises(SystemExit) as raised:
            one_sentence(networks.main)
        assert raised.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1

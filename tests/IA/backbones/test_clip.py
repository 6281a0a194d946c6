"""Networks of open_clip: images and texts in one space."""

import json
import logging
import sys
from pathlib import Path

import open_clip
import pytest
import torch

from config import UsageError
from IA.backbones.hub import HUB
from IA.embedding.embedder import Embedder
from IA.learning.head import Head
from IA.model import Predictor
from IA.networks import build

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1},
}


@pytest.fixture
def tiny_clip(tmp_path: Path) -> str:
    """The name of a tiny network of images and texts, whose random weights lie in a file."""
    (tmp_path / "tiny-clip.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(tmp_path / "tiny-clip.json")
    torch.manual_seed(0)
    torch.save(open_clip.create_model("tiny-clip").state_dict(), tmp_path / "weights.pt")
    return f"open_clip:tiny-clip/{tmp_path / 'weights.pt'}"


def test_images_and_texts_share_a_space(tiny_clip: str, tmp_path: Path, images_folder: Path) -> None:
    """Images are embedded and texts encoded as by the whole network."""
    whole = open_clip.create_model("tiny-clip", pretrained=str(tmp_path / "weights.pt")).eval()
    backbone = build(tiny_clip)
    image, texts = torch.randn(1, 3, 32, 32), ["a lynx at night", "ein Luchs 🐈", ""]
    assert backbone.encode_text is not None
    vectors = backbone.encode_text(texts)
    with torch.inference_mode():
        assert torch.equal(backbone.module(image), whole.encode_image(image))
        assert torch.equal(vectors, whole.encode_text(open_clip.get_tokenizer("tiny-clip")(texts), normalize=True))
    assert (vectors.shape, vectors.dtype) == ((3, backbone.dimension), torch.float32)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3))
    embedded = Embedder(backbone, cores=1).vectors([images_folder / "red/0.png", images_folder / "blue/0.png"])
    assert embedded.isfinite().all()
    assert not torch.equal(embedded[0], embedded[1])


def test_a_checkpoint_needs_neither_the_texts_nor_the_file(tiny_clip: str, tmp_path: Path) -> None:
    """The checkpoint keeps the image tower alone, names no path of this machine, and loads without the file."""
    backbone = build(tiny_clip)
    assert backbone.name == "open_clip:tiny-clip/weights.pt"
    Predictor(backbone, Head.empty(16, 4, 2)).save(tmp_path / "predictor.ckpt")
    (tmp_path / "weights.pt").unlink()
    again = Predictor.load(tmp_path / "predictor.ckpt")
    image = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(again.backbone(image), backbone.module(image))
    assert not [name for name in again.state_dict() if "text" in name or "token" in name]
    lent = build(str(tmp_path / "predictor.ckpt"))
    assert (lent.encode_text, lent.fingerprint) == (None, backbone.fingerprint)


@pytest.mark.parametrize("name", ["tiny-clip", "tiny-clip/", "tiny-clip/no/such.pt", "nonsense/openai", ""])
def test_a_wrong_name_is_one_sentence(tiny_clip: str, name: str) -> None:
    """The sentence says what is wrong and what to do."""
    with pytest.raises(UsageError) as raised:
        build(f"open_clip:{name}")
    assert str(raised.value).endswith(".")
    assert any(word in str(raised.value) for word in ("choose", "name"))


def test_weights_of_another_network_are_one_sentence(tiny_clip: str, tmp_path: Path) -> None:
    """Weights that do not fit, and a file with a flipped bit, are refused by name."""
    file = tmp_path / "weights.pt"
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    with pytest.raises(UsageError, match=r"weights\.pt holds no weights that fit tiny-clip \(.*damaged"):
        build(tiny_clip)
    torch.save({"weight": torch.zeros(3)}, file)
    with pytest.raises(UsageError, match=r"weights\.pt holds no weights that fit tiny-clip"):
        build(tiny_clip)


def test_without_a_connection_nothing_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Weights that are not on this machine are one sentence that names the hub, at once."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("IA.backbones.hub.is_reachable", lambda: False)
    with pytest.raises(UsageError, match=f"{HUB} cannot be reached"):
        build("open_clip:ViT-B-32/laion2b_s34b_b79k")


def test_without_the_package_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to install."""
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(UsageError, match=r"pip install -e '\.\[clip\]'"):
        build("open_clip:ViT-B-32/openai")


def test_open_clip_leaves_the_logs_alone(tiny_clip: str, caplog: pytest.LogCaptureFixture) -> None:
    """Building a network says nothing in the root log, and leaves its handlers and filters as they were."""
    root = logging.getLogger()
    before = list(root.handlers), list(root.filters)
    build(tiny_clip)
    build(tiny_clip, pretrained=False)
    assert (list(root.handlers), list(root.filters)) == before
    assert not caplog.records

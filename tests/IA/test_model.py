"""The predictor and its file."""

import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from IA import model
from IA.dataset import load, normalise
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.model import FORMAT, Predictor, load_head
from IA.networks import build

CLASSES = {"positive": "red", "negative": "blue"}


@pytest.fixture
def predictor(images_folder: Path, tiny_network: str) -> Predictor:
    """A predictor that has learnt to tell the red pictures from the blue ones."""
    backbone = build(tiny_network)
    untrained = Predictor(backbone, Head.empty(backbone.dimension, 1, 0))
    paths = sorted(images_folder.glob("*/*.png"))
    images = torch.stack([load(path, backbone.preprocessing) for path in paths])
    vectors = untrained.embeddings(normalise(images, backbone.preprocessing))
    space = Projection.from_vectors(vectors)
    labels = torch.tensor([path.parent.name == "red" for path in paths])
    head = Head.fit(space.project(vectors), labels, space)
    return Predictor(
        backbone, head, classes=CLASSES, threshold=0.4, labels=12, metrics={"average_precision": 1.0}, generation=7
    )


@pytest.fixture
def content(predictor: Predictor, tmp_path: Path) -> dict[str, Any]:
    """The content of the predictor's file, as torch reads it."""
    predictor.save(tmp_path / "predictor.ckpt")
    read: dict[str, Any] = torch.load(tmp_path / "predictor.ckpt", weights_only=True)
    return read


def test_three_lines_predict(predictor: Predictor, images_folder: Path, tmp_path: Path) -> None:
    """A loaded predictor predicts files given as strings or paths, and gives NaN for a file that is no image."""
    predictor.save(tmp_path / "predictor.ckpt")
    (images_folder / "torn.jpg").write_bytes(b"torn")
    loaded = Predictor.load(str(tmp_path / "predictor.ckpt"))
    red, blue, torn, gone = loaded.predict(
        [str(images_folder / "red/0.png"), images_folder / "blue/0.png", images_folder / "torn.jpg", "gone.jpg"]
    )
    assert 0 <= blue < 0.3 < 0.7 < red <= 1
    assert math.isnan(torn)
    assert math.isnan(gone)
    assert loaded.predict([]) == []


def test_many_images_get_what_few_get(
    predictor: Predictor, images_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a large folder the network is compiled, and predicts the same."""
    paths = sorted(images_folder.rglob("*.png"))
    few = predictor.predict(paths)
    monkeypatch.setattr(model, "MANY", 1)
    assert predictor.predict(paths) == pytest.approx(few, abs=1e-4)


def test_a_loaded_predictor_is_the_saved_one(predictor: Predictor, images_folder: Path, tmp_path: Path) -> None:
    """A predictor that is saved and loaded gives the same probabilities to the last bit, and the same figures."""
    predictor.save(tmp_path / "predictor.ckpt")
    loaded = Predictor.load(tmp_path / "predictor.ckpt")
    paths = sorted(images_folder.glob("*/*.png"))
    assert loaded.predict(paths) == predictor.predict(paths)
    for name in ("network", "backbone", "preprocessing", "classes", "threshold", "labels", "metrics", "generation"):
        assert getattr(loaded.checkpoint, name) == getattr(predictor.checkpoint, name)


def test_the_file_has_the_keys_people_rely_on(content: dict[str, Any], predictor: Predictor) -> None:
    """A plain `torch.load` reads the documented dict of built-in types and tensors."""
    state = content.pop("state_dict")
    assert content.pop("created").endswith("+00:00")
    assert content == {
        "format": FORMAT,
        "network": "tiny",
        "backbone": predictor.checkpoint.backbone,
        "preprocessing": predictor.preprocessing.as_dict(),
        "classes": CLASSES,
        "threshold": 0.4,
        "labels": 12,
        "metrics": {"average_precision": 1.0},
        "generation": 7,
        "tile": "",
    }
    assert set(state) == set(predictor.state_dict())
    assert {name.split(".")[0] for name in state} == {"backbone", "head"}


def test_the_head_alone_can_be_loaded(predictor: Predictor, tmp_path: Path) -> None:
    """Everything but the backbone is read, and stays in memory when the file is replaced or removed."""
    predictor.save(tmp_path / "predictor.ckpt")
    checkpoint = load_head(tmp_path / "predictor.ckpt")
    (tmp_path / "predictor.ckpt").unlink()
    vectors = torch.randn(5, 24)
    assert torch.equal(checkpoint.head(vectors), predictor.head(vectors))
    assert (checkpoint.generation, checkpoint.labels, checkpoint.classes) == (7, 12, CLASSES)
    path = tmp_path / os.fsdecode(b"r\xe4n.ckpt")  # torch cannot map a file whose name is not UTF-8
    predictor.save(path)
    assert load_head(path).generation == Predictor.load(path).checkpoint.generation == 7


def test_what_tiles_it_learnt(predictor: Predictor, content: dict[str, Any], tmp_path: Path) -> None:
    """The file keeps the grid; a file from before there were tiles has learnt photos."""
    path = tmp_path / "other.ckpt"
    torch.save(content | {"tile": "6x4"}, path)
    assert (Predictor.load(path).checkpoint.tile, load_head(path).tile) == ("6x4", "6x4")
    Predictor.load(path).save(path)
    assert torch.load(path, weights_only=True)["tile"] == "6x4"
    del content["tile"]
    torch.save(content, path)
    assert Predictor.load(path).checkpoint.tile == ""


def test_an_empty_batch_is_refused(predictor: Predictor) -> None:
    """An empty batch has no probabilities and raises ValueError; its embeddings are empty."""
    with pytest.raises(ValueError, match="empty"):
        predictor.probabilities(torch.zeros(0, 3, 32, 32))
    assert predictor.embeddings(torch.zeros(2, 3, 32, 32)).shape == (2, 24)


def test_a_predictor_that_is_not_finite_is_not_saved(predictor: Predictor, tmp_path: Path) -> None:
    """A predictor that is not finite is not saved, and the last good file stays."""
    path = tmp_path / "predictor.ckpt"
    predictor.save(path)
    before = path.read_bytes()
    predictor.head.weights[0] = math.nan
    with pytest.raises(ValueError, match=r"head\.weights"):
        predictor.save(path)
    assert path.read_bytes() == before


def test_a_full_disk_leaves_the_old_file(predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If writing fails, the old file stays whole and no temporary file is left."""
    path = tmp_path / "run" / "predictor.ckpt"
    path.parent.mkdir()
    predictor.save(path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        predictor.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"network": "nonsense"},
        {"network": 3},
        {"state_dict": {}},
        {"preprocessing": {"size_px": 32}},
        {"classes": {"positive": "red"}},
        {"classes": None},
        {"threshold": 2.0},
        {"threshold": math.nan},
        {"labels": "12"},
        {"metrics": {"loss": "low"}},
        {"generation": True},
        {"backbone": None},
        {"tile": None},
        {"tile": "six by four"},
        {"tile": "999x999"},
    ],
)
def test_a_foreign_checkpoint_is_refused(content: dict[str, Any], tmp_path: Path, change: dict[str, Any]) -> None:
    """Whichever key is wrong, one sentence names the file."""
    torch.save(content | change, tmp_path / "bad.ckpt")
    with pytest.raises(ValueError, match=r"bad\.ckpt is not a good predictor\.ckpt \(.*\)\.$"):
        Predictor.load(tmp_path / "bad.ckpt")


@pytest.mark.parametrize("key", ["backbone.0.weight", "head.mean", "head.weights", "head.basis"])
@pytest.mark.parametrize("change", ["missing", "nan", "shape"])
def test_wrong_weights_are_refused(content: dict[str, Any], tmp_path: Path, key: str, change: str) -> None:
    """A file in which a weight is missing, not finite or of another shape raises ValueError."""
    state = content["state_dict"]
    if change == "missing":
        del state[key]
    else:
        state[key] = torch.full_like(state[key], math.nan) if change == "nan" else torch.zeros(5)
    torch.save(content, tmp_path / "bad.ckpt")
    with pytest.raises(ValueError, match="not a good"):
        Predictor.load(tmp_path / "bad.ckpt")
    if key.startswith("head"):
        with pytest.raises(ValueError, match="not a good"):
            load_head(tmp_path / "bad.ckpt")


def test_a_torn_or_malicious_file_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    """A file that is cut off, empty, foreign or holds code raises ValueError in both readers."""
    path = tmp_path / "predictor.ckpt"
    predictor.save(path)
    data = path.read_bytes()
    torch.save({"format": print}, tmp_path / "code.ckpt")
    bad = [data[:length] for length in (0, 1, 100, len(data) // 2, len(data) - 1)]
    for torn in [*bad, b"PK not a zip", (tmp_path / "code.ckpt").read_bytes()]:
        path.write_bytes(torn)
        for reader in (Predictor.load, load_head):
            with pytest.raises(ValueError, match="not a good"):
                reader(path)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    """A missing file raises FileNotFoundError, as inference waits for the first file."""
    for reader in (Predictor.load, load_head):
        with pytest.raises(FileNotFoundError):
            reader(tmp_path / "predictor.ckpt")


def test_nothing_is_downloaded(predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading builds the architecture alone and downloads no weights."""
    asked: list[bool] = []
    build_it = build
    predictor.save(tmp_path / "predictor.ckpt")

    def watch(name: str, pretrained: bool = True) -> Any:
        asked.append(pretrained)
        return build_it(name, pretrained)

    monkeypatch.setattr("IA.model.build", watch)
    Predictor.load(tmp_path / "predictor.ckpt")
    assert asked == [False]


def test_odd_images_are_predicted_too(predictor: Predictor, tmp_path: Path) -> None:
    """Images in CMYK, with a palette or of a single pixel get a probability."""
    for mode in ("CMYK", "P", "L", "1"):
        Image.new(mode, (1, 1)).save(tmp_path / f"{mode}.tif")
    probabilities = predictor.predict(sorted(tmp_path.glob("*.tif")))
    assert len(probabilities) == 4
    assert all(0 <= probability <= 1 for probability in probabilities)

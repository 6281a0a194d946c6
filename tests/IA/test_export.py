"""Predictors taken elsewhere: the files, run as others would run them, and their card."""

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from config import ROOT, UsageError
from IA import export
from IA.export import about, as_onnx, as_torch
from IA.exporting.card import card
from IA.exporting.graph import traced
from IA.images.pixels import upright_pixels
from IA.images.tiles import Grid
from IA.model import Predictor
from IA.networks import register
from IA.process.loop import one_sentence
from tests.conftest import tiny
from tests.predictors import CLASSES, trained


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A predictor that tells red from blue."""
    register("tiny")(tiny)
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for name, colour in {"red": (200, 40, 40), "blue": (40, 40, 200)}.items():
        (folder / name).mkdir()
        for number in range(6):
            pixels = np.array(colour) + random.integers(-30, 30, (40, 60, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.png")
    return trained(folder, "tiny")


@pytest.fixture(scope="module")
def files(predictor: Predictor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with predictor.ckpt, .onnx and .pt2, made once because tracing takes seconds."""
    folder = tmp_path_factory.mktemp("exported")
    predictor.save(folder / "predictor.ckpt")
    program = traced(predictor)
    (folder / "predictor.onnx").write_bytes(as_onnx(program, predictor.checkpoint))
    (folder / "predictor.pt2").write_bytes(as_torch(program, predictor.checkpoint))
    return folder


@pytest.fixture
def saved(predictor: Predictor, tmp_path: Path) -> Path:
    """A folder with predictor.ckpt, and a predictor.onnx that is none."""
    predictor.save(tmp_path / "predictor.ckpt")
    (tmp_path / "predictor.onnx").write_bytes(b"no checkpoint")
    return tmp_path


def session(path: Path) -> Any:
    """The file in ONNX Runtime."""
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def odd_pictures(folder: Path) -> Iterator[Path]:
    """Portrait, tiny, panorama, grey, transparent, turned, 16 bit, of a palette, and a JPEG that is decoded small."""
    random = np.random.default_rng(1)
    reddish = np.linspace((30, 30, 220), (220, 60, 30), 90).astype(np.uint8)  # from blue to red

    def noise(height_px: int, width_px: int) -> Image.Image:
        rows = reddish[np.linspace(0, 89, height_px).astype(int), None] + random.integers(
            0, 30, (height_px, width_px, 3)
        )
        return Image.fromarray(rows.clip(0, 255).astype(np.uint8))

    turned = Image.Exif()
    turned[0x0112] = 6
    deep = Image.fromarray(random.integers(0, 65535, (50, 70)).astype(np.uint16))
    pictures: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("portrait.png", noise(120, 40), {}),
        ("landscape.png", noise(90, 120), {}),
        ("pixel.png", noise(1, 1), {}),
        ("panorama.png", noise(40, 900), {}),
        ("tower.png", noise(900, 13), {}),
        ("grey.png", noise(60, 60).convert("L"), {}),
        ("clear.png", Image.merge("RGBA", [*noise(60, 70).split(), noise(60, 70).getchannel(0)]), {}),
        ("turned.jpg", noise(60, 100), {"exif": turned}),
        ("deep.png", deep, {}),
        ("palette.gif", noise(50, 60).convert("P"), {}),
        ("large.jpg", noise(800, 1000), {}),
        ("half.webp", noise(333, 334), {}),
    ]
    for name, image, options in pictures:
        image.save(folder / name, **options)
        yield folder / name


@pytest.mark.slow
def test_onnx_says_what_the_predictor_says(predictor: Predictor, files: Path, tmp_path: Path) -> None:
    """Probabilities agree to a thousandth for pictures of every kind, once they are upright and of 8 bit."""
    paths = list(odd_pictures(tmp_path))
    runs, graph = session(files / "predictor.onnx"), torch.export.load(files / "predictor.pt2").module()
    expected = predictor.predict(paths)
    assert max(expected) - min(expected) > 0.5
    for path, probability in zip(paths, expected, strict=True):
        pixels = upright_pixels(path, predictor.preprocessing.size_px)
        said, embedding = runs.run(["probability", "embedding"], {"image": pixels})
        assert said == pytest.approx(probability, abs=1e-3), path.name
        assert said.shape == ()
        assert embedding.shape == (24,)
        assert float(graph(torch.from_numpy(pixels.copy()))[0]) == pytest.approx(probability, abs=1e-3), path.name


@pytest.mark.slow
def test_what_the_card_says_to_do_works(predictor: Predictor, files: Path, tmp_path: Path) -> None:
    """The code in the card runs as it stands, on a large photo that was taken with the camera on its side."""
    turned = Image.Exif()
    turned[0x0112] = 8
    pixels = np.zeros((600, 900, 3), np.uint8)
    pixels[:, :450, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", exif=turned, quality=95)
    expected = predictor.predict([tmp_path / "photo.jpg"])[0]
    for suffix in (".onnx", ".pt2"):
        text = card(predictor.checkpoint, f"predictor{suffix}", suffix, None)
        lines = text.split("```python\n")[1].split("```")[0]
        lines = lines.replace("photo.jpg", f"{tmp_path}/photo.jpg").replace("predictor.", f"{files}/predictor.")
        known: dict[str, Any] = {}
        exec(compile(lines, "card", "exec"), known)
        assert float(known["probability"]) == pytest.approx(expected, abs=1e-3)
        assert f"{predictor.checkpoint.threshold!r} or more" in text


@pytest.mark.slow
def test_what_the_card_says_of_tiles_works(predictor: Predictor, files: Path, tmp_path: Path) -> None:
    """The code in the card cuts up a photo as the predictor does, even one on its side, and finds the same tile."""
    tiled = dataclasses.replace(predictor.checkpoint, tile="5x3")
    pixels = np.random.default_rng(0).integers(0, 60, (603, 1508, 3), dtype=np.uint8)
    pixels[..., 2] += 180
    pixels[210:390, 930:1180] = (220, 40, 30)  # the fourth column, second row, as it is seen
    turned = Image.Exif()
    turned[0x0112] = 8
    Image.fromarray(pixels).save(tmp_path / "upright.jpg", quality=95)
    Image.fromarray(pixels).rotate(270, expand=True).save(tmp_path / "turned.jpg", exif=turned, quality=95)
    for name in ("upright.jpg", "turned.jpg"):
        tiles = list(Grid(5, 3).paths(str(tmp_path / name)))
        expected = predictor.predict(tiles)
        assert tiles[expected.index(max(expected))].endswith("#5x3-c4-r2")
        for suffix in (".onnx", ".pt2"):
            text = card(tiled, f"predictor{suffix}", suffix, None)
            assert "Every photo was cut into 5 x 3 tiles" in text
            lines = text.split("```python\n")[1].split("```")[0]
            lines = lines.replace("photo.jpg", f"{tmp_path}/{name}").replace("predictor.", f"{files}/predictor.")
            known: dict[str, Any] = {}
            exec(compile(lines, "card", "exec"), known)
            assert known["where"] == (4, 2)
            assert float(known["probability"]) == pytest.approx(max(expected), abs=1e-3)
            assert list(known["probabilities"].values()) == pytest.approx(expected, abs=1e-3)
    assert about(tiled)["tile"] == "5x3"
    assert "cut a photo into 5x3" in about(tiled)["usage"]


@pytest.mark.slow
def test_files_say_what_they_are_and_not_where_they_were_made(predictor: Predictor, files: Path) -> None:
    """The files hold classes, threshold, use and names of sizes, and no path of this machine."""
    runs = session(files / "predictor.onnx")
    said = runs.get_modelmeta().custom_metadata_map
    extra = {export.ABOUT: ""}
    torch.export.load(files / "predictor.pt2", extra_files=extra)
    assert said == json.loads(extra[export.ABOUT]) == about(predictor.checkpoint)
    assert json.loads(said["classes"]) == CLASSES
    assert float(said["threshold"]) == 0.4
    assert [(given.name, given.shape, given.type) for given in runs.get_inputs()] == [
        ("image", ["height", "width", 3], "tensor(uint8)")
    ]
    for path in (files / "predictor.onnx", files / "predictor.pt2"):
        data = path.read_bytes()
        assert str(ROOT).encode() not in data
        assert b"site-packages" not in data


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    """Run the command."""
    monkeypatch.setattr(sys, "argv", ["IA.export", *map(str, arguments)])
    one_sentence(export.main)


@pytest.mark.slow
def test_the_command_writes_a_file_and_its_card(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], files: Path, tmp_path: Path
) -> None:
    """The kind of file follows from the name, and an old file is replaced."""
    (tmp_path / "red.pt2").write_bytes(b"old")
    run(monkeypatch, files / "predictor.ckpt", "--out", tmp_path / "red.pt2")
    assert capsys.readouterr().out.split() == [str(tmp_path / "red.pt2"), str(tmp_path / "red.md")]
    assert float(torch.export.load(tmp_path / "red.pt2").module()(torch.zeros(9, 9, 3, dtype=torch.uint8))[0]) <= 1
    assert "# red or blue?" in (tmp_path / "red.md").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"red.pt2", "red.md"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "predictor.ckpt"),
        (["gone.ckpt"], "gone.ckpt"),
        (["predictor.ckpt", "--to", "tflite"], "onnx"),
        (["predictor.ckpt", "--out", "a.txt"], "a.txt should end in"),
        (["predictor.ckpt", "--to", "onnx", "--out", "a.pt2"], "a.pt2 should end in .onnx"),
        (["predictor.ckpt", "--out", "gone/a.onnx"], "no folder gone"),
        (["predictor.ckpt", "--to", "torch", "--run", "gone"], "gone is no run"),
        (["predictor.onnx"], "not a good predictor.ckpt"),
    ],
)
def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    saved: Path,
    arguments: list[str],
    sentence: str,
) -> None:
    """One sentence says what is wrong and what to do; the exit code is 2, and nothing is written."""
    monkeypatch.chdir(saved)
    before = sorted(saved.iterdir())
    with pytest.raises(SystemExit) as raised:
        run(monkeypatch, *arguments)
    assert raised.value.code == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert sorted(saved.iterdir()) == before


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch, saved: Path) -> None:
    """The sentence says what to install, before seconds of tracing."""
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setattr(sys, "argv", ["IA.export", str(saved / "predictor.ckpt")])
    monkeypatch.setattr(export, "traced", None)
    with pytest.raises(UsageError, match=r"pip install -e '.*\[export\]'"):
        export.main()


def test_a_network_too_large_for_onnx_is_one_sentence(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of more than 2 GB, where protocol buffers end, is refused with one sentence."""
    monkeypatch.setattr(export, "MOST_BYTES", 1000)
    program = torch.export.export(predictor.backbone, (torch.zeros(1, 3, 32, 32),))
    with pytest.raises(UsageError, match="2 GB"):
        as_onnx(program, predictor.checkpoint)

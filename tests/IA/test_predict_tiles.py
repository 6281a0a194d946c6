"""The command that labels a folder, by a predictor that has learnt tiles."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from IA.model import Predictor
from tests.IA.test_predict import run
from tests.predictors import trained

RED = {"a.png": (2, 1), "sub/b.png": None, "c.jpg": (3, 2)}
"""Which tile of each photo is red, by column and row of 3 x 2; all others are blue."""


@pytest.fixture
def checkpoint(tmp_path: Path, images_folder: Path, tiny_network: str) -> Path:
    """A predictor that tells red from blue, and has learnt tiles."""
    trained(images_folder, tiny_network, "3x2").save(tmp_path / "predictor.ckpt")
    return tmp_path / "predictor.ckpt"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos that are blue except for one tile each."""
    random = np.random.default_rng(0)
    for name, red in RED.items():
        pixels = np.array((40, 40, 200)) + random.integers(-30, 30, (2 * 40, 3 * 60, 3))
        if red is not None:
            pixels[40 * red[1] - 40 : 40 * red[1], 60 * red[0] - 60 : 60 * red[0]] += (160, 0, -160)
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return tmp_path / "photos"


def tiles_of(name: str, columns: int = 3, rows: int = 2) -> list[str]:
    """The paths of a photo's tiles, row by row."""
    places = [(column, row) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    return [f"{name}#{columns}x{rows}-c{column}-r{row}" for column, row in places]


def named(tile: tuple[int, int] | None) -> str:
    """A tile as it stands behind the mark of a path."""
    return "" if tile is None else f"3x2-c{tile[0]}-r{tile[1]}"


def test_every_tile_is_a_row(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, photos: Path) -> None:
    """Tiles come photo by photo and row by row; each names its photo and place, and is judged by its own pixels."""
    rows = run(monkeypatch, checkpoint, photos)
    assert [row["path"] for row in rows] == [path for name in sorted(RED) for path in tiles_of(name)]
    for row in rows:
        assert row["path"] == f"{row['source_image']}#{row['tile']}"
        is_red = row["tile"] == named(RED[row["source_image"]])
        assert row["label"] == ("red" if is_red else "blue")
        assert float(row["probability"]) > 0.6 if is_red else float(row["probability"]) < 0.4
    with Image.open(photos / "a.png") as photo:
        photo.crop((120, 40, 180, 80)).save(photos / "cut.png")
    alone = run(monkeypatch, checkpoint, photos, "--tile", "none")
    cut = next(row for row in alone if row["path"] == "cut.png")
    tile = next(row for row in rows if row["path"] == "a.png#3x2-c3-r2")
    assert cut["probability"] == tile["probability"]
    assert cut.keys() == {"path", "probability", "label"}


def test_another_grid(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, photos: Path) -> None:
    """A predictor may be asked about other tiles than it has learnt."""
    rows = run(monkeypatch, checkpoint, photos, "--tile", "1x2")
    assert [row["path"] for row in rows] == [path for name in sorted(RED) for path in tiles_of(name, 1, 2)]


def test_rolled_up_a_photo_is_a_row(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, photos: Path) -> None:
    """A photo is as probable as its most probable tile, which the row names; the threshold gives the label."""
    tiles = run(monkeypatch, checkpoint, photos)
    rows = run(monkeypatch, checkpoint, photos, "--roll-up")
    assert [row["path"] for row in rows] == sorted(RED)
    for row in rows:
        own = [tile for tile in tiles if tile["source_image"] == row["path"]]
        best = max(own, key=lambda tile: float(tile["probability"]))
        assert row == {**{key: best[key] for key in ("probability", "label", "tile")}, "path": row["path"]}
        red = RED[row["path"]]
        assert row["label"] == ("blue" if red is None else "red")
        assert red is None or row["tile"] == named(red)


@pytest.mark.parametrize("options", [[], ["--roll-up"]])
def test_an_unreadable_photo_is_one_row_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    checkpoint: Path,
    photos: Path,
    options: list[str],
) -> None:
    """An unreadable photo is one row and not one for each tile, even if it has fewer pixels than tiles."""
    (photos / "b.png").write_bytes(b"torn")
    Image.new("RGB", (2, 9)).save(photos / "small.png")
    rows = run(monkeypatch, checkpoint, photos, *options)
    assert len(rows) == 2 + (3 if options else 18)
    unreadable = [row for row in rows if row["label"] == "unreadable"]
    assert [(row["path"], row["probability"], row["tile"]) for row in unreadable] == [
        ("b.png", "", ""),
        ("small.png", "", ""),
    ]
    told = capfd.readouterr().err
    assert told.count("'b.png' is left out") == told.count("'small.png' is left out") == 1
    assert "too few for 3 x 2 tiles" in told
    assert "2 unreadable" in told


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """The images that each command asks the predictor about."""
    turns: list[list[Path]] = []
    predictions = Predictor.predictions

    def watched(self: Predictor, paths: Iterable[Path], **options: Any) -> Any:
        turns.append(list(paths))
        return predictions(self, turns[-1], **options)

    monkeypatch.setattr(Predictor, "predictions", watched)
    return turns


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
@pytest.mark.parametrize("options", [[], ["--roll-up"]])
def test_a_file_is_gone_on_with_wherever_it_was_cut(
    monkeypatch: pytest.MonkeyPatch,
    asked: list[list[Path]],
    checkpoint: Path,
    photos: Path,
    tmp_path: Path,
    name: str,
    options: list[str],
) -> None:
    """A file cut inside a photo is continued with its missing tiles, or with all of them if a row is about a photo."""
    out = tmp_path / name
    (photos / "b.png").write_bytes(b"torn")
    run(monkeypatch, checkpoint, photos, "--out", out, *options)
    whole = out.read_bytes()
    lines = whole.splitlines(keepends=True)
    torn = next(number for number, line in enumerate(lines) if b"unreadable" in line)
    for kept in range(1, len(lines)):
        out.write_bytes(b"".join(lines[:kept]) + lines[kept][:9])
        run(monkeypatch, checkpoint, photos, "--out", out, *options)
        assert out.read_bytes() == whole
        left = len(lines) - kept
        assert len(asked[-1]) == (6 * left if options else left + 5 * (kept <= torn))  # one row stands for six tiles
    run(monkeypatch, checkpoint, photos, "--out", out, *options)
    assert out.read_bytes() == whole
    assert len(asked[-1]) <= 4  # those that tell one predictor from another, alone


def test_json_lines_name_photo_and_tile(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    """JSON lines have the columns of the CSV; a photo that cannot be read has no tile."""
    (photos / "b.png").write_bytes(b"torn")
    run(monkeypatch, checkpoint, photos, "--out", tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert (rows[0]["path"], rows[0]["source_image"], rows[0]["tile"]) == ("a.png#3x2-c1-r1", "a.png", "3x2-c1-r1")
    torn = next(row for row in rows if row["label"] == "unreadable")
    assert torn.pop("reason")
    assert torn == {"path": "b.png", "probability": None, "label": "unreadable", "source_image": "b.png", "tile": None}


def test_photos_go_into_class_folders(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    """Photos are sorted by their rolled-up rows, also from a file that is complete."""
    out, into = tmp_path / "rows.csv", tmp_path / "sorted"
    run(monkeypatch, checkpoint, photos, "--out", out, "--roll-up")
    run(monkeypatch, checkpoint, photos, "--out", out, "--roll-up", "--to-folders", into, "--link", "hard")
    assert "3 put into folders, 0 were there." in capfd.readouterr().err
    placed = {path.relative_to(into).as_posix() for path in into.rglob("*.*")}
    assert placed == {"red/a.png", "red/c.jpg", "blue/sub/b.png"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--to-folders", "sorted"], "A tile is no file"),
        (["--tile", "none", "--roll-up"], "--roll-up is for tiles"),
        (["--tile", "3"], "no grid of 2 to 1000 tiles"),
        (["--tile", "1x1"], "no grid of 2 to 1000 tiles"),
        (["--tile", "999x999"], "no grid of 2 to 1000 tiles"),
        (["--tile", "2x3", "--out", "tiles.csv"], "another grid of tiles"),
        (["--tile", "2x3", "--roll-up", "--out", "photos.csv"], "another grid of tiles"),
        (["--tile", "none", "--out", "tiles.csv"], "tiles.csv is no file of predictions from byte 0"),
        (["--roll-up", "--out", "tiles.csv"], "tiles.csv is no file of predictions of photos"),
        (["--out", "photos.csv"], "photos.csv is no file of predictions of tiles"),
    ],
)
def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checkpoint: Path,
    photos: Path,
    options: list[str],
    sentence: str,
) -> None:
    """One sentence says what is wrong, and nothing has changed."""
    monkeypatch.chdir(photos.parent)
    run(monkeypatch, checkpoint, photos, "--out", "tiles.csv")
    run(monkeypatch, checkpoint, photos, "--out", "photos.csv", "--roll-up")
    before = {path: path.read_bytes() for path in photos.parent.glob("*.csv")}
    capsys.readouterr()
    with pytest.raises(SystemExit) as raised:
        run(monkeypatch, checkpoint, photos, *options)
    assert raised.value.code == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert {path: path.read_bytes() for path in photos.parent.glob("*.csv")} == before
    assert not (photos.parent / "sorted").exists()


def test_another_predictor_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checkpoint: Path,
    photos: Path,
    images_folder: Path,
    tiny_network: str,
) -> None:
    """Another predictor is found out by the tiles that the first one was least sure about."""
    monkeypatch.chdir(photos.parent)
    for number, options in enumerate(([], ["--roll-up"])):
        trained(images_folder, tiny_network, "3x2").save(checkpoint)
        run(monkeypatch, checkpoint, photos, "--out", f"{number}.csv", *options)
        other = trained(images_folder, tiny_network, "3x2")
        other.head.curve[:, 1] += 0.5
        other.save(checkpoint)
        capsys.readouterr()
        with pytest.raises(SystemExit):
            run(monkeypatch, checkpoint, photos, "--out", f"{number}.csv", *options)
        assert "another predictor" in capsys.readouterr().err
        assert len(Path(f"{number}.csv").read_text().splitlines()) == 1 + (3 if options else 18)

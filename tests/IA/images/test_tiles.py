"""Tiles: the grid over a photo, the paths of its parts, and their pixels however the file is stored."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from IA import dataset
from IA.dataset import Preprocessing, batches, load
from IA.images.decoding import parts
from IA.images.pictures import UnreadableError, is_inside, open_upright
from IA.images.pixels import upright_pixels
from IA.images.tiles import Grid, Tile, grid_of, photo_of, split, split_file

Colours = NDArray[np.uint8]

sides = st.integers(1, 40)
GREY = (0.5, 0.5, 0.5)
AREA = Preprocessing(32, GREY, GREY)


@given(sides, sides, st.integers(40, 5000), st.integers(40, 5000))
def test_tiles_cover_the_photo_once(columns: int, rows: int, width_px: int, height_px: int) -> None:
    """Every pixel is in one tile, and tiles of a photo differ by a pixel at most."""
    boxes = [
        Tile(columns, rows, column, row).box(width_px, height_px)
        for row in range(1, rows + 1)
        for column in range(1, columns + 1)
    ]
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in boxes) == width_px * height_px
    for ends in ({(left, right) for left, _, right, _ in boxes}, {(top, bottom) for _, top, _, bottom in boxes}):
        assert all(one[1] == other[0] for one, other in zip(sorted(ends), sorted(ends)[1:], strict=False))
        lengths = {end - begin for begin, end in ends}
        assert max(lengths) - min(lengths) <= 1


@given(sides, sides, st.text(min_size=1))
def test_a_path_of_a_tile_leads_back(columns: int, rows: int, photo: str) -> None:
    """Each tile's path leads back to its photo and its place, whatever the photo is called."""
    grid = Grid(columns, rows)
    paths = list(grid.paths(photo))
    assert len(set(paths)) == len(paths) == len(grid)
    assert [split(path) for path in paths] == [
        (photo, Tile(columns, rows, column, row)) for row in range(1, rows + 1) for column in range(1, columns + 1)
    ]
    assert grid_of(paths[-1]) == grid


@pytest.mark.parametrize(
    "path",
    [
        "a.jpg",
        "#1.jpg",
        "a#6x4",
        "a.jpg#6x4-c7-r1",
        "a.jpg#6x4-c1-r5",
        "a.jpg#6x4-c0-r1",
        "a.jpg#6x4-c1-r1/b.jpg",
        "#2x2-c1-r1",
    ],
)
def test_other_paths_are_photos(path: str) -> None:
    """A path that only resembles that of a tile is the file of that name."""
    assert split(path) == (path, None)
    assert photo_of(path) == path
    assert split_file(Path(path)) == (Path(path), None)


@given(sides, sides, st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 500))
def test_a_photo_may_shrink_as_long_as_its_tile_is_large_enough(
    columns: int, rows: int, width_px: int, height_px: int, at_least_px: int
) -> None:
    """`whole_px` is the smallest short side with which neither side of a tile is below what is needed."""
    short = min(width_px, height_px)
    whole_px = Tile(columns, rows, 1, 1).whole_px((width_px, height_px), at_least_px)
    least = [whole_px * width_px / short / columns, whole_px * height_px / short / rows]
    assert min(least) >= at_least_px - 1e-6
    assert min(least) * (whole_px - 1) / whole_px < at_least_px


def photo(path: Path, columns: int, rows: int, cell: tuple[int, int], orientation: int = 1) -> Colours:
    """Store a photo each of whose tiles, seen upright, has a colour of its own; returns these, (rows, columns, 3)."""
    colours = np.random.default_rng(0).integers(20, 235, (rows, columns, 3)).astype(np.uint8)
    picture = Image.fromarray(colours.repeat(cell[1], 0).repeat(cell[0], 1))
    if orientation == 6:  # the camera was turned: stored on its side
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif, quality=95, subsampling=0)
    return colours


def inner(pixels: Colours) -> NDArray[np.int64]:
    """The colour in the middle of a picture."""
    return np.array(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2], np.int64)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("at_least_px", [None, 16])
def test_a_tile_is_cut_from_the_upright_photo(
    tmp_path: Path, name: str, orientation: int, at_least_px: int | None
) -> None:
    """Each tile shows its part as a person sees it, alone or with others, at full size or smaller."""
    colours = photo(tmp_path / name, 4, 3, (60, 40), orientation)
    grid = Grid(4, 3)
    tiles = [split(path)[1] for path in grid.paths(name)]
    together = parts(tmp_path / name, tiles, at_least_px)
    for tile, pixels in zip(tiles, together, strict=True):
        assert tile is not None
        file = tmp_path / f"{name}#{tile}"
        alone = upright_pixels(file, at_least_px)
        assert np.array_equal(alone, pixels)
        shown = np.asarray(open_upright(file, at_least_px))
        assert shown.shape == alone.shape
        assert np.abs(inner(pixels) - colours[tile.row - 1, tile.column - 1]).max() <= 3
        assert np.abs(inner(shown) - inner(pixels)).max() <= 2
        if at_least_px is None:
            assert pixels.shape == (40, 60, 3)
    if name == "a.jpg" and at_least_px:
        assert together[0].shape == (20, 30, 3)  # half, where a quarter would be too small


def test_a_photo_with_fewer_pixels_than_tiles_is_unreadable(tmp_path: Path) -> None:
    """One sentence says so, as of any file that cannot be shown."""
    Image.new("RGB", (3, 3)).save(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match="3 x 3 pixels are too few for 6 x 4 tiles"):
        open_upright(tmp_path / "a.png#6x4-c1-r1")
    with pytest.raises(UnreadableError, match="too few"):
        upright_pixels(tmp_path / "a.png#6x4-c1-r1")


def test_a_tile_is_where_its_photo_is(tmp_path: Path) -> None:
    """A tile exists only if its photo does, inside of the folder."""
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link.png").symlink_to(tmp_path / "a.png")
    assert is_inside(tmp_path / "a.png#2x2-c1-r1", tmp_path.resolve())
    assert not is_inside(tmp_path / "b.png#2x2-c1-r1", None)
    assert not is_inside(tmp_path / "folder" / "link.png#2x2-c1-r1", (tmp_path / "folder").resolve())
    with pytest.raises(FileNotFoundError):
        open_upright(tmp_path / "folder" / "link.png#2x2-c1-r1", inside=(tmp_path / "folder").resolve())


def test_tiles_in_a_row_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo is opened once for all of its tiles that follow one another, and each comes at its place."""
    opened: list[str] = []
    one_by_one = parts

    def counted(photo: Path, *arguments: Any) -> list[Colours]:
        opened.append(photo.name)
        return one_by_one(photo, *arguments)

    monkeypatch.setattr(dataset, "parts", counted)
    for name in ("a.jpg", "b.jpg"):
        photo(tmp_path / name, 3, 2, (50, 50))
    (tmp_path / "c.jpg").write_bytes(b"no picture")
    files = [Path(path) for name in ("a.jpg", "b.jpg", "c.jpg") for path in Grid(3, 2).paths(str(tmp_path / name))]
    files += [tmp_path / "a.jpg", files[0]]
    places: dict[int, Tensor] = {}
    unreadable: dict[int, str] = {}
    for number, (stacks, failed) in enumerate(batches(iter(files), AREA, batch_size=4, workers=2)):
        told = [place for some, _ in stacks for place in some] + [place for place, _ in failed]
        assert sorted(told) == list(range(4 * number, 4 * number + 4))
        places |= {place: image for some, images in stacks for place, image in zip(some, images, strict=True)}
        unreadable |= dict(failed)
    assert sorted(opened) == ["a.jpg", "a.jpg", "a.jpg", "b.jpg", "c.jpg"]
    assert set(unreadable) == set(range(12, 18))
    for place, image in places.items():
        assert torch.equal(image, load(files[place], AREA))

"""Near duplicates: which images are grouped and which are not, over restarts, changes and new images."""

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from backend.demo import draw_picture
from IA.duplicates.finder import DuplicateFinder
from IA.duplicates.neighbours import Neighbours, Numbers
from IA.duplicates.thumbnails import MOST, difference, is_flat, thumbnail_of
from IA.embedding.cache import Embeddings
from IA.images.decoding import parts
from IA.images.tiles import Grid
from IA.pool.pool import Pool
from IA.protocol import pickle_file
from IA.protocol.files import DUPLICATES
from IA.protocol.records import MOST_ALIKE

DIMENSION = 8


def looked_at(picture: Image.Image) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """The thumbnail of a picture."""
    return thumbnail_of(np.asarray(picture.convert("RGB")))


def picture(seed: int) -> Image.Image:
    """A picture full of shapes."""
    return draw_picture(False, random.Random(seed))


# --- thumbnails -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_copies_are_near_duplicates(seed: int, tmp_path: Path) -> None:
    """A copy of half the size, strongly compressed and a little darker, is a near duplicate."""
    whole = picture(seed)
    path = tmp_path / "copy.jpg"
    whole.resize((whole.width // 2, whole.height // 2)).save(path, quality=70)
    assert difference(looked_at(whole), looked_at(Image.open(path))) <= MOST
    assert difference(looked_at(whole), looked_at(ImageEnhance.Brightness(whole).enhance(0.95))) <= MOST


def test_a_margin_may_be_cut() -> None:
    """A smooth picture without 2 % of its sides is a near duplicate, although every part of it has moved."""
    x, y = np.meshgrid(np.linspace(0, 9, 400), np.linspace(0, 7, 300))
    pixels = np.stack([128 + 100 * np.sin(x), 128 + 100 * np.cos(x + y), 128 + 100 * np.sin(y)], axis=2)
    whole = Image.fromarray(pixels.astype(np.uint8))
    cut = whole.crop((8, 6, 400, 300))
    assert difference(looked_at(whole), looked_at(cut)) <= MOST
    assert difference(looked_at(cut), looked_at(whole)) <= MOST


@pytest.mark.parametrize("seed", range(6))
def test_a_small_thing_keeps_pictures_apart(seed: int) -> None:
    """An object on 1.5 % of one picture, a little brighter or darker than what it hides, makes two images."""
    whole = np.array(picture(seed)).astype(int)
    side = round((0.015 * whole.shape[0] * whole.shape[1]) ** 0.5)
    top, left = 30 + 15 * seed, 40 + 20 * seed
    place = whole[top : top + side, left : left + side]
    place += 30 if place.mean() < 128 else -30
    other = Image.fromarray(whole.clip(0, 255).astype(np.uint8))
    assert difference(looked_at(picture(seed)), looked_at(other)) > MOST


def test_other_pictures_are_no_near_duplicates() -> None:
    """No two random pictures are near duplicates."""
    looks = [looked_at(picture(seed)) for seed in range(12)]
    assert all(difference(one, other) > MOST for place, one in enumerate(looks) for other in looks[:place])


def test_flat_and_much_brighter_pictures_are_no_near_duplicates() -> None:
    """Pictures of one colour, and pictures of night and day, are no near duplicates."""
    flat = looked_at(Image.new("RGB", (80, 60), (90, 120, 150)))
    assert is_flat(flat)
    assert difference(flat, flat) == float("inf")
    whole = picture(1)
    assert difference(looked_at(whole), looked_at(ImageEnhance.Brightness(whole).enhance(0.6))) == float("inf")


# --- neighbours -------------------------------------------------------------------------------------------------------


def test_near_vectors_are_found() -> None:
    """Of 6,000 vectors, nearly all pairs with a cosine of .95 are found, none below the limit, and none removed."""
    chance = np.random.default_rng(0)
    vectors = chance.standard_normal((6000, 32)).astype(np.float32)
    vectors[3000:] = vectors[:3000] + 0.3 * chance.standard_normal((3000, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    neighbours = Neighbours(32)
    order = chance.permutation(6000)
    found: set[tuple[int, int]] = set()

    def vectors_of(numbers: Numbers) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        return vectors[numbers]

    for start in range(0, 6000, 1500):
        numbers = order[start : start + 1500]
        codes = neighbours.add(numbers, vectors[numbers])
        one, other, cosine = neighbours.pairs(numbers, codes, vectors_of, 0.85)
        assert len(cosine) == 0 or cosine.min() >= 0.85
        found |= {(min(pair), max(pair)) for pair in zip(one.tolist(), other.tolist(), strict=True)}
    pairs = [(image, image + 3000) for image in range(3000) if vectors[image] @ vectors[image + 3000] > 0.94]
    assert len(pairs) > 1500
    assert np.mean([pair in found for pair in pairs]) > 0.97
    neighbours.forget(np.arange(3000))
    codes = neighbours.add(order[:0], vectors[:0])
    numbers = np.arange(4000, 4010)
    again = neighbours.add(numbers, vectors[numbers])
    _, other, _ = neighbours.pairs(numbers, again, vectors_of, 0.85)
    assert not {number - 3000 for number in numbers} & set(other.tolist())


# --- grouping ---------------------------------------------------------------------------------------------------------


class Folder:
    """Pictures, a pool that has them embedded, and the finder that groups them."""

    def __init__(self, path: Path) -> None:
        """Begin with an empty folder."""
        self.folder, self.run = path / "images", path / "run"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pool = Pool(Embeddings(path / "cache", DIMENSION))
        self.names: list[str] = []
        self.vectors = np.random.default_rng(0).standard_normal((500, DIMENSION)).astype(np.float32)
        self.restart()

    def restart(self) -> None:
        """Begin again with what is on the disk."""
        self.finder = DuplicateFinder(self.run)

    def save(self, name: str, shown: Image.Image, near: int | None = None, quality: int = 90) -> None:
        """Add or replace a picture; in the embedding it is near one of the others."""
        shown.save(self.folder / name, quality=quality)
        if name not in self.names:
            self.names.append(name)
        number = self.names.index(name)
        if near is not None:
            self.vectors[number] = self.vectors[near] * 1.01

    def look(self, turns: int = 50) -> list[int]:
        """Embed the missing images, find all near duplicates, and read what is published."""
        self.pool.follow(self.folder, self.names)
        missing = self.pool.missing()
        self.pool.add(missing, self.vectors[missing])
        if self.pool.view is None:
            self.pool.enter(self.pool.space(100))
        for _ in range(turns):
            if not self.finder.turn(self.pool, self.file, None, False, lambda: False):
                break
        first: list[int] = np.asarray(pickle_file.read(self.run, DUPLICATES).content.first).tolist()
        return first

    def file(self, number: int) -> Path:
        """Where an image lies."""
        return self.folder / self.names[number]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Six pictures, of which 1, 3 and 4 are copies."""
    folder = Folder(tmp_path)
    for number, (seed, near) in enumerate([(0, None), (1, None), (2, None), (1, 1), (1, 1), (3, 1)]):
        folder.save(f"{number}.jpg", picture(seed), near, quality=95 - 5 * number)
    return folder


def test_groups(folder: Folder) -> None:
    """Near duplicates are near in the embedding and have similar thumbnails; either alone is not enough."""
    assert folder.look() == [0, 1, 2, 1, 1, 5]


def test_new_images_join_and_a_restart_changes_nothing(folder: Folder) -> None:
    """A copy that comes later joins the group; after a restart no known image is decoded again."""
    folder.look()
    folder.save("6.jpg", picture(1), 1, quality=40)
    folder.save("7.jpg", picture(2), 2, quality=40)
    assert folder.look() == [0, 1, 2, 1, 1, 5, 1, 2]
    folder.restart()
    folder.save("8.jpg", picture(0), 0, quality=40)
    assert folder.look() == [0, 1, 2, 1, 1, 5, 1, 2, 0]


def test_another_picture_in_its_place_leaves_the_group(folder: Folder) -> None:
    """A changed image, even the representative, leaves its group; the others stay together, even after a restart."""
    folder.look()
    folder.save("3.jpg", picture(7), 1)
    assert folder.look() == [0, 1, 2, 3, 1, 5]
    folder.save("6.jpg", picture(1), 1)
    folder.look()
    folder.save("1.jpg", picture(8), 1)
    assert folder.look() == [0, 1, 2, 3, 4, 5, 4]
    folder.save("4.jpg", picture(9), 1)
    folder.restart()
    assert folder.look() == [0, 1, 2, 3, 4, 5, 6]


def test_a_file_that_is_gone_leaves_the_group(folder: Folder) -> None:
    """The other images of the group are grouped without the removed one."""
    folder.look()
    (folder.folder / "1.jpg").unlink()
    assert folder.look() == [0, 1, 2, 3, 3, 5]


def test_flat_pictures_only_if_they_are_the_same_file(folder: Folder) -> None:
    """Flat pictures are near duplicates only if their files are the same."""
    plain = Image.new("RGB", (64, 64), (200, 200, 200))
    folder.save("6.png", plain)
    folder.save("7.png", plain, 6)
    folder.save("8.png", Image.new("RGB", (64, 64), (201, 200, 200)), 6)
    assert folder.look()[6:] == [6, 6, 8]


def tiled(folder: Folder, photos: int, columns: int = 8, rows: int = 4) -> list[str]:
    """Photos of the same shapes with a little grain, their tiles in the pool; returns the photos."""
    folder.folder.mkdir(exist_ok=True)
    cells = [np.array(picture(seed).resize((480, 480))) for seed in range(8)]
    whole = np.vstack([np.hstack(cells[:4]), np.hstack(cells[4:])])  # each cell is four tiles
    noise = np.random.default_rng(0)
    names = [f"frame {number}.jpg" for number in range(photos)]
    for name in names:
        grain = noise.integers(-4, 5, (*whole.shape[:2], 1))
        Image.fromarray((whole + grain).clip(0, 255).astype(np.uint8)).save(folder.folder / name, quality=90)
    for number, name in enumerate(names):
        folder.names += Grid(columns, rows).paths(name)
        if number:
            tiles = slice(number * columns * rows, (number + 1) * columns * rows)
            folder.vectors[tiles] = folder.vectors[: columns * rows] * 1.01
    return names


def test_tiles_of_frames_that_show_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles are grouped one by one, but for the tile that differs; a photo is decoded once for all its tiles."""
    folder = Folder(tmp_path)
    names = tiled(folder, 4)
    with Image.open(folder.folder / names[2]) as photo:
        side = photo.width // 8
        there = photo.copy()
    there.paste((250, 250, 240), (round(2.4 * side), round(0.3 * side), round(2.6 * side), round(0.5 * side)))
    there.save(folder.folder / names[2], quality=90)
    decoded: list[Path] = []

    def watched(photo: Path, *arguments: object) -> object:
        decoded.append(photo)
        return parts(photo, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("IA.duplicates.finder.parts", watched)
    expected = [number % 32 for number in range(4 * 32)]
    expected[2 * 32 + 2] = 2 * 32 + 2
    found = folder.look()
    assert [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]] == []
    assert len(decoded) <= 6


def test_flat_tiles_only_if_they_are_the_same_tile_of_the_same_file(folder: Folder) -> None:
    """Flat tiles are compared by the files of their photos."""
    plain = Image.new("RGB", (120, 80), (200, 200, 200))
    plain.save(folder.folder / "0.png")
    plain.save(folder.folder / "1.png")
    plain.save(folder.folder / "2.png", compress_level=0)
    folder.names += [f"{number}.png#2x1-c{column}-r1" for number in range(3) for column in (1, 2)]
    folder.vectors[7:12] = folder.vectors[6] * 1.01
    assert folder.look()[6:] == [6, 7, 6, 7, 10, 11]


def test_unreadable_files_stand_alone(folder: Folder) -> None:
    """No damaged file ends the search."""
    (folder.folder / "4.jpg").write_bytes(b"no picture")
    assert folder.look() == [0, 1, 2, 1, 4, 5]


def test_another_space_keeps_the_groups(folder: Folder) -> None:
    """In a new space, known groups stay, and new images are found."""
    folder.look()
    folder.pool.enter(folder.pool.space(3, seed=1))
    folder.save("6.jpg", picture(1), 1, quality=40)
    assert folder.look() == [0, 1, 2, 1, 1, 5, 1]


def test_groups_are_bounded(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group has no more images than a person can look over."""
    monkeypatch.setattr("IA.duplicates.finder.MOST_ALIKE", 2)
    assert folder.look() == [0, 1, 2, 1, 4, 5]
    assert MOST_ALIKE <= 100


def test_a_turn_without_time_begins_nothing(folder: Folder) -> None:
    """A turn without time begins nothing; later turns go on."""
    folder.pool.follow(folder.folder, folder.names)
    folder.pool.add(folder.pool.missing(), folder.vectors[:6])
    folder.pool.enter(folder.pool.space(100))
    assert folder.finder.turn(folder.pool, folder.file, None, False, lambda: True)
    assert folder.look() == [0, 1, 2, 1, 1, 5]

"""The images of a folder: listed, followed, numbered for good."""

import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from backend.images.images import Images
from IA.images.tiles import Grid
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from tests.serving import until


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """A folder of images with everything that people put in folders."""
    folder = tmp_path / "data"
    for name in ["b.jpg", "a.JPEG", "sub dir/ü\n'\".PNG", "sub dir/deeper/x.tIf", "z.webp"]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    for name in ["notes.txt", ".hidden.jpg", ".thumbnails/t.jpg", "folder.jpg/inside.png"]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder.resolve()


@pytest.fixture
def follow(tmp_path: Path, datadir: Path) -> Iterator[Callable[[], Images]]:
    """Starts to follow the folder and waits until it is listed."""
    opened: list[Images] = []

    def start() -> Images:
        images = Images(tmp_path / "run", datadir)
        opened.append(images)
        images.start()
        until(lambda: not images.listing)
        return images

    (tmp_path / "run").mkdir()
    yield start
    for images in opened:
        images.close()


def present(images: Images) -> set[str]:
    """Paths of the images there are now."""
    return {images.path(number) for number in range(len(images)) if not images.is_gone(number)}


EXPECTED = {"b.jpg", "a.JPEG", "sub dir/ü\n'\".PNG", "sub dir/deeper/x.tIf", "z.webp", "folder.jpg/inside.png"}


@pytest.mark.parametrize("run", ["data/run", ".", "data"])
def test_a_run_inside_around_or_in_place_of_the_images(tmp_path: Path, datadir: Path, run: str) -> None:
    """Wherever the run is, new images are noticed, and a run among the images is no part of them."""
    (tmp_path / run).mkdir(exist_ok=True)
    images = Images(tmp_path / run, datadir)
    images.start()
    try:
        until(lambda: not images.listing)
        (datadir / "new.jpg").write_bytes(b"")
        (tmp_path / run / "cache").mkdir()
        (tmp_path / run / "cache" / "preview.jpg").write_bytes(b"")
        until(lambda: "new.jpg" in present(images))
        inside = {"cache/preview.jpg"} if run == "data" else set()
        assert present(images) - inside == EXPECTED | {"new.jpg"}
    finally:
        images.close()


def test_lists_all_kinds(tmp_path: Path, follow: Callable[[], Images]) -> None:
    """Suffixes in any case, subfolders and odd names are listed; hidden ones and other files are not."""
    images = follow()
    assert present(images) == EXPECTED
    with (tmp_path / "run" / "images.pickle").open("rb") as file:
        assert set(pickle.load(file)) == EXPECTED


def test_numbers_stay(datadir: Path, follow: Callable[[], Images]) -> None:
    """A restart keeps every number; what is new comes after, what is gone keeps its number."""
    before = follow()
    numbers = {before.path(number): number for number in range(len(before))}
    before.close()
    (datadir / "aa.png").write_bytes(b"")
    (datadir / "b.jpg").unlink()
    after = follow()
    assert {path: after.number(path) for path in numbers} == numbers
    assert after.number("aa.png") == len(numbers)
    assert present(after) == EXPECTED - {"b.jpg"} | {"aa.png"}
    assert after.present == len(EXPECTED)


@pytest.mark.slow
def test_follows_the_folder(datadir: Path, follow: Callable[[], Images]) -> None:
    """Files and folders that come, go, move and come back are followed while it runs."""
    images = follow()
    (datadir / "new.jpg").write_bytes(b"")
    until(lambda: "new.jpg" in present(images))
    (datadir / "new.jpg").unlink()
    until(lambda: "new.jpg" not in present(images))
    number = images.number("new.jpg")
    (datadir / "new.jpg").write_bytes(b"")
    until(lambda: "new.jpg" in present(images))
    assert images.number("new.jpg") == number
    (datadir / "sub dir").rename(datadir / "moved")
    until(lambda: {"moved/deeper/x.tIf", "moved/ü\n'\".PNG"} <= present(images))
    until(lambda: not any(path.startswith("sub dir/") for path in present(images)))
    shutil.rmtree(datadir / "moved")
    until(lambda: not any(path.startswith("moved/") for path in present(images)))
    (datadir / "filled" / "deep").mkdir(parents=True)
    (datadir / "filled" / "deep" / "y.gif").write_bytes(b"")
    until(lambda: "filled/deep/y.gif" in present(images))


def test_a_rewritten_file_is_another(datadir: Path, follow: Callable[[], Images]) -> None:
    """A file written anew keeps its number and gets another version, so that no cache shows the old picture."""
    images = follow()
    number = images.number("b.jpg")
    assert number is not None
    before = images.version(number)
    Image.new("RGB", (8, 8)).save(datadir / "b.jpg")
    assert images.version(number) != before


def test_links_stay_inside(tmp_path: Path, datadir: Path, follow: Callable[[], Images]) -> None:
    """A link to an image inside counts; one that leads out, or in a circle, does not."""
    (tmp_path / "secret.jpg").write_bytes(b"")
    (datadir / "in.jpg").symlink_to(datadir / "b.jpg")
    (datadir / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (datadir / "circle.jpg").symlink_to(datadir / "circle.jpg")
    (datadir / "up").symlink_to(tmp_path)
    images = follow()
    assert present(images) == EXPECTED | {"in.jpg"}
    number = images.number("in.jpg")
    assert number is not None
    (datadir / "in.jpg").unlink()
    (datadir / "in.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(FileNotFoundError):
        images.file(number)


def test_the_run_is_no_image_folder(datadir: Path) -> None:
    """A run directory inside the image folder is not searched for images."""
    run = datadir / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "preview.jpg").write_bytes(b"")
    images = Images(run, datadir)
    images.start()
    until(lambda: not images.listing)
    assert present(images) == EXPECTED
    images.close()


def test_an_unmounted_folder_forgets_nothing(tmp_path: Path, datadir: Path, follow: Callable[[], Images]) -> None:
    """A start without the disk keeps every image and number."""
    before = follow()
    before.close()
    count = len(before)
    datadir.rename(tmp_path / "away")
    images = follow()
    assert (len(images), images.present) == (count, count)


def test_a_number_is_told_once_it_is_on_the_disk(tmp_path: Path, datadir: Path) -> None:
    """Whoever has heard of an image finds its number in images.pickle, so that it has no other after a crash."""
    run = tmp_path / "run"
    run.mkdir()
    told: list[int] = []
    late: list[int] = []

    def hear(number: int) -> None:
        told.append(number)
        if number >= len(pickle_file.read(run, protocol.IMAGES).content):
            late.append(number)

    images = Images(run, datadir, hear)
    images.start()
    try:
        until(lambda: len(told) >= len(EXPECTED))
        for name in ("new.png", "another.png"):
            (datadir / name).write_bytes(b"")
        until(lambda: len(set(told)) == len(EXPECTED) + 2)
    finally:
        images.close()
    assert late == []


def test_links_that_lead_out_are_followed_if_asked(tmp_path: Path, datadir: Path) -> None:
    """With the option linked files and folders count, each folder once, and no circle is gone round twice."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "x.jpg").write_bytes(b"")
    (outside / "circle").symlink_to(outside)
    (datadir / "file.jpg").symlink_to(outside / "deep" / "x.jpg")
    (datadir / "linked").symlink_to(outside)
    (datadir / "linked again").symlink_to(outside)
    (datadir / "inside").symlink_to(datadir / "sub dir")
    (tmp_path / "run").mkdir()
    images = Images(tmp_path / "run", datadir, follow_links=True)
    images.start()
    until(lambda: not images.listing)
    images.close()
    assert present(images) == EXPECTED | {"file.jpg", "linked/deep/x.jpg"}
    number = images.number("file.jpg")
    assert number is not None
    assert images.file(number).is_file()


def test_links_that_are_not_followed_are_counted_once(
    tmp_path: Path, datadir: Path, follow: Callable[[], Images], caplog: pytest.LogCaptureFixture
) -> None:
    """One line says how many links lead out, and which option follows them."""
    (tmp_path / "secret.jpg").write_bytes(b"")
    (datadir / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (datadir / "up").symlink_to(tmp_path)
    follow()
    [said] = [record.getMessage() for record in caplog.records if "--follow-links" in record.getMessage()]
    assert said.startswith("2 links lead out of ")


def test_a_file_that_becomes_a_link_out_is_gone(tmp_path: Path, datadir: Path, follow: Callable[[], Images]) -> None:
    """Replaced by a link that leads out, an image is there no more."""
    images = follow()
    (tmp_path / "secret.jpg").write_bytes(b"")
    (datadir / "link.tmp").symlink_to(tmp_path / "secret.jpg")
    (datadir / "link.tmp").rename(datadir / "b.jpg")
    until(lambda: "b.jpg" not in present(images))


def test_tiles_of_photos(tmp_path: Path, datadir: Path) -> None:
    """With a grid the images are tiles: they come, go and come back with their photo, and keep their numbers."""
    run, grid = tmp_path / "run", Grid(3, 2)
    run.mkdir()

    def start() -> Images:
        images = Images(run, datadir, grid=grid)
        images.start()
        until(lambda: not images.listing)
        return images

    images = start()
    assert present(images) == {path for photo in EXPECTED for path in grid.paths(photo)}
    assert (images.present, images.photos) == (6 * len(EXPECTED), len(EXPECTED))
    assert sorted(file.name for file in images.files()) == sorted(Path(photo).name for photo in EXPECTED)
    first = images.number("b.jpg#3x2-c1-r1")
    assert first is not None
    assert [images.path(first + place) for place in range(6)] == list(grid.paths("b.jpg"))
    assert images.file(first + 1) == datadir / "b.jpg#3x2-c2-r1"
    assert images.file(first + 1, whole=True) == datadir / "b.jpg"
    versions = {images.version(number) for number in range(len(images))}
    assert len(versions) == len(images)
    (datadir / "b.jpg").unlink()
    until(lambda: images.photos == len(EXPECTED) - 1)
    assert all(images.is_gone(number) for number in range(first, first + 6))
    (datadir / "new.jpg").write_bytes(b"")
    until(lambda: images.photos == len(EXPECTED))
    images.close()
    (datadir / "b.jpg").write_bytes(b"")
    images = start()
    assert images.number("b.jpg#3x2-c1-r1") == first
    assert images.photos == len(EXPECTED) + 1
    assert not images.is_gone(first)
    images.close()

"""What in a folder is an image to ask about, what is left out, and what that costs."""

import logging
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from backend.images.images import Images
from backend.images.listing import Listing, sentence_on_unread
from backend.images.uploads import UploadError, place_of
from backend.runs.checks import check_place
from config import ROOT, Config, UsageError
from IA.images.pictures import open_upright
from IA.predict import image_paths
from IA.protocol import watching
from IA.text.image_files import images_below
from tests.faults.machine.injection import missing
from tests.serving import until

OF_SYSTEMS = [
    "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
    "#recycle/r.jpg",
    "$RECYCLE.BIN/S-1/q.jpg",
    "__MACOSX/x.jpg",
    "lost+found/l.jpg",
    "LOST.DIR/l.jpg",
    "System Volume Information/w.jpg",
    "@Recycle/r.jpg",
    ".@__thumb/t.jpg",
    ".Trash-1000/files/t.jpg",
    ".AppleDouble/a.jpg",
    ".thumbnails/t.jpg",
    "._a.jpg",
    "deep/er/@eaDir/t.jpg",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One photo, and what systems keep beside photos."""
    folder = (tmp_path / "data").resolve()
    for name in ["a.jpg", *OF_SYSTEMS]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


def listed(folder: Path) -> list[str]:
    """What there is to ask about."""
    return [path.relative_to(folder).as_posix() for path in Listing(folder).walk(folder)]


@pytest.fixture
def images(tmp_path: Path, folder: Path) -> Iterator[Images]:
    """The folder, listed and followed."""
    (tmp_path / "run").mkdir()
    images = Images(tmp_path / "run", folder)
    images.start()
    until(lambda: not images.listing)
    yield images
    images.close()


def test_folders_of_systems_hold_no_photos(folder: Path) -> None:
    """Thumbnails, waste bins and resource forks are left out, wherever a folder is looked through."""
    assert listed(folder) == ["a.jpg"]
    assert image_paths(folder) == ["a.jpg"]
    assert list(images_below(folder)) == ["a.jpg"]


def test_nor_do_those_that_come_later(folder: Path, images: Images) -> None:
    """What comes into such a folder while it is followed is no image either."""
    (folder / "@eaDir" / "late.jpg").write_bytes(b"")
    (folder / "@eaDir" / "deep").mkdir()
    (folder / "@eaDir" / "deep" / "late.jpg").write_bytes(b"")
    (folder / "late.jpg").write_bytes(b"")
    until(lambda: images.number("late.jpg") is not None)
    assert sorted(images.path(number) for number in range(len(images))) == ["a.jpg", "late.jpg"]


@pytest.mark.parametrize("name", ["@eaDir/a.jpg", "x/__MACOSX/y/a.jpg", "x/._a.jpg"])
def test_such_a_file_is_not_taken_over(name: str) -> None:
    """A folder that is dropped on the page brings none of them along."""
    with pytest.raises(UploadError, match="system"):
        place_of(name)


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".jif", ".jfi", ".mpo", ".JFIF"])
def test_other_endings_of_photos(tmp_path: Path, suffix: str) -> None:
    """JPEGs and bursts are listed whatever of their endings they have, and can be shown."""
    path = tmp_path / f"p{suffix}"
    first, second = Image.new("RGB", (8, 6), "red"), Image.new("RGB", (8, 6), "blue")
    if suffix == ".mpo":
        first.save(path, "MPO", save_all=True, append_images=[second])
    else:
        first.save(path, "JPEG")
    assert listed(tmp_path) == [path.name]
    picture = open_upright(path)
    assert picture.size == (8, 6)
    red, _, blue = picture.getpixel((0, 0))  # type: ignore[misc]
    assert red > blue


def test_what_is_left_out_because_of_its_ending_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Many raw files or films are one sentence; a few are none; where there is nothing else the start says so."""
    for number in range(12):
        (tmp_path / f"{number}.CR2").write_bytes(b"")
    (tmp_path / "film.mov").write_bytes(b"")
    with pytest.raises(UsageError, match="13 files there end otherwise"):
        check_place(Config(run=tmp_path / "run", datadir=tmp_path, port=0))
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "run").mkdir()
    images = Images(tmp_path / "run", tmp_path)
    with caplog.at_level(logging.WARNING):
        images.start()
        until(lambda: [record for record in caplog.records if "left out" in record.message])
        images.close()
    assert [record.message for record in caplog.records if "left out" in record.message] == [
        "13 files are left out because of how they end (12 .cr2, 1 .mov)"
    ]
    assert sentence_on_unread(Counter({".mov": 9}), 100) == ""
    assert sentence_on_unread(Counter({".mov": 99}), 100_000) == ""


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_no_file_is_asked_for(tmp_path: Path) -> None:
    """The entry of a folder says what a name is: listing asks the system for folders and links alone."""
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    for number in range(200):
        (folder / "sub" / f"listed-{number}.jpg").write_bytes(b"")
    (folder / "link-to.jpg").symlink_to("sub/listed-0.jpg")
    script = (
        "import sys, pathlib; from backend.images.listing import Listing; folder = pathlib.Path(sys.argv[1]).resolve();"
        "print(len(list(Listing(folder).walk(folder))))"
    )
    log = tmp_path / "log"
    ran = subprocess.run(
        ["strace", "-f", "-o", str(log), "-e", "trace=%%stat,readlink", sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "201\n"
    asked = log.read_text()
    assert "link-to.jpg" in asked
    assert asked.count("/listed-") < 10  # where the link leads to


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is of Linux")
def test_folders_beyond_the_limit_of_watches(tmp_path: Path) -> None:
    """Where the system watches no further folder, new images there are found nevertheless, and a sentence says why."""
    limited = ["unshare", "-Ur", "bash", "-c", 'echo 8 > /proc/sys/user/max_inotify_watches; exec "$@"', "x"]
    if not shutil.which("unshare") or subprocess.run([*limited, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespace of one's own may be made here")
    folder = tmp_path / "data"
    for number in range(20):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "a.jpg").write_bytes(b"")
    script = (
        "import sys, pathlib, logging; from backend.images import follower, images; from tests.serving import until\n"
        "logging.basicConfig(format='%(message)s'); follower.LIST_AGAIN_S = 0.1\n"
        "folder, run = map(pathlib.Path, sys.argv[1:])\n"
        "watched = images.Images(run, folder); watched.start(); until(lambda: not watched.listing)\n"
        "for number in range(20): (folder / str(number) / 'new.jpg').write_bytes(b'')\n"
        "until(lambda: watched.present == 40); watched.close()"
    )
    (tmp_path / "run").mkdir()
    ran = subprocess.run(
        [*limited, sys.executable, "-c", script, str(folder), str(tmp_path / "run")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = [line for line in ran.stderr.splitlines() if str(folder) in line]
    assert "cannot be watched, for fs.inotify.max_user_watches is reached" in line


def test_all_folders_are_watched_where_they_can_be(folder: Path, images: Images) -> None:
    """Without a limit in the way nothing is missing."""
    assert watching.unwatched([str(folder), str(folder / "deep"), str(folder / "deep" / "er")]) == 0
    assert not images.lists_again


@pytest.mark.slow
def test_a_folder_that_could_not_be_read_is_tried_again(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As soon as a folder can be listed its images are found; until then there is one sentence."""
    monkeypatch.setattr("backend.images.follower.LIST_AGAIN_S", 0.1)
    closed, scandir = [str(folder / "closed")], os.scandir
    (folder / "closed").mkdir()
    (folder / "closed" / "c.jpg").write_bytes(b"")

    def refusing(path: Path) -> Iterator["os.DirEntry[str]"]:  # root may read everything
        if str(path) in closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("backend.images.listing.os.scandir", refusing)
    (tmp_path / "run").mkdir()
    images = Images(tmp_path / "run", folder)
    images.start()
    until(lambda: not images.listing)
    assert images.present == 1
    closed.clear()
    until(lambda: images.present == 2)
    images.close()
    told = [record.message for record in caplog.records if "cannot be listed" in record.message]
    assert told == [f"{folder / 'closed'} cannot be listed; the images in it are left out until it can"]

"""Images into class folders: nothing is ever overwritten."""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from config import UsageError
from IA.predictions.class_folders import ClassFolders, Link

CLASSES = ("hat", "no hat")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two images of the same name in two sub-folders."""
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True)
        (tmp_path / "images" / name).write_bytes(name.encode())
    return tmp_path / "images"


def made(folder: Path, directory: Path, classes: Sequence[str], link: Link) -> ClassFolders:
    """The folders of the classes, made."""
    into = ClassFolders(folder, directory, classes, link)
    into.make()
    return into


@pytest.mark.parametrize("link", ["copy", "hard", "symbolic"])
def test_an_image_stands_under_its_class(folder: Path, tmp_path: Path, link: Link) -> None:
    """An image keeps its sub-folders under its class; a second time it is there already; nothing else stays behind."""
    for turn in range(2):
        into = made(folder, tmp_path / "sorted", CLASSES, link)
        assert into.put("a/1.png", "hat") is None
        assert into.put("b/1.png", "no hat") is None
        assert (into.placed, into.there) == ((2, 0), (0, 2))[turn]
    files = {str(path.relative_to(tmp_path / "sorted")) for path in (tmp_path / "sorted").rglob("*.*")}
    assert files == {"hat/a/1.png", "no hat/b/1.png"}
    picture = tmp_path / "sorted/hat/a/1.png"
    assert picture.read_bytes() == b"a/1.png"
    assert picture.is_symlink() == (link == "symbolic")
    assert picture.samefile(folder / "a/1.png") == (link != "copy")
    assert picture.stat().st_mtime_ns == (folder / "a/1.png").stat().st_mtime_ns


@pytest.mark.parametrize("link", ["copy", "hard", "symbolic"])
def test_what_is_there_stays(folder: Path, tmp_path: Path, link: Link) -> None:
    """Another file of that name, a dangling link, a file in place of a folder or the other class stays as it is."""
    into = made(folder, tmp_path / "sorted", CLASSES, link)
    hat = tmp_path / "sorted/hat"
    (hat / "a").mkdir()
    (hat / "a/1.png").write_bytes(b"mine")
    assert "another file" in str(into.put("a/1.png", "hat"))
    assert "in hat/ already" in str(into.put("a/1.png", "no hat"))
    (hat / "b").write_bytes(b"mine")
    assert "no folder" in str(into.put("b/1.png", "hat"))
    (tmp_path / "sorted/no hat/b").mkdir()
    (tmp_path / "sorted/no hat/b/1.png").symlink_to(tmp_path / "nowhere")
    assert "another file" in str(into.put("b/1.png", "no hat"))
    assert (hat / "a/1.png").read_bytes() == (hat / "b").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()
    assert into.put("gone.png", "hat") == "it went away"
    assert into.placed == 0


def test_a_copy_is_whole_or_not_there(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves no half a picture, and a disk without hard links gets whole ones."""
    into = made(folder, tmp_path / "sorted", CLASSES, "copy")
    picture = tmp_path / "sorted/hat/a/1.png"

    def full(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"ha")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copy2", full)
        with pytest.raises(OSError, match="No space"):
            into.put("a/1.png", "hat")
    assert list(picture.parent.iterdir()) == []

    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert into.put("a/1.png", "hat") is None
    assert list(picture.parent.iterdir()) == [picture]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_comes_meanwhile_stays(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """A file that somebody else puts there during the copy stays."""
    into = made(folder, tmp_path / "sorted", CLASSES, "copy")
    picture = tmp_path / "sorted/hat/a/1.png"
    copy = shutil.copy2

    def beaten(source: Path, target: Path) -> None:
        copy(source, target)
        picture.write_bytes(b"mine")

    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(shutil, "copy2", beaten)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    assert "another file" in str(into.put("a/1.png", "hat"))
    assert picture.read_bytes() == b"mine"
    assert list(picture.parent.iterdir()) == [picture]


def test_folders_that_cannot_be(folder: Path, tmp_path: Path) -> None:
    """The command refuses a directory among the images, classes that share a name, and a file in place of a folder."""
    (tmp_path / "file").write_bytes(b"")
    for directory, classes in (
        (folder / "sorted", CLASSES),
        (folder, CLASSES),
        (tmp_path / "sorted", ("a/b", "a:b")),
        (tmp_path / "file", CLASSES),
    ):
        with pytest.raises(UsageError):
            made(folder, directory, classes, "copy")


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "a/../../b", ".hidden"])
def test_a_class_name_leads_nowhere_else(folder: Path, tmp_path: Path, name: str) -> None:
    """A class makes one visible folder in DIR, whatever it is called."""
    made(folder, tmp_path / "sorted", (name, "other"), "copy")
    names = {path.name for path in (tmp_path / "sorted").iterdir()}
    assert len(names) == 2
    assert not any(found.startswith(".") for found in names)
    assert {path.name for path in tmp_path.iterdir()} == {"images", "sorted"}

"""The reject pile: images go out of the way and come back, and are somewhere at every moment."""

import errno
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.images import moving
from backend.images.moving import NotMovedError, digest, move
from backend.quarantine import MANIFEST, Quarantined, main, put_away, put_back, report
from backend.runs.reading import opened
from backend.store.labels import Labels
from IA.images.tiles import Grid
from IA.protocol import files as protocol
from IA.protocol import locks, pickle_file
from IA.protocol.files import PREDICTIONS, SETTINGS
from IA.protocol.records import Predictions, Settings
from tests.backend.store.test_labels import answer
from tests.commands import Command, command_of
from tests.examples import examples
from tests.serving import serving, until

CUTS = st.lists(st.integers(0, 20), max_size=3)
MANY = 1000
CUT = 77  # how the child ends that is cut off
STEPS = ("link", "unlink", "rename", "mkdir", "fsync", "utime")
ONE = ("red/0.png",)
SKIPPED = ("red/0.png", "red/1.png", "blue/0.png")


@pytest.fixture
def run(tmp_path: Path, images_folder: Path) -> Path:
    """A run that is at rest: three images skipped, one positive, one negative, seven open."""
    with serving(tmp_path / "run", images_folder) as server:
        until(lambda: not server.session.images.listing)
    labels = Labels(tmp_path / "run")
    labels.annotate_all([answer(path, "skipped") for path in SKIPPED]).result()
    labels.annotate_all([answer("red/2.png", "positive"), answer("blue/2.png", "negative")]).result()
    labels.close()
    return tmp_path / "run"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return command_of(main, monkeypatch, capsys)


def content(folder: Path) -> dict[str, bytes]:
    """All pictures in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}


def test_there_and_back(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """Skipped images go with their folders, the manifest says where they were, and all come back as they were."""
    before = content(images_folder)
    times = {path: (images_folder / path).stat().st_mtime_ns for path in SKIPPED}
    pile = tmp_path / "pile"
    assert command(run, "--to", pile, "--dry-run").startswith(f"3 images would go to {pile}")
    assert not pile.exists()
    assert command(run, "--to", pile).startswith(f"3 images are now in {pile}")
    assert set(content(pile)) == set(SKIPPED)
    assert set(content(images_folder)) == set(before) - set(SKIPPED)
    lines = [json.loads(line) for line in (pile / MANIFEST).read_text().splitlines()]
    assert [line["from"] for line in lines] == [str(images_folder / path) for path in SKIPPED]
    assert [line["sha256"] for line in lines] == [digest(pile / path) for path in SKIPPED]
    assert command(run, "--to", pile).startswith("0 images")
    assert command(run, "--back", pile, "--dry-run").startswith("3 images would go")
    assert command(run, "--back", pile).startswith("3 images are now in")
    assert content(images_folder) == before
    assert {path: (images_folder / path).stat().st_mtime_ns for path in SKIPPED} == times
    assert list(pile.iterdir()) == [pile / MANIFEST]
    assert command(run, "--back", pile).startswith("0 images")
    assert list(report(Quarantined(["a.png"], {"b.png": "why"}), pile, dry_run=False)) == [
        f"1 image is now in {pile}",
        "  a.png",
        "1 is worth a look",
        "  b.png: why",
    ]
    assert "3 images" in command(run, "--to", pile)
    assert "3 images" in command(run, "--back", pile)
    assert content(images_folder) == before


def test_unreadable_images(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """With --unreadable those go too that a model could not read and that still cannot be; not one with a label."""
    before = content(images_folder)
    assert "leave --unreadable out" in command(run, "--to", tmp_path / "pile", "--unreadable")
    assert content(images_folder) == before
    assert not (tmp_path / "pile").exists()
    images = pickle_file.read(run, protocol.IMAGES).content
    (images_folder / "red" / "3.png").write_bytes(b"no picture")
    (images_folder / "red" / "2.png").write_bytes(b"no picture, but positive")
    numbers = [images.index(path) for path in ("red/3.png", "red/2.png", "red/4.png")]  # the last was mended
    zeros = np.zeros(len(images), np.float32)
    pickle_file.publish(
        run, PREDICTIONS, Predictions(zeros, zeros, np.array(numbers, np.int32), len(images), 0, None, 0)
    )
    command(run, "--to", tmp_path / "pile", "--unreadable")
    assert set(content(tmp_path / "pile")) == {*SKIPPED, "red/3.png"}


def test_images_that_are_away(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """Nothing is made where a disk is not mounted."""
    command(run, "--to", tmp_path / "pile")
    images_folder.rename(tmp_path / "away")
    assert "is away" in command(run, "--to", tmp_path / "other")
    assert "is away" in command(run, "--back", tmp_path / "pile")
    assert not images_folder.exists()
    assert not (tmp_path / "other").exists()


def test_photos_that_are_cut_up(tmp_path: Path, images_folder: Path, command: Command) -> None:
    """A photo goes once all its tiles are skipped, or cannot be read; one of which some are stays, and is told."""
    with serving(tmp_path / "run", images_folder, tile="2x1") as server:
        until(lambda: not server.session.images.listing)
    labels = Labels(tmp_path / "run")
    tiles = [*Grid(2, 1).paths("red/0.png"), "red/1.png#2x1-c1-r1", "blue/0.png#2x1-c2-r1"]
    labels.annotate_all([answer(path, "skipped") for path in tiles]).result()
    labels.annotate_all([answer("blue/0.png#2x1-c1-r1", "positive")]).result()
    labels.close()
    for photo in ("red/3.png", "blue/0.png"):
        (images_folder / photo).write_bytes(b"no picture")
    images = pickle_file.read(tmp_path / "run", protocol.IMAGES).content
    numbers = [number for number, path in enumerate(images) if path.startswith(("red/3", "red/4", "blue/0"))]
    zeros = np.zeros(len(images), np.float32)
    predictions = Predictions(zeros, zeros, np.array(numbers, np.int32), len(images), 0, None, 0)
    pickle_file.publish(tmp_path / "run", PREDICTIONS, predictions)
    report = command(tmp_path / "run", "--to", tmp_path / "pile", "--unreadable")
    assert report.startswith("2 images are now in")
    assert set(content(tmp_path / "pile")) == {"red/0.png", "red/3.png"}
    assert "red/1.png: 1 tile of 2 skipped" in report
    assert "blue/0.png: 1 tile of 2 skipped" in report
    assert command(tmp_path / "run", "--back", tmp_path / "pile").startswith("2 images are now in")


def test_nothing_is_overwritten(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """What has taken the place of an image stays, there and here, and is told."""
    command(run, "--to", tmp_path / "pile")
    (images_folder / "red" / "0.png").write_bytes(b"another")
    report = command(run, "--back", tmp_path / "pile")
    assert report.startswith("2 images")
    assert "red/0.png: another file is at" in report
    assert (images_folder / "red" / "0.png").read_bytes() == b"another"
    assert set(content(tmp_path / "pile")) == {"red/0.png"}
    assert "another file is at" in command(run, "--to", tmp_path / "pile")
    assert (images_folder / "red" / "0.png").read_bytes() == b"another"


def test_links_stay(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """An image that is a link, or lies behind one, is left where it is."""
    (tmp_path / "elsewhere.png").write_bytes((images_folder / "red" / "0.png").read_bytes())
    (images_folder / "red" / "0.png").unlink()
    (images_folder / "red" / "0.png").symlink_to(tmp_path / "elsewhere.png")
    (images_folder / "blue").rename(images_folder / "green")
    (images_folder / "blue").symlink_to("green")
    report = command(run, "--to", tmp_path / "pile")
    assert report.startswith("1 image is now in")
    assert report.count("behind a link") == 2


def test_mistakes(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """Each is one sentence, and nothing is moved."""
    before = content(images_folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    assert "in the folder of images" in command(run, "--to", images_folder / "pile")
    assert "holds the folder of images" in command(run, "--to", tmp_path)
    assert "something else" in command(run, "--to", tmp_path / "full")
    assert "is no folder" in command(run, "--to", tmp_path / "full" / "letter.txt")
    assert "cannot be read" in command(run, "--back", tmp_path / "full")
    assert "no run" in command(tmp_path / "nothing", "--to", tmp_path / "pile")
    assert not (tmp_path / "nothing").exists()
    with locks.hold(run, "session"):
        assert "open in a session" in command(run, "--to", tmp_path / "pile")
    assert content(images_folder) == before


def test_a_pile_of_another_folder(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """A pile belongs to its folder of images, unless that was moved."""
    command(run, "--to", tmp_path / "pile")
    (tmp_path / "other").mkdir()
    settings = pickle_file.read(run, SETTINGS).content
    moved = Settings(**{**vars(settings), "datadir": str(tmp_path / "other")})
    pickle_file.publish(run, SETTINGS, moved)
    assert "another folder of images" in command(run, "--back", tmp_path / "pile")
    images_folder.rename(tmp_path / "gone")
    assert command(run, "--back", tmp_path / "pile").startswith("3 images")
    assert set(content(tmp_path / "other")) == set(SKIPPED)


def test_a_manifest_that_leads_out(run: Path, tmp_path: Path, command: Command) -> None:
    """A manifest that somebody wrote moves nothing out of its folder."""
    pile = tmp_path / "pile"
    command(run, "--to", pile)
    entry = json.loads((pile / MANIFEST).read_text().splitlines()[0])
    (tmp_path / "secret.png").write_bytes(b"secret")
    (pile / MANIFEST).write_text(json.dumps(entry | {"to": "../secret.png"}) + "\n")
    assert "leads out" in command(run, "--back", pile)
    assert (tmp_path / "secret.png").exists()


def test_a_disk_that_is_full(
    run: Path, images_folder: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the manifest cannot be written nothing is moved."""
    before = content(images_folder)
    pile = tmp_path / "pile"
    command(run, "--to", pile)
    command(run, "--back", pile)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "no space left" in command(run, "--to", pile)
    assert content(images_folder) == before


def test_a_file_that_is_written_to_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody saves the image while it is moved: what was saved is not lost."""
    source, target = tmp_path / "a.png", tmp_path / "b" / "a.png"
    source.write_bytes(b"old")
    working = moving.sync_folder

    def saved_meanwhile(folder: Path) -> None:
        if target.exists():
            (tmp_path / "new").write_bytes(b"new")
            (tmp_path / "new").replace(source)
        working(folder)

    monkeypatch.setattr(moving, "sync_folder", saved_meanwhile)
    with pytest.raises(NotMovedError, match="changed"):
        move(source, target, digest(source))
    assert source.read_bytes() == b"new"


# --- interrupted at any step ------------------------------------------------------------------------------------------


def cut_off(work: Callable[[], object], after: int, far: bool) -> bool:
    """Do the work in a child that ends, as if killed, before one of its calls to the system; whether it was cut.

    Args:
        work: what to do.
        after: how many of the calls are done before.
        far: links to other folders are refused, as between two disks.
    """
    child = os.fork()
    if child == 0:
        try:
            left = [after]
            for name in STEPS:
                setattr(os, name, _counted(getattr(os, name), left, far and name == "link"))
            work()
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, CUT)
    return code == CUT


def _counted(call: Callable[..., Any], left: list[int], is_far: bool) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        if left[0] == 0:
            os._exit(CUT)
        left[0] -= 1
        if is_far and Path(arguments[0]).parent != Path(arguments[1]).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return call(*arguments, **named)

    return counted


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A run with a few small files for pictures, made once: each example works on copies of them."""
    (tmp_path / "run").mkdir()
    settings = Settings(str(tmp_path / "data"), "", "max_prob", "positive", "negative", "id", run=str(tmp_path / "run"))
    pickle_file.publish(tmp_path / "run", SETTINGS, settings)
    labels = Labels(tmp_path / "run")
    labels.annotate_all([answer(path, "skipped") for path in SKIPPED]).result()
    labels.close()
    yield tmp_path / "run"


def there_and_back(run: Path, images: Sequence[str], away: list[int], back: list[int], far: bool) -> bool:
    """Put images away and back, cut off after so many calls each; whether it was cut off each time."""
    was_cut = True
    with tempfile.TemporaryDirectory() as name:
        datadir, pile = Path(name, "data"), Path(name, "pile")
        before = {path: path.encode() * 100 for path in images}
        for path, data in before.items():
            (datadir / path).parent.mkdir(parents=True, exist_ok=True)
            (datadir / path).write_bytes(data)
        reading = opened(run, datadir)
        for work, cuts, source, target in (
            (lambda: put_away(reading, pile), away, datadir, pile),
            (lambda: put_back(reading, pile), back, pile, datadir),
        ):
            for after in cuts:
                was_cut &= cut_off(work, after, far)
                assert content(source) | content(target) == before
            assert not cut_off(work, MANY, far)
            assert content(target) == before
            assert content(source) == {}
            assert not list(Path(name).rglob("*part"))
    return was_cut


@pytest.mark.slow
@pytest.mark.parametrize("far", [False, True], ids=["one disk", "two disks"])
def test_cut_off_at_each_step(place: Path, far: bool) -> None:
    """Before each single call to the system: each image is in one place at least; in the end all bytes are back."""
    for after in range(MANY):
        is_inside = [there_and_back(place, ONE, [after], [], far), there_and_back(place, ONE, [], [after], far)]
        if not any(is_inside):
            break
    assert after > 5


@pytest.mark.slow
@given(away=CUTS, back=CUTS, far=st.booleans())
@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cut_off_again_and_again(place: Path, away: list[int], back: list[int], far: bool) -> None:
    """The same, several times in a row at any steps."""
    there_and_back(place, SKIPPED, away, back, far)


def test_a_name_without_room_for_more(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """A name of 255 bytes, the most that a file may have, goes and comes back like any other."""
    name = "x" * 251 + ".png"
    (images_folder / "red/3.png").rename(images_folder / "red" / name)
    labels = Labels(run)
    labels.annotate_all([answer(f"red/{name}", "skipped")]).result()
    labels.close()
    before = content(images_folder)
    pile = tmp_path / "pile"
    assert command(run, "--to", pile).startswith(f"4 images are now in {pile}")
    assert f"red/{name}" in content(pile)
    assert command(run, "--back", pile).startswith("4 images are now in")
    assert content(images_folder) == before

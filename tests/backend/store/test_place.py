"""A run directory that is deleted, moved or replaced under a session: no acknowledged answer is lost."""

import contextlib
import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.runs.checks import check_run
from backend.store.database import NotDurableError
from backend.store.labels import Labels
from backend.store.schema import DATABASE
from backend.store.table import Answer
from config import Config, UsageError
from IA.protocol import locks, pickle_file
from IA.protocol.files import SETTINGS
from tests.backend.store.test_labels import answer, published
from tests.serving import Serving, serving, until


def stored(run: Path) -> dict[str, str]:
    """What stands on the disk, as a start finds it."""
    with contextlib.closing(sqlite3.connect(f"{(run / DATABASE).as_uri()}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT path, label FROM answers WHERE state = 'standing'"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory in a folder of its own."""
    folder = tmp_path / "runs" / "run"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def labels(run: Path) -> Iterator[Labels]:
    """Labels with one answer."""
    opened = Labels(run)
    opened.annotate(answer("a.jpg", "positive")).result()
    yield opened
    opened.close()


def again(labels: Labels, path: str = "b.jpg") -> Answer:
    """Answer until it is taken."""
    taken: list[Answer] = []

    def is_taken() -> bool:
        with contextlib.suppress(NotDurableError):
            taken.append(labels.annotate(answer(path, "negative")).result())
        return bool(taken)

    until(is_taken)
    return taken[0]


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"])
def test_what_was_acknowledged_is_written_again(run: Path, labels: Labels, gone: str) -> None:
    """Whichever part is deleted, the next answer is on the disk with all before it and their history."""
    shutil.rmtree(run) if not gone else (run / gone).unlink()
    labels.annotate(answer("b.jpg", "negative")).result()
    assert stored(run) == {"a.jpg": "positive", "b.jpg": "negative"}
    until(lambda: published(run) == {"a.jpg": True, "b.jpg": False})
    assert [taken.path for taken in labels.undo("me").result()] == ["b.jpg"]
    assert [taken.path for taken in labels.undo("me").result()] == ["a.jpg"]
    assert stored(run) == {}


@pytest.mark.slow
def test_it_is_written_again_without_a_further_answer(run: Path, labels: Labels) -> None:
    """A look now and then finds that the directory is gone."""
    shutil.rmtree(run)
    until(lambda: (run / DATABASE).exists() and published(run) == {"a.jpg": True})
    until(lambda: stored(run) == {"a.jpg": "positive"})


def test_no_directory_is_made_where_its_disk_may_be_away(run: Path, labels: Labels) -> None:
    """Where the folder around it is gone too, answers are refused with a sentence until there is one again."""
    shutil.rmtree(run.parent)
    with pytest.raises(NotDurableError, match="make it again"):
        labels.annotate(answer("b.jpg", "negative")).result()
    assert labels.counts()["negative"] == 0
    assert not run.parent.exists()
    run.mkdir(parents=True)
    again(labels)
    assert stored(run) == {"a.jpg": "positive", "b.jpg": "negative"}


def test_the_end_of_a_session_is_the_last_chance(run: Path) -> None:
    """What is in memory when the session ends is written wherever a directory can be made."""
    labels = Labels(run)
    labels.annotate(answer("a.jpg", "positive")).result()
    shutil.rmtree(run.parent)
    labels.close()
    assert stored(run) == {"a.jpg": "positive"}
    assert published(run) == {"a.jpg": True}


def test_a_directory_that_was_moved_away_and_back(run: Path, labels: Labels) -> None:
    """Each place has all that was acknowledged while it was the run; back again it goes on there."""
    elsewhere = run.with_name("elsewhere")
    run.rename(elsewhere)
    labels.annotate(answer("b.jpg", "negative")).result()
    assert stored(elsewhere) == {"a.jpg": "positive"}
    assert stored(run) == {"a.jpg": "positive", "b.jpg": "negative"}
    third = run.with_name("third")
    run.rename(third)
    third.rename(run)
    labels.annotate(answer("c.jpg", "negative")).result()
    assert set(stored(run)) == {"a.jpg", "b.jpg", "c.jpg"}


def test_a_database_that_was_replaced_is_kept_aside(run: Path, labels: Labels) -> None:
    """Another database in its place is not written to, nor deleted: answering goes on with what was acknowledged."""
    other = run.with_name("other")
    other.mkdir()
    others = Labels(other)
    others.annotate(answer("x.jpg", "positive")).result()
    others.close()
    (other / DATABASE).replace(run / DATABASE)
    labels.annotate(answer("b.jpg", "negative")).result()
    assert stored(run) == {"a.jpg": "positive", "b.jpg": "negative"}
    [aside] = run.glob(f"{DATABASE}.2*")
    with contextlib.closing(sqlite3.connect(aside)) as connection:
        assert connection.execute("SELECT path FROM answers").fetchall() == [("x.jpg",)]


@pytest.fixture
def server(tmp_path: Path, images_folder: Path) -> Iterator[Serving]:
    """A server that has listed its images, with one answer."""
    with serving(tmp_path / "runs" / "run", images_folder, positive="cat") as server:
        until(lambda: not server.session.images.listing)
        assert server.answer(0).status_code == 201
        yield server


def test_another_run_in_its_place_is_left_alone(server: Serving, tmp_path: Path) -> None:
    """Where another run lies at the place, answers are refused with a sentence, and nothing there is written."""
    run = server.session.run
    with serving(tmp_path / "other", server.session.images.datadir):
        pass
    until(lambda: published(run))  # later it would be published where the other run is
    before = {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir() if path.is_file()}
    run.rename(tmp_path / "aside")
    (tmp_path / "other").rename(run)
    refused = server.answer(1)
    assert refused.status_code == 503
    assert "another run lies in" in refused.json()["detail"]
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    run.rename(tmp_path / "other")
    (tmp_path / "aside").rename(run)
    assert server.answer(1).status_code == 201
    assert len(stored(run)) == 2


@pytest.mark.slow
def test_all_that_the_server_knows_is_written_again(server: Serving) -> None:
    """Settings, images and answers are there after the directory was deleted, and a start goes on with them."""
    run, datadir = server.session.run, server.session.images.datadir
    status = server.client.get("/api/status").json()
    until(lambda: published(run))  # nothing is being written while the directory goes
    shutil.rmtree(run)
    assert server.answer(1, "negative").status_code == 201
    until(lambda: (run / "images.pickle").exists() and len(published(run)) == 2)
    assert pickle_file.read(run, SETTINGS).content == server.session.settings.now
    with (run / "images.pickle").open("rb") as file:
        assert len(pickle.load(file)) == status["images"]
    shutil.copytree(run, run.with_name("copy"))
    with serving(run.with_name("copy"), datadir) as later:
        until(lambda: not later.session.images.listing)
        now = later.client.get("/api/status").json()
        assert (now["positives"], now["negatives"], now["classes"]["positive"]) == (1, 1, "cat")


def test_a_lock_is_held_in_the_directory_that_is_there_now(tmp_path: Path) -> None:
    """A session whose run directory was deleted still keeps others out of it; one that came first keeps it out."""
    run = tmp_path / "run"
    script = (
        "import sys, pathlib, signal; from IA.protocol import locks\n"
        "with locks.hold(pathlib.Path(sys.argv[1]), 'server') as held:\n"
        "    print(held, flush=True); held and signal.pause()"
    )
    other = [sys.executable, "-c", script, str(run)]
    with locks.hold(run, "server") as held:
        assert held
        shutil.rmtree(run)
        run.mkdir()
        locks.renew()
        root = Path(locks.__file__).parents[2]
        with subprocess.Popen(other, cwd=root, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "False\n"
            child.wait()
        shutil.rmtree(run)
        with subprocess.Popen(other, cwd=root, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "True\n"
            with pytest.raises(OSError, match="another server works"):
                locks.renew()
            os.kill(child.pid, signal.SIGKILL)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights in the block, where the tests run as root."""
    if os.geteuid():
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("name", [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", ".session.lock", ""])
def test_a_run_of_somebody_else_is_told_at_the_start(name: str) -> None:
    """A file that this user cannot write ends the start with one sentence, before any answer could be refused."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        (run / name).touch()
        Path(folder).chmod(0o755)
        run.chmod(0o777)
        (run / name).chmod(0o555 if not name else 0o444)
        with as_nobody(), pytest.raises(UsageError, match="cannot be written"):
            check_run(Config(run=run, datadir=run))
        if name and not os.geteuid():
            with as_nobody(), pytest.raises(UsageError, match="belongs to root"):
                check_run(Config(run=run, datadir=run))

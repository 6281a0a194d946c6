"""A run in other hands: moved with its images or without, of an earlier or later version, and backed up in use."""

import contextlib
import os
import pickle
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from backend.backup import back_up
from backend.runs.checks import check_run
from backend.store.labels import Labels
from backend.store.schema import DATABASE, VERSION
from config import ROOT, Config, UsageError
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.files import ANNOTATIONS, IMAGES, SETTINGS
from IA.protocol.records import Ranking
from tests.backend.store.test_labels import VERSION_1, answer, columns, published
from tests.serving import Serving, serving, until


@pytest.fixture
def run(tmp_path: Path, images_folder: Path) -> Path:
    """A run with three answers."""
    with serving(tmp_path / "run", images_folder) as server:
        until(lambda: not server.session.images.listing)
        for image, label in enumerate(("positive", "negative", "skipped")):
            server.answer(image, label)
    return tmp_path / "run"


def config(run: Path, datadir: Path) -> Config:
    """What a start on both would look at."""
    return Config(run=run, datadir=datadir.resolve())


def labels_by_path(server: Serving) -> dict[str, str]:
    """What the page is told of the answers."""
    listed = server.client.get("/api/annotations").json()["annotations"]
    return {entry["path"]: entry["label"] for entry in listed}


def test_run_and_images_moved(run: Path, images_folder: Path, tmp_path: Path) -> None:
    """A run goes on beside its images wherever both have come to; numbers, answers and names stay."""
    with serving(run, images_folder) as server:
        before = labels_by_path(server)
    images = pickle_file.read(run, IMAGES).content
    elsewhere = tmp_path / "another machine"
    elsewhere.mkdir()
    run, datadir = run.rename(elsewhere / "run"), images_folder.rename(elsewhere / "photos")
    check_run(config(run, datadir))
    with serving(run, datadir) as server:
        until(lambda: not server.session.images.listing)
        assert labels_by_path(server) == before
        assert server.client.get("/api/images/0").status_code == 200
        assert server.client.get("/api/status").json()["left"] == 9
    assert pickle_file.read(run, IMAGES).content == images
    assert pickle_file.read(run, SETTINGS).content.datadir == str(datadir)


def test_a_copied_run_goes_on_with_copied_images(run: Path, images_folder: Path, tmp_path: Path) -> None:
    """A copy of the run goes on with a copy of the images although both are still where they were."""
    copy, datadir = tmp_path / "copy", tmp_path / "photos"
    shutil.copytree(run, copy)
    shutil.copytree(images_folder, datadir)
    check_run(config(copy, datadir))


def test_another_folder_is_told(run: Path, images_folder: Path, tmp_path: Path) -> None:
    """A run that is where it was keeps to its folder, even if another has images of the same names."""
    other = tmp_path / "other"
    shutil.copytree(images_folder, other)
    with pytest.raises(UsageError, match=f"belongs to {images_folder}"):
        check_run(config(run, other))


@pytest.mark.parametrize("copied", [True, False])
def test_images_that_are_not_those_of_the_run(run: Path, images_folder: Path, tmp_path: Path, copied: bool) -> None:
    """A run that was copied, or whose folder is gone, takes no folder in which its images are not found."""
    if copied:
        run = Path(shutil.copytree(run, tmp_path / "copy"))
    else:
        images_folder.rename(tmp_path / "away")
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").touch()
    with pytest.raises(UsageError, match="of 12 of its images 0 are in"):
        check_run(config(run, other))
    assert pickle_file.read(run, SETTINGS).content.datadir == str(images_folder)


def test_most_images_are_enough(run: Path, images_folder: Path, tmp_path: Path) -> None:
    """Some images may have been deleted meanwhile."""
    datadir = images_folder.rename(tmp_path / "photos")
    for number in range(5):
        (datadir / "red" / f"{number}.png").unlink()
    check_run(config(run, datadir))


def test_the_same_folder_by_another_name(run: Path, images_folder: Path, tmp_path: Path) -> None:
    """A link, or anything else that leads to the same folder, is that folder."""
    (tmp_path / "link").symlink_to(images_folder)
    check_run(Config(run=run, datadir=tmp_path / "link"))


def test_an_earlier_database_is_kept(tmp_path: Path) -> None:
    """Before a database is brought up to date a copy of it is kept, with what was still in its log."""
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.executescript(VERSION_1.read_text())
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE answers SET client = 'in the log'")
        connection.commit()
        before = connection.execute("SELECT * FROM answers").fetchall()
        Labels(tmp_path).close()
    kept = tmp_path / f"{DATABASE}.version-1"
    assert columns(kept)[0] == 1
    with contextlib.closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT * FROM answers").fetchall() == before
    assert columns(tmp_path / DATABASE)[0] == VERSION


@pytest.mark.parametrize("file", [*protocol.PICKLES, None], ids=lambda file: file.name if file else DATABASE)
def test_a_later_run_is_left_alone(
    run: Path, images_folder: Path, file: "pickle_file.PickleFile[object] | None"
) -> None:
    """A run that a later version wrote ends the start with one sentence, and nothing in it changes."""
    if file is None:
        data = bytearray((run / DATABASE).read_bytes())
        data[60:64] = struct.pack(">I", VERSION + 1)
        (run / DATABASE).write_bytes(data)
    else:
        data = bytearray(b"new things" + pickle_file.FOOTER.pack(pickle_file.MAGIC, pickle_file.FORMAT + 1, 1, 10, b""))
        (run / file.name).write_bytes(data)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="later version") as told:
        check_run(config(run, images_folder))
    assert "\n" not in str(told.value)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_damaged_list_of_images(run: Path, images_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without its numbers a run is another one to its pages, whose answers name images by number; answers stay."""
    before = pickle_file.read(run, SETTINGS).content.id
    ranking = Ranking(np.array([3], np.int32), np.array([0.5], np.float32), 0, "max_prob", None)
    pickle_file.publish(run, protocol.RANKING, ranking)
    (run / IMAGES.name).write_bytes(b"torn")
    with serving(run, images_folder) as server:
        until(lambda: not server.session.images.listing)
        assert server.client.get("/api/status").json()["positives"] == 1
        assert server.client.get("/api/status").json()["id"] != before
        assert server.client.get("/api/status").json()["ranking"] is None
    assert sum("numbered anew" in record.getMessage() for record in caplog.records) == 1


def test_a_damaged_answer_is_told(run: Path) -> None:
    """A label that is none ends the start with one sentence, and nothing is overwritten."""
    data = (run / DATABASE).read_bytes()
    assert data.count(b"positive") >= 1
    (run / DATABASE).write_bytes(data.replace(b"positiveapi", b"posjtiveapi"))
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with pytest.raises(UsageError, match="is damaged"):
        Labels(run)
    assert {path: path.read_bytes() for path in before} == before


def test_answers_that_the_database_has_lost(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With an older copy of the database the newer annotations.pickle is kept, and told of once."""
    older = (run / DATABASE).read_bytes()
    labels = Labels(run)
    labels.annotate(answer("new.jpg", "positive")).result()
    labels.close()
    newer = published(run)
    (run / DATABASE).write_bytes(older)
    labels = Labels(run)
    assert labels.label("new.jpg") is None
    labels.close()
    assert "new.jpg" not in published(run)
    [kept] = run.glob("annotations.pickle.*")
    with kept.open("rb") as file:
        assert pickle.load(file) == newer
    assert sum("import_labels" in record.getMessage() for record in caplog.records) == 1
    Labels(run).close()
    assert len(list(run.glob("annotations.pickle.*"))) == 1


def test_a_database_that_is_gone(run: Path) -> None:
    """Without any database the answers in annotations.pickle are not replaced by none."""
    before = published(run)
    (run / DATABASE).unlink()
    with pytest.raises(UsageError, match=r"is gone, but annotations\.pickle holds 3"):
        Labels(run)
    assert published(run) == before


@pytest.mark.slow
def test_backup_under_load(run: Path, images_folder: Path, tmp_path: Path) -> None:
    """A copy that is made while answers come holds all that were acknowledged before, and starts."""
    done = threading.Event()
    with serving(run, images_folder) as server:
        until(lambda: not server.session.images.listing)

        def work() -> None:
            number = 0
            while not done.is_set():
                server.answer(number % 12, "positive", client="worker")
                number += 1

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for number in range(3):
                server.answer(number, "negative", client="me", id=f"0000000{number}-0000-4000-8000-000000000000")
                command = [sys.executable, "-m", "backend.backup", str(run), str(tmp_path / f"copy {number}")]
                subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        finally:
            done.set()
            thread.join()
    for number in range(3):
        copy = tmp_path / f"copy {number}"
        with contextlib.closing(sqlite3.connect(copy / DATABASE)) as connection:
            mine = connection.execute("SELECT count(*) FROM answers WHERE client = 'me' AND label = 'negative'")
            assert mine.fetchone() == (number + 1,)
        check_run(config(copy, images_folder))
        with serving(copy, images_folder) as server:
            assert server.client.get("/api/status").json()["images"] == 12


def test_backup_mistakes(run: Path, tmp_path: Path) -> None:
    """No run, or a place that is taken: one sentence, and nothing is written."""
    with pytest.raises(UsageError, match="no answers in"):
        back_up(tmp_path / "nothing", tmp_path / "copy")
    with pytest.raises(UsageError, match="is there already"):
        back_up(run, tmp_path)
    assert not (tmp_path / "copy").exists()


def test_a_backup_that_fails_leaves_nothing(run: Path, tmp_path: Path) -> None:
    """Half a copy would be taken for a whole one, or be in the way of the next."""
    (run / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(UsageError, match="could not be copied"):
        back_up(run, tmp_path / "copy")
    assert list(tmp_path.glob("*copy*")) == []


def test_a_run_whose_name_is_no_utf_8(run: Path, images_folder: Path, tmp_path: Path) -> None:
    """Its status and all downloads are there, as those of any other run."""
    run = run.rename(tmp_path / os.fsdecode(b"r\xe4n"))
    with serving(run, images_folder) as server:
        assert server.client.get("/api/status").json()["run"].endswith("r\N{REPLACEMENT CHARACTER}n")
        for path in ("?format=csv", "?format=folders", "/label-studio.xml"):
            sent = server.client.get(f"/api/export{path}").raise_for_status()
            assert "r%E4n-" in sent.headers["content-disposition"]


def test_plain_pickle_always_loads(run: Path, images_folder: Path) -> None:
    """At any moment under load a user's three lines load annotations.pickle, and it only grows."""
    with serving(run, images_folder) as server:
        until(lambda: not server.session.images.listing)
        ends = threading.Event()
        sizes: list[int] = []

        def look() -> None:
            while not ends.is_set():
                sizes.append(len(published(run)))

        thread = threading.Thread(target=look)
        thread.start()
        for image in range(3, 12):
            server.answer(image)
            count = image + 1
            until(lambda: len(pickle_file.read(run, ANNOTATIONS).content) == count)  # noqa: B023 - waited for at once
        until(lambda: sizes[-1] == 12)
        ends.set()
        thread.join()
    assert sizes == sorted(sizes)
    assert set(sizes) >= {3, 12}

"""Scores that a person has brought along are published once the images are listed, and stay with the run."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from IA.protocol.files import SCORES
from IA.protocol.pickle_file import read
from tests.serving import Serving, serving, until

NAMES = ("a.png", "b.png", "x/c.png")


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Three pictures."""
    folder = tmp_path / "data"
    for name in NAMES:
        make(folder / name)
    return folder.resolve()


def make(path: Path) -> None:
    """A small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Scores of two of them, and of one that is not there yet."""
    path = tmp_path / "mine.csv"
    path.write_text("path,score\na.png,0.5\nx/c.png,0.75\nlater.png,0.25\n")
    return path


@contextlib.contextmanager
def session(tmp_path: Path, datadir: Path, scores: str | None) -> Iterator[Serving]:
    """A server that has read the scores, if there are any."""
    with serving(tmp_path / "run", datadir, scores=scores) as server:
        until(lambda: not server.session.images.listing)
        if server.session.settings.now.scores:
            until(lambda: server.session.scores.sentence != "")
        yield server


def published(server: Serving) -> dict[str, float]:
    """What scores.pickle has for each image."""
    content = read(server.session.run, SCORES).content
    paths = map(server.session.images.path, content.images)
    return dict(zip(paths, content.scores, strict=True))


def test_scores_are_published(tmp_path: Path, datadir: Path, file: Path) -> None:
    """They are there after the listing, a new image gets its score when it comes, and the person reads how it went."""
    with session(tmp_path, datadir, str(file)) as server:
        assert published(server) == {"a.png": 0.5, "x/c.png": 0.75}
        assert server.session.scores.sentence == (
            "mine.csv: 2 of 3 images have a score from 0.5 to 0.75, read as probabilities; 1 row names no single image "
            "(such as 'later.png')."
        )
        assert server.client.get("/api/status").json()["scores"] == server.session.scores.sentence
        make(datadir / "later.png")
        until(lambda: server.session.scores.sentence.startswith("mine.csv: 3 of 4 images have a score from 0.25 to"))
        assert published(server) == {"a.png": 0.5, "x/c.png": 0.75, "later.png": 0.25}


def test_scores_stay_with_the_run(tmp_path: Path, datadir: Path, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A later start reads the file again; where it is gone or broken, the scores stay, and one sentence says so."""
    with session(tmp_path, datadir, str(file)):
        pass
    file.write_text("path,score\nb.png,1\na.png,2\n")
    with session(tmp_path, datadir, None) as server:
        assert published(server) == {"b.png": 1, "a.png": 2}
    file.unlink()
    with session(tmp_path, datadir, None) as server:
        assert server.session.scores.sentence == (
            f"{file} is gone; the run goes on with the 2 scores that were read from it before."
        )
        assert published(server) == {"b.png": 1, "a.png": 2}
        assert caplog.messages.count(server.session.scores.sentence) == 1
    file.write_text("nothing of use\n")
    with session(tmp_path, datadir, None) as server:
        assert "cannot be read (no column names the images" in server.session.scores.sentence
        assert published(server) == {"b.png": 1, "a.png": 2}


def test_other_scores_replace_them(tmp_path: Path, datadir: Path, file: Path) -> None:
    """Another file replaces the scores, also where it knows none of the images; `none` deletes them."""
    with session(tmp_path, datadir, str(file)):
        pass
    other = tmp_path / "other.jsonl"
    other.write_text('{"path": "b.png", "score": 3}\n{"path": "a.png", "score": -3}\n')
    with session(tmp_path, datadir, str(other)) as server:
        assert published(server) == {"b.png": 3, "a.png": -3}
        assert "read as an order, the highest first" in server.session.scores.sentence
    other.write_text('{"path": "q.png", "score": 3}\n')
    with session(tmp_path, datadir, str(other)) as server:
        assert published(server) == {}
    with session(tmp_path, datadir, "none") as server:
        assert not (tmp_path / "run" / SCORES.name).exists()
        assert (server.session.scores.sentence, server.session.scores.count) == ("", 0)
    with session(tmp_path, datadir, None) as server:
        assert server.session.settings.now.scores == ""


def test_scores_come_back_with_the_run_directory(tmp_path: Path, datadir: Path, file: Path) -> None:
    """Where the run directory was deleted under a session, the scores are written again."""
    with session(tmp_path, datadir, str(file)) as server:
        shutil.rmtree(tmp_path / "run")
        assert server.answer(0).status_code == 201
        until(lambda: (tmp_path / "run" / SCORES.name).exists())
        assert published(server) == {"a.png": 0.5, "x/c.png": 0.75}


def test_a_run_without_scores(tmp_path: Path, datadir: Path) -> None:
    """Nothing is published where nobody gave scores."""
    with session(tmp_path, datadir, None) as server:
        assert not (tmp_path / "run" / SCORES.name).exists()
        assert server.session.scores.count == 0
        assert server.client.get("/api/status").json()["scores"] is None


@pytest.mark.slow
def test_a_disk_that_recovers(tmp_path: Path, datadir: Path, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where scores.pickle cannot be written, one warning says so, and it is written once that is possible."""
    blocked = tmp_path / "run" / SCORES.name
    with session(tmp_path, datadir, None):
        blocked.mkdir()
    with serving(tmp_path / "run", datadir, scores=str(file)) as server:
        until(lambda: any("could not be published" in message for message in caplog.messages))
        blocked.rmdir()
        until(lambda: server.session.scores.sentence != "")
        assert published(server) == {"a.png": 0.5, "x/c.png": 0.75}
    assert sum("could not be published" in message for message in caplog.messages) == 1

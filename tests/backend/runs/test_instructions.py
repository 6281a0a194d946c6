"""What the annotator is to know: kept with the run, told by the server, never in the way of anything."""

import logging
from pathlib import Path

import pytest
from PIL import Image

from backend.runs.instructions import NAME, Instructions
from IA.protocol.replacement import replace
from tests.serving import serving, until


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """One picture."""
    (tmp_path / "data").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "data" / "a.png")
    return tmp_path / "data"


def test_kept_with_the_run(tmp_path: Path, datadir: Path) -> None:
    """Instructions are told as they were given, and a later start without them still has them."""
    given = tmp_path / "how to.md"
    given.write_text("# Lynx?\n\nA *tail* is enough. Größe zählt nicht.", "utf-8-sig")
    with serving(tmp_path / "run", datadir, instructions=given) as server:
        text = server.client.get("/api/instructions").json()["text"]
        assert text.startswith("# Lynx?\n\nA *tail*")
        version = server.client.get("/api/status").json()["instructions"]
        assert 8 <= len(version) <= 16
    given.unlink()
    with serving(tmp_path / "run", datadir) as server:
        assert server.client.get("/api/instructions").json() == {"text": text}
        assert server.client.get("/api/status").json()["instructions"] == version
        (tmp_path / "run" / NAME).write_text("Another question.")
        assert server.client.get("/api/status").json()["instructions"] not in (None, version)
        (tmp_path / "run" / NAME).unlink()
        assert server.client.get("/api/instructions").json() == {"text": None}


def test_none(tmp_path: Path, datadir: Path) -> None:
    """Without instructions both routes say so."""
    with serving(tmp_path / "run", datadir) as server:
        assert server.client.get("/api/instructions").json() == {"text": None}
        assert server.client.get("/api/status").json()["instructions"] is None


@pytest.mark.parametrize("content", [b"\xff\xff", b"a" * 300_000, None])
def test_a_bad_file_in_the_run(
    tmp_path: Path, datadir: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that became unreadable is one warning and no instructions; answers go on."""
    run = tmp_path / "run"
    with serving(run, datadir) as server, caplog.at_level(logging.WARNING, "backend.runs.instructions"):
        until(lambda: not server.session.images.listing)
        if content is None:
            (run / NAME).mkdir()
        else:
            replace(run / NAME, content)
        for _ in range(2):
            assert server.client.get("/api/status").json()["instructions"] is None
            assert server.client.get("/api/instructions").json() == {"text": None}
        assert server.answer(0).status_code == 201
    assert len([record for record in caplog.records if record.name == "backend.runs.instructions"]) == 1


def test_a_file_that_went_away_before_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that is started again when the file is away keeps what the run has, and warns."""
    (tmp_path / "given.md").write_text("Look twice.")
    assert Instructions(tmp_path, tmp_path / "given.md").text == "Look twice."
    (tmp_path / "given.md").unlink()
    assert Instructions(tmp_path, tmp_path / "given.md").text == "Look twice."
    assert "does not exist" in caplog.text


def test_blank_instructions_are_none(tmp_path: Path) -> None:
    """An empty file takes the instructions away."""
    for text, expected in {"Look twice.": "Look twice.", " \n": None}.items():
        (tmp_path / "given.md").write_text(text)
        assert Instructions(tmp_path, tmp_path / "given.md").text == expected

"""The quick part of the images that bite: the whole of it is `python -m tests.faults images`."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.previews.rendering import render
from IA.images.decoding import pixels
from IA.images.pictures import UnreadableError
from IA.images.workers import Workers
from tests.faults.pictures import bombs, zoo
from tests.faults.pictures.faulty import faulty_decoders
from tests.faults.pictures.leaving import links, paths
from tests.serving import serving, until

QUICK_BOMBS = (
    "one-bit-13000.png",
    "claims-60000.png",
    "profile.png",
    "texts.png",
    "strip.tif",
    "tags.tif",
    "header-65500.jpg",
    "scans-65500.jpg",
    "scans-17000.jpg",
    "exif.jpg",
    "large.gif",
)


@pytest.fixture
def workers() -> Iterator[Workers]:
    """One process, with little memory and time for each file."""
    workers = Workers(1, memory_bytes=2**29, cpu_s=2)
    yield workers
    workers.close()


def said(work: object, *arguments: object) -> str:
    """Whether it gives a picture, or why not."""
    try:
        assert callable(work)
        work(*arguments)
    except UnreadableError as error:
        return str(error)
    return "shown"


@pytest.mark.slow
def test_server_and_inference_agree_on_every_kind(tmp_path: Path) -> None:
    """Whatever the file, both show it or both call it unreadable, and nothing else happens."""
    count = zoo.lay(tmp_path, zoo.files(2)) + zoo.lay(tmp_path, zoo.mutants(60))
    workers = Workers(1)
    verdicts = {}
    for path in sorted(tmp_path.iterdir()):
        shown, scored = said(workers.call, render, path, 640, tmp_path), said(pixels, path, 224, tmp_path)
        verdicts[path.name] = shown == "shown", scored == "shown"
    workers.close()
    assert len(verdicts) == count
    assert {name for name, (shown, scored) in verdicts.items() if shown != scored} == set()
    assert 0 < sum(shown for shown, _ in verdicts.values()) < count


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK_BOMBS)
def test_a_bomb_does_no_harm(tmp_path: Path, name: str) -> None:
    """It is shown or refused, by server and inference alike."""
    (tmp_path / name).write_bytes(bombs.BOMBS[name]())
    workers = Workers(1)
    assert said(workers.call, render, tmp_path / name, 320, tmp_path) == said(pixels, tmp_path / name, 224, tmp_path)
    workers.close()


def test_a_file_of_ten_gigabytes_is_not_read(tmp_path: Path) -> None:
    """A JPEG with a hole behind it is refused by its size."""
    (tmp_path / "hole.jpg").write_bytes(bombs.SPARSE["hole.jpg"]())
    with (tmp_path / "hole.jpg").open("r+b") as file:
        file.truncate(bombs.SPARSE_BYTES)
    assert "bytes" in said(pixels, tmp_path / "hole.jpg")


@pytest.mark.slow
def test_a_decoder_that_crashes_hangs_or_eats(tmp_path: Path, workers: Workers) -> None:
    """The file is unreadable, and the next one is decoded."""
    with faulty_decoders(tmp_path, tmp_path, ["crash.png", "hang.png", "eat.png", "none.png"]):
        assert said(workers.call, render, tmp_path / "crash.png", 32) == "The decoder crashed on it."
        assert said(workers.call, render, tmp_path / "none.png", 32) == "shown"
        assert said(workers.call, render, tmp_path / "hang.png", 32) == "It takes more than 2 s to decode."
        assert "memory" in said(workers.call, render, tmp_path / "eat.png", 32)
        assert said(workers.call, render, tmp_path / "none.png", 32) == "shown"


@pytest.mark.slow
def test_the_server_ends_while_a_decoder_hangs(tmp_path: Path) -> None:
    """Who waits for a picture is told at once that there is none."""
    data = tmp_path / "data"
    data.mkdir()
    with (
        faulty_decoders(tmp_path, data, ["hang.png"]),
        serving(tmp_path / "run", data) as server,
        ThreadPoolExecutor(1) as client,
    ):
        until(lambda: server.session.images.present == 1)
        asked = client.submit(server.client.get, "/api/images/0?size=32")
        until(lambda: server.session.previews.under_way)
        server.session.end_streams()
        assert asked.result(10).status_code == 404


def test_answers_do_not_wait_behind_pictures(tmp_path: Path) -> None:
    """However many pictures are waited for, everything else is answered."""
    data = tmp_path / "data"
    data.mkdir()
    with (
        faulty_decoders(tmp_path, data, ["hang.png", "none.png"]),
        serving(tmp_path / "run", data) as server,
        ThreadPoolExecutor(60) as clients,
    ):
        until(lambda: server.session.images.present == 2)
        hanging, other = server.session.images.number("hang.png"), server.session.images.number("none.png")
        asked = [
            clients.submit(server.client.get, f"/api/images/{hanging}?size={size}") for size in range(60, 3660, 60)
        ]
        until(lambda: server.session.previews.under_way > 1)
        assert other is not None
        assert server.answer(other).status_code == 201
        assert not any(each.done() for each in asked)
        server.session.end_streams()


LOOP = """
import sys
from pathlib import Path
from IA.images import decoding
from IA.images.pictures import UnreadableError
decoding.remember_in(Path("cache"))
for name in ("good.jpg", "crash.jpg", "crash-too.jpg", "none.jpg"):
    try:
        decoding.pixels(Path(name))
        sys.stdout.write("shown\\n")
    except UnreadableError as error:
        sys.stdout.write(f"{error}\\n")
"""


@pytest.mark.slow
def test_no_file_ends_a_loop_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG that takes the whole process along is decoded apart after the next start, and forever."""
    (tmp_path / "good.jpg").write_bytes(bombs.encoded(zoo.photo(zoo.generator(0)), "JPEG"))
    root = str(Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", root)
    with faulty_decoders(tmp_path, tmp_path, ["crash.jpg", "crash-too.jpg", "none.jpg"]):
        ended = [
            subprocess.run([sys.executable, "-c", LOOP], cwd=tmp_path, capture_output=True, text=True, check=False)
            for _ in range(4)
        ]
    assert [each.returncode for each in ended] == [-11, -11, 0, 0]
    verdicts = ["shown", "The decoder crashed on it.", "The decoder crashed on it.", "shown"]
    assert ended[2].stdout.splitlines() == ended[3].stdout.splitlines() == verdicts


@pytest.mark.slow
def test_nothing_outside_is_shown() -> None:
    """Links out of the folder are not listed, and a file that becomes one is not served; without the check it is."""
    assert [row for row in links(30) if not row.is_met] == []


@pytest.mark.slow
def test_no_path_in_a_request_is_used_as_one() -> None:
    """Whatever paths stand in a request, no file is opened by them."""
    assert [row for row in paths(("../../{}", "{}")) if not row.is_met] == []

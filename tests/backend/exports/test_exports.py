"""The exports: what other programs find in them, of one moment, whatever happens to the files meanwhile."""

import contextlib
import csv
import io
import json
import os
import sqlite3
import threading
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.export import main
from backend.exports import FORMATS, pieces
from backend.exports.fields import fields
from backend.exports.folders import folder_names
from backend.exports.label_studio import config
from backend.exports.pictures import Pictures
from backend.exports.source import Source
from backend.exports.spool import Spool
from backend.exports.trees.tree import AT_ONCE_BYTES
from backend.exports.trees.zipped import Entry, zipped
from backend.store import schema
from backend.store.labels import Labels
from backend.store.sources import BY_MODEL
from backend.store.table import Answer
from backend.web.routes import downloads as download_routes
from tests.backend.store.test_labels import answer
from tests.commands import Command, command_of
from tests.examples import examples
from tests.serving import Serving, serving, until

LABELS = ("positive", "negative", "skipped")


@pytest.fixture
def server(tmp_path: Path, images_folder: Path) -> Iterator[Serving]:
    """A server whose twelve images are answered: positive, negative, skipped, and so on."""
    with serving(tmp_path / "run", images_folder, positive="hat", negative="no hat") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        for image in range(12):
            server.answer(image, LABELS[image % 3], shown_ms=500 + image, client="me")
        yield server


@pytest.fixture
def run(server: Serving) -> Path:
    """Its run, in use."""
    return server.session.run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The export."""
    return command_of(main, monkeypatch, capsys)


def exported(server: Serving, format: str, **more: str) -> bytes:
    """What is downloaded."""
    response = server.client.get("/api/export", params={"format": format, **more})
    assert response.status_code == 200
    assert response.headers["content-type"] == FORMATS[format].media_type
    assert FORMATS[format].ending in response.headers["content-disposition"]
    return response.content


def source(given: Iterable[Answer], datadir: Path = Path("/nowhere")) -> Source:
    """Answers to export, without a server."""
    return Source(given, "hat", "no hat", Pictures(datadir))


def lines(format: str, source: Source) -> bytes:
    """The whole of an export."""
    return b"".join(FORMATS[format].lines(source))


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files in a zip that is whole."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


# --- what is in them --------------------------------------------------------------------------------------------------


def test_label_studio(server: Serving) -> None:
    """A task an image: the choice by its name, the time in seconds, skipped ones cancelled, all else in meta."""
    tasks = json.loads(exported(server, "label-studio"))
    assert len(tasks) == 12
    chosen = [task["annotations"][0]["result"] for task in tasks]
    assert [result[0]["value"]["choices"] if result else None for result in chosen[:3]] == [["hat"], ["no hat"], None]
    assert [task["annotations"][0]["was_cancelled"] for task in tasks[:3]] == [False, False, True]
    assert tasks[0]["annotations"][0]["lead_time"] == 0.5
    assert tasks[0]["data"]["image"] == f"/data/local-files/?d={tasks[0]['data']['path']}"
    assert tuple(tasks[0]["meta"]) == fields(False)
    assert tasks[0]["meta"]["annotator"] == "me"
    there = json.loads(exported(server, "label-studio", prefix="https://photos.example/"))
    assert there[0]["data"]["image"].startswith("https://photos.example/")
    assert '<Choice value="no hat"' in server.client.get("/api/export/label-studio.xml").text


def test_label_studio_predictions() -> None:
    """What the model had said is a prediction beside the answer; a label that a model gave is a prediction alone."""
    asked = replace(answer("a.jpg", "positive"), probability=0.2, checkpoint=7)
    labelled = replace(answer("b.jpg", "negative"), probability=0.1, source=BY_MODEL)
    unasked = replace(answer("c.jpg", "negative"), probability=None)
    tasks = json.loads(lines("label-studio", source([asked, labelled, unasked])))
    [prediction] = tasks[0]["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("checkpoint 7", 0.8)
    assert prediction["result"][0]["value"]["choices"] == ["no hat"]
    assert tasks[0]["annotations"][0]["result"][0]["value"]["choices"] == ["hat"]
    assert tasks[1]["annotations"] == []
    assert tasks[1]["predictions"][0]["score"] == 0.9
    assert tasks[2]["predictions"] == []


def test_names_are_escaped_in_the_labelling_config() -> None:
    """A class may be called anything."""
    assert b"""value='"&lt;a&gt; &amp; b'""" in config('"<a> & b', "c") or b"&quot;&lt;a&gt; &amp; b" in config(
        '"<a> & b', "c"
    )


def test_coco(server: Serving, images_folder: Path) -> None:
    """Images with their upright sizes, categories by name, a box of the whole image; none for what was skipped."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 30), "red").save(images_folder / "red" / "0.png", exif=exif)
    (images_folder / "red" / "1.png").unlink()
    content = json.loads(exported(server, "coco"))
    images = {image["id"]: image for image in content["images"]}
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in images.values()}
    assert (sizes["red/0.png"], sizes["red/1.png"], sizes["red/2.png"]) == ((30, 80), (0, 0), (60, 40))
    assert [image["file_name"] for image in images.values() if "missing" in image["attributes"]] == ["red/1.png"]
    names = {category["id"]: category["name"] for category in content["categories"]}
    labels = {
        images[annotation["image_id"]]["file_name"]: names[annotation["category_id"]]
        for annotation in content["annotations"]
    }
    given = {image["file_name"]: image["attributes"]["label"] for image in images.values()}
    meant = {"positive": "hat", "negative": "no hat"}
    assert labels == {path: meant[label] for path, label in given.items() if label != "skipped"}
    assert content["annotations"][0]["bbox"][:2] == [0, 0]
    assert all(
        annotation["bbox"][2:] == [images[annotation["image_id"]][side] for side in ("width", "height")]
        for annotation in content["annotations"]
    )


def test_class_folders(server: Serving, images_folder: Path) -> None:
    """Each image below the name of its label, as it is; answers.csv says all, of skipped ones too."""
    files = unpacked(exported(server, "folders"))
    rows = list(csv.DictReader(io.StringIO(files.pop("answers.csv").decode())))
    assert tuple(rows[0]) == fields(False)
    assert len(rows) == 12
    meant = {"positive": "hat", "negative": "no hat"}
    assert set(files) == {f"{meant[row['label']]}/{row['path']}" for row in rows if row["label"] != "skipped"}
    assert all(content == (images_folder / name.partition("/")[2]).read_bytes() for name, content in files.items())


def test_only_one_label(server: Serving) -> None:
    """One label alone, skipped ones too: then they have a folder."""
    assert {name.split("/")[0] for name in unpacked(exported(server, "folders", label="skipped"))} == {
        "skipped",
        "answers.csv",
    }
    rows = list(csv.DictReader(io.StringIO(exported(server, "csv", label="negative").decode())))
    assert {row["label"] for row in rows} == {"negative"}
    assert len(rows) == 4
    assert server.client.get("/api/export?label=perhaps").status_code == 422


def test_imagefolder(server: Serving, images_folder: Path) -> None:
    """The images by number, so that no name makes a split, and metadata.csv with a line for each."""
    files = unpacked(exported(server, "imagefolder"))
    rows = list(csv.DictReader(io.StringIO(files.pop("metadata.csv").decode())))
    assert tuple(rows[0]) == ("file_name", *fields(False))
    assert {row["file_name"] for row in rows} == set(files)
    assert all(files[row["file_name"]] == (images_folder / row["path"]).read_bytes() for row in rows)
    assert rows[11]["file_name"] == "0000/0000011.png"


@pytest.mark.parametrize("format", ["folders", "imagefolder"])
def test_a_file_that_is_away_stops_nothing(server: Serving, images_folder: Path, format: str) -> None:
    """Files that went away, became empty or lead out of the folder are listed; the rest comes."""
    (images_folder / "red" / "0.png").unlink()
    (images_folder / "red" / "1.png").write_bytes(b"")
    (images_folder / "red" / "3.png").unlink()
    (images_folder / "red" / "3.png").symlink_to(__file__)
    files = unpacked(exported(server, format))
    told = files["MISSING.txt"].decode().splitlines()
    asked = {f"red/{number}.png" for number in (0, 1, 3)}
    if format == "folders":
        asked = {entry["path"] for entry in _listed(server) if entry["path"] in asked and entry["label"] != "skipped"}
    assert {line.partition(":")[0] for line in told} == asked
    assert all(line.partition(": ")[2] for line in told)
    if format == "folders":
        assert not asked & {name.partition("/")[2] for name in files}
    else:
        assert len(files) == 12 - len(asked) + 2


def _listed(server: Serving) -> list[dict[str, str]]:
    content: list[dict[str, str]] = server.client.get("/api/annotations?limit=100").json()["annotations"]
    return content


def test_a_file_that_changes_is_told(tmp_path: Path) -> None:
    """What is written to while it is read comes as it was read, and is listed; the zip is whole."""
    large = tmp_path / "large.jpg"
    large.write_bytes(b"x" * (AT_ONCE_BYTES + 1_000_000))
    parts = FORMATS["imagefolder"].lines(source([answer("large.jpg", "positive")], tmp_path))
    content = next(parts) + next(parts)
    large.write_bytes(b"short")
    files = unpacked(content + b"".join(parts))
    assert len(files["0000/0000000.jpg"]) < AT_ONCE_BYTES
    assert "changed" in files["MISSING.txt"].decode()


@pytest.mark.parametrize("path", ["../out.jpg", "/etc/hostname", "a/../../out.jpg", "nul\0.jpg"])
def test_a_path_that_leads_out(tmp_path: Path, path: str) -> None:
    """A database that names other files than images gets none of them out."""
    (tmp_path / "out.jpg").write_bytes(b"secret")
    (tmp_path / "data").mkdir()
    for format in ("folders", "imagefolder"):
        files = unpacked(lines(format, source([answer(path, "positive")], tmp_path / "data")))
        assert set(files) == {"MISSING.txt", "answers.csv" if format == "folders" else "metadata.csv"}


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (("hat", "no hat"), ("hat", "no hat")),
        (("a/b", "a:b"), ("a-b", "a-b (negative)")),
        (("Hat", "hat"), ("Hat", "hat (negative)")),
        (("..", " . "), ("positive", "negative")),
        (("answers.csv", "Skipped"), ("answers.csv (positive)", "Skipped (negative)")),
        (("NUL", "com1.x"), ("NUL-", "com1.x-")),
        (("ü" * 300, "n"), ("ü" * 100, "n")),
    ],
)
def test_names_of_class_folders(names: tuple[str, str], folders: tuple[str, str]) -> None:
    """Every name becomes one that any file system takes, and never the same for both."""
    assert tuple(folder_names(*names).values()) == folders


# --- the zip ----------------------------------------------------------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0\\"), min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=300), st.booleans(), st.floats(-1e12, 1e12)), max_size=6))
@settings(max_examples=examples(60), deadline=None)
def test_any_zip(files: dict[str, tuple[bytes, bool, float]]) -> None:
    """Whatever goes in comes out of Python's own reader, in one piece or several, of any time."""
    entries = [
        Entry(name, [content[:100], content[100:]] if in_pieces else content, time)
        for name, (content, in_pieces, time) in files.items()
    ]
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(entries)))) as archive:
        assert archive.testzip() is None
        assert [archive.read(info) for info in archive.infolist()] == [content for content, *_ in files.values()]
        assert [info.orig_filename for info in archive.infolist()] == list(files)


class _Sparse(io.RawIOBase):
    """A file in which long pieces of zeros take no room."""

    def __init__(self, zeros: bytes, pieces: Iterable[bytes]) -> None:
        self._pieces: list[tuple[int, bytes]] = []
        self._place = self._end = 0
        for piece in pieces:
            if piece is not zeros:
                self._pieces.append((self._end, piece))
            self._end += len(piece)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        self._place = place + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        return self._place

    def read(self, size: int = -1) -> bytes:
        end = self._end if size < 0 else min(self._end, self._place + size)
        content = bytearray(max(0, end - self._place))
        for start, piece in self._pieces:
            for at in range(max(start, self._place), min(start + len(piece), end)):
                content[at - self._place] = piece[at - start]
        self._place = max(end, self._place)
        return bytes(content)


def test_a_zip_beyond_4_gb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries and offsets of more than 32 bits are found again by their 64-bit fields."""
    monkeypatch.setattr("backend.exports.trees.zipped.zlib.crc32", lambda piece, crc=0: 0)  # of gigabytes of zeros
    zeros = bytes(1 << 24)
    large = 300 * len(zeros)
    archive = _Sparse(
        zeros, zipped([Entry("large", [zeros] * 300, 0), Entry("after", b"", 0), Entry("small", b"\0x", 0)])
    )
    with zipfile.ZipFile(archive) as read:
        infos = {info.filename: info for info in read.infolist()}
    assert infos["large"].file_size == infos["large"].compress_size == large > 1 << 32
    assert infos["small"].header_offset > 1 << 32
    assert infos["small"].file_size == 2


@pytest.mark.slow
def test_a_zip_of_many() -> None:
    """More entries than 16 bits can count."""
    count = 70_000
    content = b"".join(zipped(Entry(f"{number}", b"", 0) for number in range(count)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == count


def test_a_spool_gives_back() -> None:
    """What goes in comes out in order, and took a fraction of its size."""
    spool = Spool()
    for number in range(100_000):
        spool.write(f"photos/{number:07d}.jpg,positive,key,2026-01-01T00:00:00.000Z\n".encode())
    assert spool.held_bytes < 1_000_000
    assert b"".join(spool.read()).splitlines()[77_777].startswith(b"photos/0077777")


# --- of one moment, and streamed --------------------------------------------------------------------------------------


def test_an_export_is_of_one_moment(tmp_path: Path) -> None:
    """What is answered, changed and taken back while it is read changes nothing, and no image comes twice."""
    labels = Labels(tmp_path)
    labels.annotate_all([answer(f"{number}.jpg", "positive") for number in range(2500)]).result()
    moment = labels.stored.moment()
    read = iter(moment)
    before = [next(read) for _ in range(10)]
    labels.annotate_all([answer(f"{number}.jpg", "negative") for number in (3, 2400)]).result()
    labels.annotate(answer("new.jpg", "negative")).result()
    whole = before + list(read)
    assert [(entry.path, entry.label) for entry in whole] == [(f"{number}.jpg", "positive") for number in range(2500)]
    assert list(moment) == whole
    assert len(labels.stored.moment("negative")) == 3
    labels.close()


def test_an_export_does_not_hold_up_the_log(tmp_path: Path) -> None:
    """A download that somebody reads slowly lets SQLite copy its log into the file."""
    labels = Labels(tmp_path)
    labels.annotate_all([answer(f"{number}.jpg", "positive") for number in range(2500)]).result()
    read = iter(labels.stored.moment())
    next(read)
    labels.annotate(answer("new.jpg", "negative")).result()
    with contextlib.closing(sqlite3.connect(tmp_path / schema.DATABASE)) as connection:
        busy, logged, copied = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    assert (busy, logged) == (0, copied)
    assert len(list(read)) == 2499
    labels.close()


def most_bytes(made: Iterable[bytes]) -> int:
    """The most that is kept while this is read and thrown away."""
    tracemalloc.start()
    try:
        for _ in made:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_an_export_takes_little_memory(tmp_path: Path) -> None:
    """Neither answers nor lines are kept: with 20,000 of them those would take 10 MB."""
    entries = (answer(f"folder/{number:06d}.jpg", "positive", id=str(number)) for number in range(20_000))
    made = list(pieces([b"x" * 100, b"y" * 1_000_000]))
    assert {len(piece) for piece in made[:-1]} == {1 << 16}
    assert most_bytes(pieces(FORMATS["csv"].lines(source(entries, tmp_path)))) < 3_000_000


@pytest.mark.slow
def test_a_zip_takes_little_memory() -> None:
    """Of 20,000 entries the directory takes less than 50 bytes each; `zipfile` keeps 372."""
    entries = (Entry(f"folder/{number:06d}.jpg", b"%d" % number, 0) for number in range(20_000))
    assert most_bytes(pieces(zipped(entries))) < 1_000_000


def test_an_export_of_two_files_is_both_or_none(run: Path, tmp_path: Path, command: Command) -> None:
    """Tasks for Label Studio are of no use without their labelling config."""
    (tmp_path / "to" / f".tasks.xml.{os.getpid()}.part").mkdir(parents=True)
    assert "tasks.xml could not be written" in command(
        run, "--format", "label-studio", "--to", tmp_path / "to" / "tasks.json"
    )
    assert list((tmp_path / "to").iterdir()) == []


def test_downloads_have_an_end(server: Serving, images_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many at once and no more; who goes away, or has it all, gives the place back."""
    monkeypatch.setattr(download_routes, "EXPORTS_AT_ONCE", 2)
    for number in range(6):
        (images_folder / "blue" / f"{number}.png").write_bytes(os.urandom(8_000_000))
    reached = threading.Barrier(3)

    def hold() -> None:
        with server.client.stream("GET", "/api/export?format=imagefolder"):
            reached.wait()
            reached.wait()

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    reached.wait()
    assert server.client.get("/api/export").status_code == 503
    assert server.client.get("/api/queue").status_code == 200
    reached.wait()
    for holder in holders:
        holder.join()
    until(lambda: server.client.get("/api/export").status_code == 200)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", list(FORMATS))
def test_the_command_writes_what_is_downloaded(
    server: Serving, run: Path, tmp_path: Path, command: Command, format: str
) -> None:
    """The same answers as the page's, while the run is in use; nothing else is left behind."""
    ending = Path(FORMATS[format].ending).suffix
    to = tmp_path / "out" / f"export{ending}"
    to.parent.mkdir()
    told = {"folders": "8 images", "imagefolder": "12 images"}.get(format, "12 answers")
    assert command(run, "--format", format, "--to", to).startswith(f"{told} in {to}\n")
    if ending == ".zip":
        with zipfile.ZipFile(to) as archive:
            ours = {name: archive.read(name) for name in archive.namelist()}
        assert ours == unpacked(exported(server, format))
    else:
        assert to.read_bytes() == exported(server, format)
    assert {path.suffix for path in to.parent.iterdir()} <= {ending, ".xml"}
    assert "is there already" in command(run, "--format", format, "--to", to)


@pytest.mark.parametrize("link", ["copy", "hard", "symbolic"])
def test_folders_by_link(run: Path, images_folder: Path, tmp_path: Path, command: Command, link: str) -> None:
    """Copies, hard links or symbolic links, with the same content."""
    told = command(run, "--format", "folders", "--to", tmp_path / "out", "--link", link)
    assert told == f"8 images in {tmp_path / 'out'}\n4 skipped images are only named in answers.csv there\n"
    found = [path for path in (tmp_path / "out").rglob("*.png")]
    assert len(found) == 8
    for path in found:
        origin = images_folder / path.relative_to(tmp_path / "out" / path.relative_to(tmp_path / "out").parts[0])
        assert path.read_bytes() == origin.read_bytes()
        assert path.is_symlink() == (link == "symbolic")
        assert (path.stat().st_ino == origin.stat().st_ino) == (link != "copy")
    assert (tmp_path / "out" / "answers.csv").is_file()


def test_mistakes(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """Each is one sentence, and nothing is written."""
    assert "no run" in command(tmp_path / "nothing", "--format", "csv", "--to", tmp_path / "a.csv")
    assert "could not be written" in command(run, "--format", "csv", "--to", tmp_path / "no" / "a.csv")
    assert "--link is for" in command(run, "--format", "csv", "--to", tmp_path / "a.csv", "--link", "hard")
    assert "folder of images" in command(run, "--format", "folders", "--to", images_folder / "out")
    assert "--help" in command(run, "--format", "xls", "--to", tmp_path / "a.xls")
    assert not list(tmp_path.glob("a.*"))
    assert not (images_folder / "out").exists()


def test_nothing_is_left_of_an_export_that_fails(
    run: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full in the middle: one sentence, no file, no folder, no temporary."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os, "utime", full)
    monkeypatch.setattr(os, "fsync", full)
    assert "no space left" in command(run, "--format", "folders", "--to", tmp_path / "out" / "x").lower()
    assert "no space left" in command(run, "--format", "csv", "--to", tmp_path / "out" / "x.csv").lower()
    assert list((tmp_path / "out").iterdir()) == []

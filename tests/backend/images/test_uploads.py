"""Images that come over the network: stored once, under a name of their own, inside their folder, or not at all."""

import io
import shutil
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.images import uploads
from backend.images.uploads import FOLDER, Uploaded, Uploads
from tests.examples import examples
from tests.serving import Serving, serving, until

Usage = namedtuple("Usage", "total used free")


def png(shade: int) -> bytes:
    """A small picture."""
    data = io.BytesIO()
    Image.new("RGB", (20, 10), (shade, 7, 9)).save(data, "PNG")
    return data.getvalue()


def zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A session on an empty folder that takes images."""
    (tmp_path / "photos").mkdir()
    with serving(tmp_path / "run", tmp_path / "photos", allow_upload=True) as serving_it:
        until(lambda: not serving_it.session.images.listing)
        yield serving_it


def send(server: Serving, name: str, data: bytes) -> Any:
    """Upload a file; what became of it."""
    response = server.client.post("/api/upload", params={"name": name}, content=data)
    assert response.status_code == 201, response.text
    return response.json()


def files(folder: Path) -> list[str]:
    """All files in the folder of uploads."""
    return sorted(
        path.relative_to(folder / FOLDER).as_posix() for path in (folder / FOLDER).rglob("*") if path.is_file()
    )


def test_an_image_comes_and_is_asked(server: Serving, tmp_path: Path) -> None:
    """What is sent lies in DATADIR/uploads, with its bytes, and is asked like any other image."""
    assert server.client.get("/api/status").json()["upload"] is True
    sent = send(server, "holiday/beach.png", png(1))
    assert sent["added"] == {"files": 1, "first": ["uploads/holiday/beach.png"]}
    assert (tmp_path / "photos/uploads/holiday/beach.png").read_bytes() == png(1)
    until(lambda: server.client.get("/api/status").json()["left"] == 1)
    [asked] = server.client.get("/api/queue").json()["images"]
    assert asked["path"] == "uploads/holiday/beach.png"


def test_a_photo_that_is_cut_up(tmp_path: Path) -> None:
    """It comes as one file, is asked as its tiles, and does not come again."""
    (tmp_path / "photos").mkdir()
    with serving(tmp_path / "run", tmp_path / "photos", allow_upload=True, tile="2x2") as server:
        until(lambda: not server.session.images.listing)
        both = send(server, "two.zip", zipped({"a.png": png(1), "b.png": png(2)}))
        assert both["added"] == {"files": 2, "first": ["uploads/two/a.png", "uploads/two/b.png"]}
        until(lambda: server.client.get("/api/status").json()["left"] == 8)
        assert server.client.get("/api/status").json()["photos"] == 2
        assert send(server, "c.png", png(1))["duplicates"]["first"] == {"c.png": "uploads/two/a.png"}
        assert server.client.get("/api/queue").json()["images"][0]["tile"] is not None


def test_names_are_never_overwritten_and_content_never_doubled(server: Serving, tmp_path: Path) -> None:
    """Another picture of the same name gets another one; the same picture is told, and not stored again."""
    send(server, "a.png", png(1))
    assert send(server, "a.png", png(2))["added"]["first"] == ["uploads/a (2).png"]
    again = send(server, "b.png", png(1))
    assert (again["added"]["files"], again["duplicates"]["first"]) == (0, {"b.png": "uploads/a.png"})
    assert files(tmp_path / "photos") == ["a (2).png", "a.png"]
    (tmp_path / "photos/uploads/a.png").unlink()
    assert send(server, "b.png", png(1))["added"]["first"] == ["uploads/b.png"]
    (tmp_path / "photos/uploads/b.png").write_bytes(png(3))  # written anew: it is not what it was
    assert send(server, "c.png", png(1))["added"]["first"] == ["uploads/c.png"]


def test_a_zip(server: Serving, tmp_path: Path) -> None:
    """A zip is unpacked into a folder of its name; what is no image is told, and what systems add is not."""
    entries = {"one.png": png(1), "sub/two.png": png(2), "sub/copy.png": png(1), "notes.txt": b"x", "empty.png": b""}
    sent = send(server, "trip.zip", zipped(entries | {"__MACOSX/._one.png": b"x", ".DS_Store": b"x"}))
    assert sent["added"]["first"] == ["uploads/trip/one.png", "uploads/trip/sub/two.png"]
    assert sent["duplicates"]["first"] == {"trip/sub/copy.png": "uploads/trip/one.png"}
    assert set(sent["refused"]["first"]) == {"notes.txt", "empty.png"}
    assert files(tmp_path / "photos") == ["trip/one.png", "trip/sub/two.png"]


def test_what_cannot_be_shown_is_told(server: Serving, tmp_path: Path) -> None:
    """An image that is cut off is kept, and its sender is told; so is one in a zip."""
    whole = io.BytesIO()
    Image.effect_noise((60, 60), 90).save(whole, "PNG")
    torn = whole.getvalue()[:-900]
    sent = send(server, "torn.png", torn)
    assert (sent["added"]["files"], sent["unreadable"]["files"]) == (1, 1)
    assert list(sent["unreadable"]["first"]) == ["torn.png"]
    assert sent["unreadable"]["first"]["torn.png"].endswith(".")
    assert files(tmp_path / "photos") == ["torn.png"]
    sent = send(server, "trip.zip", zipped({"good.png": png(1), "bad.jpg": b"no picture"}))
    assert (sent["added"]["files"], list(sent["unreadable"]["first"])) == (2, ["trip/bad.jpg"])
    assert send(server, "good.png", png(2))["unreadable"]["files"] == 0


def encrypted() -> bytes:
    """A zip that says that its file is encrypted."""
    data = bytearray(zipped({"a.png": png(1)}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def overlapping() -> bytes:
    """A zip whose directory names the same bytes twice."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.png", png(1))
        archive.filelist.append(archive.filelist[0])
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no zip", "no good zip"),
        (zipped({"a.png": png(1)})[:-30], "no good zip"),
        (zipped({"a.png": bytes(300 * 2**20)}, zipfile.ZIP_DEFLATED), "200 times its size"),
        (overlapping(), "overlap"),
        (encrypted(), "encrypted"),
        (zipped({"../../a.png": png(1)}), "leads out"),
        (zipped({"/x/..\\a.png": png(1)}), "leads out"),
    ],
)
def test_zips_that_are_refused(server: Serving, tmp_path: Path, data: bytes, sentence: str) -> None:
    """Bombs, damage and paths that lead out are told in one sentence; nothing of them is kept."""
    sent = send(server, "bad.zip", data)
    assert sentence in next(iter(sent["refused"]["first"].values()))
    assert sent["added"]["files"] == 0
    assert files(tmp_path / "photos") == []
    assert [path.name for path in tmp_path.rglob("*.png")] == []


def test_a_zip_that_unpacks_to_too_much(server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits on all of a zip and on each of its images."""
    monkeypatch.setattr(uploads, "MOST_UNPACKED", 1000)
    assert "unpacks to more" in str(send(server, "a.zip", zipped({"a.png": bytes(1001)})))
    monkeypatch.setattr(uploads, "MOST_FILES", 2)
    assert "more than 2 files" in str(send(server, "a.zip", zipped({f"{n}.png": b"x" for n in range(3)})))
    monkeypatch.setattr(uploads, "MOST_IMAGE_BYTES", 10)
    assert "larger than" in str(send(server, "a.zip", zipped({"a.png": png(1)})))
    assert files(tmp_path / "photos") == []


def test_only_with_the_option(tmp_path: Path, images_folder: Path) -> None:
    """Without --allow-upload nothing is taken."""
    with serving(tmp_path / "run", images_folder) as server:
        assert server.client.get("/api/status").json()["upload"] is False
        assert server.client.post("/api/upload?name=a.png", content=png(1)).status_code == 403
        assert server.client.post("/api/upload?name=a.png", content=bytes(100_000)).status_code == 413
    assert not (images_folder / FOLDER).exists()


def test_a_full_disk_and_uploads_that_break_off(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is all but full is told before anything is written, and a broken upload leaves nothing."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1))
    full = server.client.post("/api/upload?name=a.png", content=png(1))
    assert (full.status_code, "disk is free" in full.json()["detail"]) == (507, True)
    monkeypatch.undo()

    def broken() -> Iterator[bytes]:
        yield png(1)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        server.client.post("/api/upload?name=a.png", content=broken())
    until(lambda: files(tmp_path / "photos") == [])
    part = tmp_path / "photos/uploads/.left.part"
    part.write_bytes(b"x")
    Uploads(tmp_path / "photos", lambda: iter(())).sweep()
    assert not part.exists()


def test_an_image_that_is_there_already(tmp_path: Path, images_folder: Path) -> None:
    """Copies of what lies in DATADIR are duplicates too."""
    with serving(tmp_path / "run", images_folder, allow_upload=True) as server:
        until(lambda: not server.session.images.listing)
        data = (images_folder / "red/3.png").read_bytes()
        assert send(server, "mine.png", data)["duplicates"]["first"] == {"mine.png": "red/3.png"}


def test_a_link_in_the_folder_of_uploads(server: Serving, tmp_path: Path) -> None:
    """A folder that is a link to somewhere else is not written to."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "photos" / FOLDER).mkdir()
    (tmp_path / "photos" / FOLDER / "sub").symlink_to(tmp_path / "elsewhere")
    assert "leads elsewhere" in str(send(server, "sub/a.png", png(1))["refused"])
    assert list((tmp_path / "elsewhere").iterdir()) == []


@given(
    name=st.text(min_size=1, max_size=300)
    | st.lists(st.sampled_from(["..", ".", "", "a", "con", "/", "\\", "~"])).map("/".join)
)
@settings(deadline=None, max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name(tmp_path: Path, name: str) -> None:
    """Whatever it is called, a file lands in the folder of uploads as an image, or nowhere."""
    (tmp_path / "photos").mkdir(exist_ok=True)
    taking = Uploads(tmp_path / "photos", lambda: iter(()))
    for ending in ("", ".png"):
        part = taking.begin()
        part.write_bytes(f"{name}{ending}".encode("utf-8", "replace"))
        outcome: Uploaded = taking.finish(part, f"{name}{ending}")
        assert len(outcome.added) + len(outcome.duplicates) + len(outcome.refused) == 1
        for added in outcome.added:
            path = tmp_path / "photos" / added
            assert path.is_file()
            assert path.resolve().is_relative_to((tmp_path / "photos" / FOLDER).resolve())
    assert {path.name for path in tmp_path.iterdir()} == {"photos"}
    assert {path.name for path in (tmp_path / "photos").iterdir()} == {FOLDER}

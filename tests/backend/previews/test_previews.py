"""Pictures for the screen: rendered once, kept, made ready ahead, and never in the way of a request."""

import io
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from backend.previews import cache as preview_cache
from backend.previews.ahead import Ahead
from backend.previews.cache import LEAST_BYTES, PreviewCache
from backend.previews.previews import Previews, limit_of, name_of
from backend.previews.rendering import Picture
from IA.images.pictures import UnreadableError
from IA.protocol.watching import signature
from tests.serving import Serving, serving, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures are kept; not made yet."""
    return tmp_path / "cache" / "previews"


@pytest.fixture
def previews(folder: Path) -> Iterator[Previews]:
    """The pool of decoders."""
    previews = Previews(folder)
    yield previews
    previews.close()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A picture that has to be made smaller."""
    Image.new("RGB", (800, 600), "red").save(tmp_path / "large.png")
    return tmp_path / "large.png"


def kept(folder: Path) -> list[str]:
    """Names of the pictures that are kept."""
    return sorted(path.name for path in folder.glob("*.preview"))


def first() -> str:
    """The version of a file that never changes."""
    return "first"


def test_a_picture_is_rendered_once(previews: Previews, folder: Path, large: Path) -> None:
    """What was rendered is kept for the same version and size, also after a restart; another version is another."""
    picture = previews.render(large, first, 330)
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (image.size, picture.media_type) == ((320, 240), "image/jpeg")
    large.unlink()
    assert previews.render(large, first, 320) == picture
    again = Previews(folder)
    assert again.render(large, first, 320) == picture
    with pytest.raises(FileNotFoundError):
        again.render(large, lambda: "second", 320)
    with pytest.raises(FileNotFoundError):
        again.render(large, first, 640)
    again.close()


def test_a_file_that_is_shown_as_it_is_is_not_kept(previews: Previews, folder: Path, large: Path) -> None:
    """A file that is sent as it is needs no copy, and nothing ahead."""
    assert previews.render(large, first, 960).content == large.read_bytes()
    previews.prepare(large, first, 960)
    assert not folder.exists()


def test_a_file_that_changes_while_it_is_rendered_is_not_kept(previews: Previews, folder: Path, large: Path) -> None:
    """A picture is kept only for the version that it surely shows."""
    versions = iter("abcd")
    previews.render(large, lambda: next(versions), 320)
    previews.prepare(large, lambda: next(versions), 320)
    assert kept(folder) == []


def test_a_damaged_picture_is_made_anew(previews: Previews, folder: Path, large: Path) -> None:
    """A torn or flipped file in the cache is never shown; a cache that was deleted fills again."""
    picture = previews.render(large, first, 320)
    [path] = folder.iterdir()
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:100], b"", bytes([whole[0] ^ 1]) + whole[1:]):
        path.write_bytes(damaged)
        assert previews.render(large, first, 320) == picture
    shutil.rmtree(folder)
    assert previews.render(large, first, 320) == picture
    assert path.read_bytes() == whole


def test_a_disk_that_takes_nothing(
    previews: Previews, folder: Path, large: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nothing can be written every picture is rendered, with one warning."""
    folder.parent.mkdir()
    folder.write_text("no folder")
    for _ in range(2):
        assert previews.render(large, first, 320).is_rendered
        previews.prepare(large, first, 320)
    assert len(caplog.records) == 1


def test_a_nearly_full_disk_is_left_to_the_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept where the disk has little room left."""
    cache = PreviewCache(folder)
    monkeypatch.setattr(preview_cache, "LEAVE_FREE_BYTES", shutil.disk_usage("/").total * 1000)
    cache.put("a", b"picture")
    assert cache.get("a") is None
    assert list(folder.iterdir()) == []


def test_the_oldest_use_goes_first(folder: Path) -> None:
    """A cache stays within its bounds, also across a restart, and keeps what was used last."""
    cache = PreviewCache(folder, limit_bytes=3 * LEAST_BYTES)
    for number, name in enumerate("abc"):
        cache.put(name, b"picture of " + name.encode())
        os.utime(folder / f"{name}.preview", (number, number))
    assert cache.get("a") == b"picture of a"
    cache.put("d", b"picture of d")
    assert kept(folder) == ["a.preview", "c.preview", "d.preview"]
    again = PreviewCache(folder, limit_bytes=2 * LEAST_BYTES)
    assert kept(folder) == ["a.preview", "d.preview"]
    again.put("e", b"p" * (LEAST_BYTES + 1))
    assert kept(folder) == ["e.preview"]
    again.put("f", b"p" * 3 * LEAST_BYTES)
    assert kept(folder) == []


def test_leftovers_are_swept(folder: Path) -> None:
    """What a dead writer left goes at the start; other people's files stay."""
    folder.mkdir(parents=True)
    for name in (".a.1234.tmp", "notes.txt"):
        (folder / name).write_text("x")
    (folder / "folder.preview").mkdir()
    PreviewCache(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["folder.preview", "notes.txt"]


def test_prepared(previews: Previews, folder: Path, large: Path) -> None:
    """A picture that was prepared is there before it is asked for; preparing it again does nothing."""
    previews.prepare(large, first, 320)
    assert kept(folder) == [f"{name_of('first', 320)}.preview"]
    large.unlink()
    previews.prepare(large, first, 320)
    assert previews.render(large, first, 320).is_rendered


def test_requests_go_first(previews: Previews, folder: Path, large: Path) -> None:
    """Nothing is begun ahead while a request is under way."""
    thread = threading.Thread(target=previews.prepare, args=(large, first, 320))
    with previews.requested():
        thread.start()
        previews.render(large, lambda: "second", 320)
        assert previews.under_way == 0
    thread.join(20)
    assert len(kept(folder)) == 2


def test_preparing_ends_with_the_pool(previews: Previews, large: Path) -> None:
    """What waits for its turn ends when the server does."""
    thread = threading.Thread(target=previews.prepare, args=(large, first, 320))
    with previews.requested():
        thread.start()
        previews.close()
        thread.join(20)
    assert not thread.is_alive()
    previews.is_closed = False
    previews.prepare(large, first, 320)  # comes between the look and the end: nothing is raised


def crash(path: Path, limit_px: int, inside: Path | None) -> Picture | None:
    """What a decoder does that a file brings down."""
    os._exit(11)


def slowly(path: Path, limit_px: int, inside: Path | None) -> Picture | None:
    """A decoder that takes its time and has nothing to give."""
    time.sleep(0.5)
    return None


@pytest.mark.slow
def test_a_crash_harms_no_other_picture(previews: Previews, large: Path) -> None:
    """A file that crashes its decoder is unreadable; whatever is rendered at the same time is shown."""
    pictures: list[Picture] = []
    threads = [
        threading.Thread(target=lambda name=name: pictures.append(previews.render(large, lambda: name, 320)))
        for name in ("a", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for name in ("first", "second"):
        with pytest.raises(UnreadableError, match="crashed"):
            previews.result(name, crash, large, 320)
    for thread in threads:
        thread.join(20)
    assert len(pictures) == 3


@pytest.mark.slow
def test_what_is_being_prepared_is_not_begun_twice(
    previews: Previews, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request for what is under way waits for it, and makes the picture itself where nothing comes of it."""
    monkeypatch.setattr("backend.previews.previews.render_ahead", slowly)
    thread = threading.Thread(target=previews.prepare, args=(large, first, 320))
    thread.start()
    until(lambda: previews.under_way)
    assert previews.render(large, first, 320).is_rendered
    thread.join(20)


def test_an_unreadable_file_ahead(previews: Previews, large: Path) -> None:
    """What cannot be decoded is told ahead too."""
    large.write_bytes(b"no picture")
    with pytest.raises(UnreadableError):
        previews.prepare(large, first, 320)


def test_the_head_in_the_sizes_of_late() -> None:
    """Images are prepared in order, in the sizes asked for lately, and from the head again when the queue moves."""
    prepared: list[tuple[int, int]] = []
    going_on = threading.Semaphore(0)
    head = [5, 3, 1]

    def prepare(image: int, size_px: int) -> None:
        prepared.append((image, size_px))
        going_on.acquire()

    ahead = Ahead(lambda count: list(head), prepare)
    ahead.start()
    ahead.wake()
    ahead.asked(1280)
    until(lambda: prepared == [(5, 1280)])
    ahead.asked(320)
    head[:] = [7, 5]
    ahead.wake()
    going_on.release()
    until(lambda: prepared[1:] == [(7, 320)])
    going_on.release(10)
    until(lambda: prepared[1:] == [(7, 320), (7, 1280), (5, 320), (5, 1280)])
    ahead.close()
    until(lambda: "ahead" not in {thread.name for thread in threading.enumerate()})


def test_sizes_are_rounded_down() -> None:
    """Few sizes are made, whatever is asked for."""
    assert [limit_of(size) for size in (1, 64, 127, 1280, 65535, None)] == [64, 64, 64, 1280, 3840, None]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server of twelve pictures of 800 x 600, four of 40 x 30, and a broken one."""
    (tmp_path / "data").mkdir()
    for number in range(16):
        size = (800, 600) if number < 12 else (40, 30)
        Image.new("RGB", size, (20 * number, 0, 0)).save(tmp_path / "data" / f"{number}.jpg")
    (tmp_path / "data" / "broken.jpg").write_bytes(b"no picture")
    with serving(tmp_path / "run", tmp_path / "data") as server:
        until(lambda: not server.session.images.listing)
        yield server


def test_one_request_has_the_others_prepared(server: Serving) -> None:
    """When one picture was asked for, the next ones are made ready in its size, and broken ones are found out."""
    folder = server.session.run / "cache" / "previews"
    large = server.session.images.number("0.jpg")
    assert server.client.get(f"/api/images/{large}?size=320").status_code == 200
    until(lambda: len(kept(folder)) == 12)
    until(lambda: server.client.get("/api/status").json()["unreadable"] == 1)
    assert server.client.get("/api/images/3?size=320").status_code in (200, 415)
    server.answer(large or 0)
    assert server.client.get(f"/api/images/{large}?size=64").status_code == 200  # answered: nobody needs others like it
    assert len(kept(folder)) == 13


def test_not_modified(server: Serving) -> None:
    """A browser that has a picture is told so without decoding, until the file or the size is another."""
    number = server.session.images.number("1.jpg")
    address = f"/api/images/{number}?size=320"
    response = server.client.get(address)
    tag = response.headers["etag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}'):
        known = server.client.get(address, headers={"if-none-match": header})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
        assert "immutable" in known.headers["cache-control"]
    assert server.client.get(address, headers={"if-none-match": tag[1:-1]}).status_code == 200
    assert server.client.get(f"/api/images/{number}?size=333", headers={"if-none-match": tag}).status_code == 304
    other = server.client.get(f"/api/images/{number}?size=640", headers={"if-none-match": tag})
    assert (other.status_code, other.headers["etag"] == tag) == (200, False)
    path = server.session.images.datadir / "1.jpg"
    before = signature(path)
    Image.new("RGB", (900, 600), "green").save(path)
    assert signature(path) != before
    changed = server.client.get(address, headers={"if-none-match": tag})
    assert (changed.status_code, changed.headers["etag"] == tag) == (200, False)
    with Image.open(io.BytesIO(changed.content)) as image:
        assert image.size == (320, 213)
    path.unlink()
    assert server.client.get(address, headers={"if-none-match": changed.headers["etag"]}).status_code == 404
    assert server.client.get("/api/images/999?size=320", headers={"if-none-match": "*"}).status_code == 404


def test_what_is_damaged_is_told(server: Serving, caplog: pytest.LogCaptureFixture) -> None:
    """With each picture of the file, once in the log, and again from the cache; not any more once it is whole."""
    number = server.session.images.number("2.jpg")
    path = server.session.images.datadir / "2.jpg"
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    address = f"/api/images/{number}"
    with caplog.at_level("WARNING"):
        for query in ("?size=320", "?size=320", "?size=64", ""):
            response = server.client.get(address + query)
            assert unquote(response.headers["x-damage"]).startswith("It breaks off")
    assert sum("'2.jpg' is damaged" in record.message for record in caplog.records) == 1
    path.write_bytes(whole)
    os.utime(path, (1, 1))
    assert "x-damage" not in server.client.get(address).headers

"""Ways out of the folder of images: links that lead out, files that become such links, and paths in requests."""

import http.client
import io
import itertools
import json
import math
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from IA.images import decoding
from IA.images.pictures import UnreadableError
from tests.faults.report import Row
from tests.serving import Serving, serving, until

SECRET, OURS = (255, 0, 0), (0, 0, 255)
PX = 48


def links(tries: int) -> Iterator[Row]:
    """Pictures outside are red, those inside blue: no red one may be seen."""
    with tempfile.TemporaryDirectory(prefix="faults-links-") as folder:
        place = Path(folder).resolve()
        data, secret = _lay(place)
        with serving(place / "run", data) as server:
            until(lambda: not server.session.images.listing)
            listed = [server.session.images.path(number) for number in range(len(server.session.images))]
            out = [path for path in listed if path.startswith("out")]
            yield Row("links out of DATADIR (3 files, 2 folders): listed", "0", str(len(out)), not out)
            seen = [red_seen(server, data, secret, flip, tries) for flip in (flip_file, flip_folder)]
        for what, reds in zip(("a file", "a folder above it"), seen, strict=True):
            yield Row(
                f"{what} becomes a link that leads out, and back, over and over, {tries} requests: served from outside",
                "0",
                str(reds),
                reds == 0,
            )
        reds = red_embedded(data, secret, data, tries)
        yield Row(f"the same read for embedding, {tries} times", "0", str(reds), reds == 0)
        reds = red_embedded(data, secret, None, 100 * tries, enough=1)
        yield Row("the same with the check taken out", "seen: this harness can fail", str(reds), reds > 0)
        with serving(place / "other", data, follow_links=True) as server:
            until(lambda: not server.session.images.listing)
            listed = [server.session.images.path(number) for number in range(len(server.session.images))]
            shown = sum(server.client.get(f"/api/images/{number}").status_code == 200 for number in range(len(listed)))
        found = sum(path.startswith("out") for path in listed)
        yield Row(
            "the same with --follow-links: listed, shown",
            "4, all",
            f"{found}, {shown} of {len(listed)}",
            found == 4 and shown == len(listed),
        )


def _lay(place: Path) -> tuple[Path, Path]:
    """DATADIR, and a folder outside."""
    data, secret = place / "data", place / "secret"
    for folder in (data / "sub", secret):
        folder.mkdir(parents=True)
    Image.new("RGB", (PX, PX), SECRET).save(secret / "x.jpg")
    Image.new("RGB", (PX, PX), OURS).save(data / "x.jpg")
    Image.new("RGB", (PX, PX), OURS).save(data / "sub" / "x.jpg")
    (data / "out-absolute.jpg").symlink_to(secret / "x.jpg")
    (data / "out-relative.jpg").symlink_to("../secret/x.jpg")
    (data / "between.tmp").symlink_to(secret / "x.jpg")
    (data / "out-over-another.jpg").symlink_to("between.tmp")
    (data / "out-folder").symlink_to(secret)
    (data / "out-folder-again").symlink_to("../secret")
    (data / "in.jpg").symlink_to("x.jpg")
    (data / "in-folder").symlink_to("sub")
    return data, secret


def flip_file(data: Path, secret: Path, is_out: bool) -> None:
    """Replace data/x.jpg by a link that leads out, or by the picture."""
    temporary = data / "flip.tmp"
    if is_out:
        temporary.symlink_to(secret / "x.jpg")
    else:
        Image.new("RGB", (PX, PX), OURS).save(temporary, "JPEG")
    temporary.replace(data / "x.jpg")


def flip_folder(data: Path, secret: Path, is_out: bool) -> None:
    """Replace data/sub by a link to a folder outside, or by itself."""
    if is_out:
        (data / "sub").rename(data / "sub.tmp")
        (data / "sub").symlink_to(secret)
    else:
        (data / "sub").unlink()
        (data / "sub.tmp").rename(data / "sub")


class _Flipping:
    """A thread that does it all the time, until the block ends; everything is as before then."""

    def __init__(self, flip: Callable[[Path, Path, bool], None], data: Path, secret: Path) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(flip, data, secret))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self, flip: Callable[[Path, Path, bool], None], data: Path, secret: Path) -> None:
        for is_out in itertools.cycle((True, False)):
            flip(data, secret, is_out)
            if not is_out and self._stop.is_set():
                return


def red_seen(server: Serving, data: Path, secret: Path, flip: Callable[[Path, Path, bool], None], tries: int) -> int:
    """How often the server showed the picture outside."""
    number = server.session.images.number("x.jpg" if flip is flip_file else "sub/x.jpg")
    reds = 0
    with _Flipping(flip, data, secret):
        for attempt in range(tries):
            query = ("", "?size=64", "?size=320")[attempt % 3]
            response = server.client.get(f"/api/images/{number}{query}")
            if response.status_code == 200:
                with Image.open(io.BytesIO(response.content)) as picture:
                    reds += _is_red(picture.convert("RGB").getpixel((9, 9)))
    return reds


def red_embedded(data: Path, secret: Path, inside: Path | None, tries: int, enough: float = math.inf) -> int:
    """How often a loop would have embedded the picture outside; it ends where that is `enough`."""
    reds = 0
    with _Flipping(flip_file, data, secret):
        for _ in range(tries):
            try:
                reds += _is_red(tuple(decoding.pixels(data / "x.jpg", inside=inside)[9, 9].tolist()))
            except (OSError, UnreadableError):
                continue
            if reds >= enough:
                break
    return reds


def _is_red(pixel: object) -> bool:
    return isinstance(pixel, tuple) and pixel[0] > pixel[2]


# --- paths in requests ------------------------------------------------------------------------------------------------

MARK = "canary"
FORMS = (
    "{}",
    "/{}",
    "file://{}",
    "../../../../../../../..{}",
    "....//....//....//{}",
    "a.jpg/../../{}",
    "1/../../{}",
    "{}\0.jpg",
    "~/{}",
    "..\\..\\{}",
    "\\\\?\\UNC\\host\\{}",
)
QUERIES = ("count", "client", "size", "version", "label", "format", "limit", "source", "path", "order", "file")


def paths(forms: Sequence[str] = FORMS) -> Iterator[Row]:
    """Paths in every place of every request: none may reach the disk."""
    with tempfile.TemporaryDirectory(prefix="faults-paths-") as folder:
        place = Path(folder).resolve()
        (place / "data").mkdir()
        Image.new("RGB", (PX, PX), OURS).save(place / "data" / "a.jpg")
        (place / MARK).write_text("the secret of the canary")
        with serving(place / "run", place / "data") as server:
            until(lambda: not server.session.images.listing)
            sent, told, failed, touched = _probe(server, _payloads(place / MARK, forms))
    yield Row(
        f"paths in every place of a request, {sent} requests: files opened by them, told of, answered by 5xx",
        "0, 0, 0",
        f"{len(touched)}, {told}, {failed}",
        not touched and not told and not failed,
    )


def _payloads(secret: Path, forms: Sequence[str]) -> list[str]:
    """The path of the secret in these forms, as it is and quoted once and twice."""
    plain = [form.format(secret) for form in forms]
    once = [quote(each, safe="") for each in plain]
    return [*plain, *once, *(quote(each, safe="") for each in once)]


def _probe(server: Serving, payloads: list[str]) -> tuple[int, int, int, list[str]]:
    """Requests sent, those that told the secret, those answered by 5xx, and paths that the server opened for them."""
    touched: list[str] = []
    is_on = True

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if is_on and event in {"open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir"}:
            touched.extend(
                str(each) for each in arguments if isinstance(each, str | bytes) and MARK in os.fsdecode(each)
            )

    sys.addaudithook(hear)  # for the whole process, and for good
    openapi = server.client.get("/api/openapi.json").json()["paths"]
    sent = told = failed = 0
    for payload in payloads:
        for method, target, body in _requests(openapi, payload):
            connection = http.client.HTTPConnection("127.0.0.1", server.client.base_url.port, timeout=20)
            connection.putrequest(method, _as_target(target), skip_accept_encoding=True)
            data = None if body is None else json.dumps(body).encode()
            if data is not None:
                connection.putheader("content-type", "application/json")
                connection.putheader("content-length", str(len(data)))
            connection.endheaders(data)
            response = connection.getresponse()
            sent += 1
            failed += response.status >= 500
            told += b"the secret of the canary" in response.read(100_000)
            connection.close()
    is_on = False
    return sent, told, failed, touched


def _as_target(target: str) -> str:
    """What may stand in a request line: nothing else is changed."""
    return "".join(quote(letter) if not letter.isprintable() or letter in " #" else letter for letter in target)


def _requests(openapi: dict[str, dict[str, dict[str, object]]], payload: str) -> Iterator[tuple[str, str, object]]:
    """Every route with the payload in each place that takes text; event streams never end, so not those."""
    for name in ("/{}", "/assets/{}", "/tensorboard/{}", "/api/{}", "/api/images/{}", "/static/{}", "//{}"):
        yield "GET", name.format(payload), None
    for path, methods in openapi.items():
        if path == "/api/events":
            continue
        for method in methods:
            target = path.replace("{image}", "0")
            names = (
                "count",
                "client",
                "size",
                "version",
                "label",
                "format",
                "limit",
                "source",
                "path",
                "order",
                "file",
            )
            for name in names if method == "get" else ():
                yield "GET", f"{target}?{name}={quote(payload)}", None
            if method != "get":
                strings = dict.fromkeys(("label", "source", "client", "id", "strategy", "path", "image"), payload)
                yield method.upper(), target, strings
                yield method.upper(), target, {"image": 0, "label": "positive", "client": payload}
                yield method.upper(), target, {"client": payload}

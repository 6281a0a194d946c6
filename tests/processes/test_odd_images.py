"""Everything that people have in image folders: each is shown or counted unreadable, and nothing stops."""

import importlib
import io
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from IA.text.image_files import IMAGE_SUFFIXES, MISSING_SUFFIXES
from tests.dicom_files import dicom
from tests.processes.suite import START_S, running
from tests.serving import until

pytestmark = pytest.mark.processes

NOT_READ = {"scan.dcm", "half.dcm"} if ".dcm" in MISSING_SUFFIXES else set()
BROKEN = {
    "empty.jpg",
    "text.png",
    "truncated.jpg",
    "half.png",
    "half.avif",
    "half.dcm",
    "page.webp",
    "bomb.png",
    "svg.jpg",
} - NOT_READ


def photo(width: int = 60, height: int = 40) -> Image.Image:
    """A picture with something in it."""
    random = np.random.default_rng(width)
    return Image.fromarray(random.integers(0, 255, (height, width, 3), dtype=np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG whose header says 60,000 x 60,000 pixels."""
    data = bytearray(encoded(photo(), "PNG"))
    data[16:24] = (60000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


def turned(orientation: int) -> bytes:
    """A JPEG that EXIF turns."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(photo(), "JPEG", exif=exif)


def zoo() -> dict[bytes, bytes]:
    """Name and content of each file."""
    deep = Image.fromarray(np.linspace(100, 4000, 2400).reshape(40, 60).astype(np.uint16))
    frames = [photo().rotate(90 * number) for number in range(3)]
    good = {
        "cmyk.jpg": encoded(photo().convert("CMYK"), "JPEG"),
        "sixteen.png": encoded(deep, "PNG"),
        "sixteen.tiff": encoded(deep, "TIFF"),
        "palette.gif": encoded(photo().convert("P"), "GIF"),
        "transparent.png": encoded(photo().convert("RGBA"), "PNG"),
        "one bit.BMP": encoded(photo().convert("1"), "BMP"),
        "animated.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "animated.webp": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "phone.avif": encoded(photo(), "AVIF"),
        "scan.dcm": dicom(np.asarray(deep)),
        "pages.tif": encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
        "dot.png": encoded(photo(1, 1), "PNG"),
        "long.png": encoded(photo(2, 3000), "PNG"),
        "huge.png": encoded(Image.new("L", (10000, 10000), 90), "PNG", compress_level=1),
        "wrong-suffix.png": encoded(photo(), "JPEG"),
        " space \n newline 'quote' \"double\" <b>&amp;.jpg": encoded(photo(), "JPEG"),
        "Lüchs 山猫 🐈.JPeG": encoded(photo(), "JPEG"),
        "sub/same.jpg": encoded(photo(), "JPEG"),
    } | {f"turned-{orientation}.jpg": turned(orientation) for orientation in range(1, 9)}
    bad = {
        "empty.jpg": b"",
        "text.png": b"this is no picture",
        "truncated.jpg": encoded(photo(400, 300), "JPEG")[:2000],
        "half.png": encoded(photo(400, 300), "PNG")[:5000],
        "half.avif": encoded(photo(400, 300), "AVIF")[:5000],
        "half.dcm": dicom(np.asarray(deep))[:2000],
        "page.webp": b"<!doctype html><script>alert(1)</script>",
        "bomb.png": bomb(),
        "svg.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    if ".heic" in IMAGE_SUFFIXES:
        importlib.import_module("pillow_heif").register_heif_opener()
        good["phone.heic"] = encoded(photo(640, 480), "HEIF")
    known = {name: data for name, data in (good | bad).items() if name not in NOT_READ}
    return {os.fsencode(name): data for name, data in known.items()} | {b"\xff\xfe.jpg": good["dot.png"]}


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """The zoo as a folder."""
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    for name, content in zoo().items():
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123 - a Path takes no bytes
            file.write(content)
    os.mkfifo(folder / "pipe.jpg")
    return folder


def test_odd_images(tmp_path: Path, datadir: Path) -> None:
    """Each image of the zoo is shown or unreadable, with one warning each, and every process lives on."""
    count = len(zoo())
    with running(tmp_path / "run", datadir) as suite:
        until(lambda: suite.status()["images"] == count and suite.status()["listing"] is False)
        until(suite.all_run, START_S)
        before = suite.processes()
        until(lambda: suite.status()["unreadable"] == len(BROKEN), START_S)
        until(lambda: suite.status()["embedding"]["done"] == count - len(BROKEN), START_S)  # type: ignore[index]
        shown = {}
        for image in range(count):
            response = suite.client.get(f"/api/images/{image}?size=640")
            shown[path_of(suite.run, image)] = response.status_code
            if response.status_code == 200:
                with Image.open(io.BytesIO(response.content)) as picture:
                    assert max(picture.size) <= 640
                    assert response.headers["content-type"].startswith("image/")
            original = suite.client.get(f"/api/images/{image}")
            assert original.status_code == response.status_code
        assert {path for path, code in shown.items() if code == 415} == BROKEN
        assert set(shown.values()) == {200, 415}
        status = suite.status()
        assert (status["unreadable"], status["left"]) == (len(BROKEN), count - len(BROKEN))
        while asked := suite.client.get("/api/queue?count=100").json()["images"]:
            for image in asked:  # some are the same photo in another format
                body = {"image": image["image"], "label": "skipped", "alike": image["alike"]}
                assert suite.client.post("/api/annotations", json=body).status_code == 201
        assert suite.status()["skipped"] == count - len(BROKEN)
        assert len(suite.client.get("/api/export?format=csv").content.splitlines()) > count - len(BROKEN)
        assert set(before) <= set(suite.processes())
        warnings = [line for line in suite.terminal().splitlines() if " is unreadable" in line]
        assert len(warnings) == len(BROKEN)


def path_of(run: Path, image: int) -> str:
    """Path of an image by its number, as users' scripts find it."""
    with (run / "images.pickle").open("rb") as file:
        path: str = pickle.load(file)[image]
    return path

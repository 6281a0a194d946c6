"""When and with what a photo was taken, by the first bytes of its file; an empty cell where that is not known."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.exports.fields import FURTHER, fields, values
from backend.exports.pictures import Pictures
from backend.exports.source import Source
from backend.store.table import Answer
from IA.images.exif import NOTHING, Taken, camera_of, taken
from tests.examples import examples

MAKE, MODEL, EXIF, TAKEN, OFFSET = 0x010F, 0x0110, 0x8769, 0x9003, 0x9011


def photo(kind: str = "JPEG", when: str = "2024:05:01 12:30:00", zone: str = "") -> bytes:
    """A picture as a camera would write it."""
    exif = Image.Exif()
    exif[MAKE], exif[MODEL] = "Canon", "Canon EOS 5D "
    exif.get_ifd(EXIF)[TAKEN] = when
    if zone:
        exif.get_ifd(EXIF)[OFFSET] = zone
    file = io.BytesIO()
    Image.new("RGB", (32, 24)).save(file, kind, exif=exif)
    return file.getvalue()


def said(folder: Path, data: bytes) -> Taken:
    """What a file with these bytes records."""
    (folder / "photo").write_bytes(data)
    descriptor = os.open(folder / "photo", os.O_RDONLY)
    try:
        return taken(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_each_kind_of_file(tmp_path: Path, kind: str) -> None:
    """Every kind of file that cameras and phones write gives the time, the offset if there is one, make and model."""
    assert said(tmp_path, photo(kind, zone="+02:00")) == Taken("2024-05-01T12:30:00+02:00", "Canon EOS 5D")
    assert said(tmp_path, photo(kind)).captured == "2024-05-01T12:30:00"


def test_tiff(tmp_path: Path) -> None:
    """A TIFF is such a block itself; in a JPEG the block may follow others, far from the beginning."""
    data = photo()
    block = data[data.index(b"Exif\0\0") + 6 :]
    assert said(tmp_path, block) == Taken("2024-05-01T12:30:00", "Canon EOS 5D")
    far = data[:2] + b"\xff\xe2\xff\xff" + bytes(0xFFFD) + data[2:]
    assert said(tmp_path, far) == Taken("2024-05-01T12:30:00", "Canon EOS 5D")


@pytest.mark.parametrize("when", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2024:13:01 00:00:00", "yesterday", ""])
def test_a_clock_that_was_never_set(tmp_path: Path, when: str) -> None:
    """A time that cannot be is an empty cell, and the camera is named all the same."""
    assert said(tmp_path, photo(when=when)) == Taken("", "Canon EOS 5D")
    assert said(tmp_path, photo(zone="+99:00")).captured == "2024-05-01T12:30:00"


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("LG Electronics", "LG-H870", "LG-H870"),
        ("HP", "HPX 1", "HP HPX 1"),
        ("Apple", "", "Apple"),
        ("", "iPhone 12", "iPhone 12"),
        ("", "", ""),
    ],
)
def test_the_make_stands_there_once(make: str, model: str, camera: str) -> None:
    """The make is not repeated before a model that begins with it."""
    assert camera_of(make, model) == camera


WHOLE = [photo(kind, zone="+02:00") for kind in ("JPEG", "PNG", "WEBP")]


@given(
    data=st.sampled_from(WHOLE),
    end=st.integers(0, 400),
    places=st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), max_size=6),
)
@settings(deadline=None, max_examples=examples(200))
def test_damaged_files(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, end: int, places: list[tuple[int, int]]
) -> None:
    """A file that is cut off or changed anywhere gives cells, which may be empty."""
    damaged = bytearray(data[:end])
    for place, byte in places:
        if place < len(damaged):
            damaged[place] = byte
    found = said(tmp_path_factory.getbasetemp(), bytes(damaged))
    assert all(len(text) <= 200 for text in found)


def test_in_an_export(tmp_path: Path) -> None:
    """The columns follow the others; a tile has those of its photo, and a path outside of the folder has empty ones."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(photo())
    (tmp_path / "out.jpg").write_bytes(photo())
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "out.jpg")
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    pictures = Pictures(tmp_path / "in", tmp_path / "in")

    def told(path: str, reads_exif: bool = True) -> dict[str, object]:
        answer = Answer("1", path, "positive", "key", "me")
        row = values(answer, Source([answer], "hat", "no hat", pictures, reads_exif=reads_exif))
        return dict(zip(fields(False), row, strict=True))

    assert fields(False)[-4:] == fields(True)[-4:] == FURTHER == ("class", "person", "captured", "camera")
    for path in ("a.jpg", "a.jpg#2x1-c1-r1"):
        assert [told(path)[name] for name in FURTHER] == ["hat", "", "2024-05-01T12:30:00", "Canon EOS 5D"]
    for path in ("link.jpg", "pipe.jpg", "none.jpg", "../out.jpg", "a.jpg/b.jpg"):
        assert (told(path)["captured"], told(path)["camera"]) == NOTHING
    assert told("a.jpg", reads_exif=False)["camera"] == ""

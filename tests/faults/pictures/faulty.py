"""Decoders with a fault: for files that are marked they crash, hang or fill the memory, in every process of ours."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, PngImagePlugin

FAULTS = '''
"""Found by every Python that has this folder in its path."""
import ctypes

import PIL.ImageFile
import simplejpeg


def bite(mark):
    if mark == "crash":
        ctypes.string_at(0)  # this very thread, at once: a signal sent would come some instructions later
    if mark == "eat":
        eaten = [bytearray(b"x") * 2**26 for _ in range(2**12)]
    while mark == "hang":
        pass


decode, load = simplejpeg.decode_jpeg, PIL.ImageFile.ImageFile.load


def faulty_decode(data, *arguments, **options):
    if b"fault:crash" in data[:400]:
        bite("crash")
    return decode(data, *arguments, **options)


def faulty_load(self):
    bite(self.info.get("fault") or self.info.get("comment", b"").decode("latin-1").removeprefix("fault:"))
    return load(self)


simplejpeg.decode_jpeg, PIL.ImageFile.ImageFile.load = faulty_decode, faulty_load
'''


@contextlib.contextmanager
def faulty_decoders(place: Path, datadir: Path, names: Sequence[str]) -> Iterator[None]:
    """Write marked images, named after what they do, and let the block's processes have decoders that they bite.

    Args:
        place: for the fault itself.
        datadir: for the images.
        names: such as `crash.jpg` or `hang-twice.png`.
    """
    (place / "faults").mkdir()
    (place / "faults" / "sitecustomize.py").write_text(FAULTS)
    for name in names:
        mark = Path(name).stem.split("-")[0]
        text = PngImagePlugin.PngInfo()
        text.add_text("fault", mark)
        options = {"comment": f"fault:{mark}"} if name.endswith(".jpg") else {"pnginfo": text}
        Image.new("RGB", (64, 48)).save(datadir / name, **options)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(place / "faults"), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before

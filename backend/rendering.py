"""What the worker processes of the previews do: decode, make small, encode."""

import contextlib
import io
import multiprocessing
import multiprocessing.connection
import os
import resource
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from IA.pictures import BAD_IMAGE, ORIENTATION, UnreadableError, open_upright

MEMORY_BYTES = 4 * 2**30
AHEAD_NICE = 10
QUALITY = 90
RENDERED = "image/jpeg"
SHOWN_BY_BROWSERS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}


@dataclass(frozen=True)
class Picture:
    """A picture for the screen, as a browser takes it.

    Attributes:
        content: the encoded bytes.
        media_type: of these bytes.
        is_rendered: whether it was made; else it is the file as it is.
    """

    content: bytes
    media_type: str
    is_rendered: bool


def begin() -> None:
    """Bound a worker's memory, and end it with the server, however that ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)


def render(path: Path, limit_px: int | None) -> Picture:
    """The picture for display, upright; the file as it is where a browser shows it so and it is small enough.

    Args:
        path: of the image file.
        limit_px: at most this many pixels on the long side; None: any number.

    Raises:
        UnreadableError: it cannot be decoded.
        OSError: it cannot be opened.
    """
    picture = open_upright(path, at_least_px=limit_px)
    try:
        as_it_is = _as_it_is(path, limit_px)
        if as_it_is is not None:
            return Picture(path.read_bytes(), as_it_is, is_rendered=False)
        return _encoded(picture, limit_px)
    except BAD_IMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnreadableError("It takes more memory than there is, or it was replaced meanwhile.") from None


def _encoded(picture: Image.Image, limit_px: int | None) -> Picture:
    if limit_px is not None:
        picture.thumbnail((limit_px, limit_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=QUALITY, subsampling=0)
    return Picture(encoded.getvalue(), RENDERED, is_rendered=True)


def render_ahead(path: Path, limit_px: int) -> Picture | None:
    """The same at low priority, before anybody asks; None for a file that is sent as it is, without decoding it."""
    with contextlib.suppress(*BAD_IMAGE):  # rendering tells what is wrong with it
        if path.is_file() and _as_it_is(path, limit_px) is not None:
            return None
    with ThreadPoolExecutor(1, initializer=_give_way) as low:
        return low.submit(render, path, limit_px).result()


def _give_way() -> None:
    """Lower the priority of this thread for good; the worker itself keeps its own, for the next request."""
    if sys.platform == "linux":  # elsewhere this would be the priority of a process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), AHEAD_NICE)


def _as_it_is(path: Path, limit_px: int | None) -> str | None:
    """Media type of a file that a browser shows as it is: small enough, upright, one frame, eight bits, RGB or grey."""
    with Image.open(path) as image:
        media_type = SHOWN_BY_BROWSERS.get(image.format or "")
        if limit_px is None:
            return media_type
        plain = image.mode in {"RGB", "L"} and getattr(image, "n_frames", 1) == 1
        upright = image.getexif().get(ORIENTATION, 1) == 1
        return media_type if plain and upright and max(image.size) <= limit_px else None

"""Pictures for the screen: decoded in worker processes, so that no file can stop or fill the server."""

import io
import multiprocessing
import multiprocessing.connection
import os
import resource
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from PIL import Image

from IA.pictures import UnreadableError, open_upright

WORKERS = 2
MEMORY_BYTES = 4 * 2**30
SIZES_PX = (64, 128, 256, 320, 480, 640, 960, 1280, 1600, 1920, 2560, 3840)
QUALITY = 90
SHOWN_BY_BROWSERS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
ORIENTATION = 0x0112


class Previews:
    """A pool of decoders; one that crashes is replaced, and the file it crashed on counts as unreadable."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool = _pool()

    def render(self, path: Path, size_px: int | None) -> tuple[bytes, str]:
        """The picture for display; call it from a thread, it waits.

        Args:
            path: of the image file.
            size_px: at most this many pixels on the long side, rounded down to one of `SIZES_PX`; None: as it is.

        Returns:
            The bytes of an upright picture and its media type.

        Raises:
            UnreadableError: it cannot be decoded.
            OSError: it cannot be opened.
        """
        for _ in range(2):  # a crash may have been another file's fault
            try:
                return self._submit(path, size_px).result()
            except BrokenProcessPool:
                self._renew()
        raise UnreadableError("The decoder crashed on it.")

    def _submit(self, path: Path, size_px: int | None) -> "Future[tuple[bytes, str]]":
        with self._lock:
            return self._pool.submit(_render, path, size_px)

    def _renew(self) -> None:
        with self._lock:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = _pool()

    def close(self) -> None:
        """End the workers."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _pool() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(WORKERS, mp_context=context, initializer=_begin)


def _begin() -> None:
    """Bound a worker's memory, and end it with the server, however that ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)


def _render(path: Path, size_px: int | None) -> tuple[bytes, str]:
    limit_px = None if size_px is None else max((size for size in SIZES_PX if size <= size_px), default=SIZES_PX[0])
    picture = open_upright(path, at_least_px=limit_px)
    as_it_is = _as_it_is(path, limit_px)
    if as_it_is is not None:
        return path.read_bytes(), as_it_is
    if limit_px is not None:
        picture.thumbnail((limit_px, limit_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=QUALITY, subsampling=0)
    return encoded.getvalue(), "image/jpeg"


def _as_it_is(path: Path, limit_px: int | None) -> str | None:
    """Media type of a file that a browser shows as it is: small enough, upright, one frame, eight bits, RGB or grey."""
    with Image.open(path) as image:
        media_type = SHOWN_BY_BROWSERS.get(image.format or "")
        if limit_px is None:
            return media_type
        plain = image.mode in {"RGB", "L"} and getattr(image, "n_frames", 1) == 1
        upright = image.getexif().get(ORIENTATION, 1) == 1
        return media_type if plain and upright and max(image.size) <= limit_px else None

"""What the worker processes of previews and exports do: decode, make small, encode."""

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from IA.images.orientation import is_turned_by_browsers, orientation
from IA.images.pictures import (
    BAD_IMAGE,
    DEEP_MODES,
    UnreadableError,
    open_seen,
    opened,
    opened_image,
    seen,
)
from IA.images.pixels import upright_parts
from IA.images.tiles import Tile

AS_IT_IS_BYTES = 32 * 2**20  # A larger file is rendered: the server would hold it in memory for a while.
MOST_PX = 16_000  # The long side of a full-size picture that has to be rendered for browsers.
AHEAD_NICE = 10
QUALITY = 90
KEPT_QUALITY = 95  # JPEG quality of pictures that people keep.
LEAST_PX = 1  # To look for damage only, a picture is decoded as small as possible.
RENDERED = "image/jpeg"
SHOWN_BY_BROWSERS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
TURNED_BY_BROWSERS = frozenset({"JPEG", "AVIF"})  # Browsers turn these by their orientation.


@dataclass(frozen=True)
class Picture:
    """A picture for the screen, as a browser takes it.

    Attributes:
        content: the encoded bytes.
        media_type: of these bytes.
        is_rendered: whether it was made; else it is the file as it is.
        damage: what is wrong with the file although it can be shown, in one sentence; "": nothing.
    """

    content: bytes
    media_type: str
    is_rendered: bool
    damage: str = ""


def render(path: Path, limit_px: int | None, inside: Path | None = None) -> Picture:
    """The picture for display, upright; the file itself where it is small enough and browsers show it rightly.

    Args:
        path: of the image file.
        limit_px: at most this many pixels on the long side; None: any number.
        inside: a folder that the file must lie in; None: anywhere.

    Raises:
        UnreadableError: it cannot be decoded.
        OSError: it cannot be opened.
    """
    as_it_is = _as_it_is(path, limit_px, inside)
    if as_it_is is not None:
        looked_at = seen(io.BytesIO(as_it_is.content), LEAST_PX)
        if not looked_at.is_see_through and not looked_at.is_mended:  # Browsers show such files differently.
            return as_it_is
    found = open_seen(path, limit_px, inside)
    limit_px = limit_px or MOST_PX
    with _enough_memory():
        found.picture.thumbnail((limit_px, limit_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
        return rendered(_encoded(found.picture, QUALITY, found.damage))


def rendered(content: bytes) -> Picture:
    """A rendered picture, whether from now or from the cache; its comment says what is wrong with the file."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        return Picture(content, RENDERED, is_rendered=True, damage=image.info.get("comment", b"").decode())


def render_tiles(photo: Path, tiles: Sequence[Tile], inside: Path | None = None) -> list[bytes]:
    """Tiles of one photo in full size, each a JPEG; other arguments and errors as for `render`."""
    with _enough_memory():
        return [_encoded(Image.fromarray(pixels), KEPT_QUALITY) for pixels in upright_parts(photo, tiles, None, inside)]


@contextlib.contextmanager
def _enough_memory() -> Iterator[None]:
    try:
        yield
    except BAD_IMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnreadableError("It takes more memory than there is.") from None


def _encoded(picture: Image.Image, quality: int, comment: str = "") -> bytes:
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=quality, subsampling=0, comment=comment.encode())
    return encoded.getvalue()


def render_ahead(path: Path, limit_px: int, inside: Path | None = None) -> Picture | None:
    """As `render`, at low priority, before anybody asks; None, undecoded, for a file that is sent as it is."""
    if _as_it_is(path, limit_px, inside) is not None:
        return None
    with ThreadPoolExecutor(1, initializer=_give_way) as low:
        return low.submit(render, path, limit_px, inside).result()


def _give_way() -> None:
    """Lower the priority of this thread for good; the worker itself keeps its own, for the next request."""
    if sys.platform == "linux":  # Elsewhere this would lower the whole process.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), AHEAD_NICE)


def _as_it_is(path: Path, limit_px: int | None, inside: Path | None) -> Picture | None:
    """A file that a browser shows as it is: small enough, upright, one frame, eight bits, RGB or grey.

    None for any other, also for one that nothing can be made of: rendering tells what is wrong with it.
    """
    with contextlib.suppress(UnreadableError, *BAD_IMAGE), opened(path, inside) as file, opened_image(file) as image:
        media_type = SHOWN_BY_BROWSERS.get(image.format or "")
        if media_type is None or os.fstat(file.fileno()).st_size > AS_IT_IS_BYTES:
            return None
        file.seek(0)
        content = file.read(AS_IT_IS_BYTES)
        if _is_same(image, file) if limit_px is None else max(image.size) <= limit_px and _is_plain(image, file):
            return Picture(content, media_type, is_rendered=False)
    return None


def _is_same(image: Image.Image, file: BinaryIO) -> bool:
    """Whether browsers show the file as the network sees it: turned likewise, and no deep grey, which is windowed."""
    if image.mode in DEEP_MODES:
        return False
    if image.format in TURNED_BY_BROWSERS:
        return is_turned_by_browsers(image, file)
    return orientation(image, file) == 1


def _is_plain(image: Image.Image, file: BinaryIO) -> bool:
    is_opaque = image.mode in {"RGB", "L"} and not image.has_transparency_data
    return is_opaque and orientation(image, file) == 1 and not getattr(image, "is_animated", False)

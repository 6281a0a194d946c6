"""From image files and tiles of them to upright 8-bit RGB pictures; without torch, because the server shows them."""

import contextlib
import errno
import fcntl
import os
import stat
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from IA.images.orientation import UPRIGHT, orientation, upright_size
from IA.images.readers import bitmap, tiff
from IA.images.readers.extras import registered
from IA.images.readers.repair import MOST_LOST, SCAN, bare_header, breaks_off, lost_rows, mended, segments
from IA.images.readers.signatures import SIGNATURE_BYTES, extra_of, is_boxed
from IA.images.readers.windowing import window_of, windowed
from IA.images.tiles import Tile, split_file

MAX_PIXELS = 300_000_000
# The pixels of a JPEG times its scans. This many take some five seconds; cameras write at most a dozen scans.
MAX_SCANNED = 3_000_000_000
MAX_JPEG_BYTES = 512 * 2**20
MAX_BOXED_BYTES = 512 * 2**20
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")  # JPEG includes MPO, the burst format of phones
TILE_SIDES = (0x0142, 0x0143)  # the TIFF tags
PHOTOMETRIC, WHITE_IS_ZERO = 0x0106, 0  # a TIFF tag and a value of it, which Pillow follows in 8-bit files alone
DEEP_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})  # Pillow's modes of grey with more than 8 bit
BAD_IMAGE = (  # Pillow was seen to raise these for damaged and foreign files
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)

bitmap.register()
tiff.register()
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit warns first and raises later, so `_check_size` replaces it


class UnreadableError(Exception):
    """The file is there but holds no picture. The text is one sentence with the reason, without the path."""


@dataclass(frozen=True)
class Seen:
    """A picture as a person and the network see it.

    Attributes:
        picture: the loaded picture, upright and of mode RGB.
        is_see_through: whether white replaces transparent pixels in it.
        is_mended: whether it comes from a mended copy of the file. Other programs may refuse the file itself or show
            it in another way.
        damage: one sentence about what is missing; "": nothing is.
    """

    picture: Image.Image
    is_see_through: bool
    is_mended: bool = False
    damage: str = ""


def open_upright(path: Path, at_least_px: int | None = None, inside: Path | None = None) -> Image.Image:
    """Decode an image as a person would see it: RGB, upright, the first frame, transparency over white.

    Grey of 16 or 32 bit is windowed between its 0.5 and its 99.5 percentile.

    Args:
        path: a file of one of `FORMATS` or of an installed extra, whatever its name; or a tile of such a file.
        at_least_px: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as the short side of the result
            keeps at least this many pixels. A smaller JPEG is not scaled. Other formats come in full size.
        inside: a folder without links in its path, which the opened file must lie in; None: anywhere.

    Returns:
        A loaded picture of mode RGB; the file is closed.

    Raises:
        UnreadableError: the content cannot be decoded.
        OSError: the file went away, may not be read, or lies on a failing disk.
    """
    return open_seen(path, at_least_px, inside).picture


def open_seen(path: Path, at_least_px: int | None = None, inside: Path | None = None) -> Seen:
    """As `open_upright`, with what a person should know about the picture."""
    photo, tile = split_file(path)
    with opened(photo, inside) as file:
        if tile is None:
            return seen(file, at_least_px)
        whole = seen(file, whole_px(file, tile, at_least_px))
        with judged():
            return replace(whole, picture=whole.picture.crop(tile.box(*whole.picture.size)))


def seen(file: BinaryIO, at_least_px: int | None = None) -> Seen:
    """As `open_seen`, for a file that is open."""
    with judged():
        return _seen(file, at_least_px)


def upright(file: BinaryIO, at_least_px: int | None = None) -> Image.Image:
    """As `open_upright`, for a file that is open."""
    return seen(file, at_least_px).picture


def whole_px(file: BinaryIO, tile: Tile | None, at_least_px: int | None) -> int | None:
    """How many pixels the whole photo must keep on its short side, so that a tile of it keeps `at_least_px`."""
    if tile is None or at_least_px is None:
        return at_least_px
    return tile.whole_px(upright_size_px(file), at_least_px)


def upright_size_px(file: BinaryIO) -> tuple[int, int]:
    """Width and height of an open file as a person sees it, by its header alone. Errors are as for `open_upright`."""
    with judged():
        try:
            return _upright_size_px(file, file)
        except BAD_IMAGE:
            bare = bare_header(file)
            if bare is None:
                raise
            return _upright_size_px(bare, file)


def _upright_size_px(bare: BinaryIO, file: BinaryIO) -> tuple[int, int]:
    with opened_image(bare) as image:
        _check_size(image)
        return upright_size(image, file)


@contextlib.contextmanager
def opened(path: Path, inside: Path | None = None) -> Iterator[BinaryIO]:
    """Open an image file, but no tile of one. Other arguments and errors are as for `open_upright`."""
    with open(descriptor_of(str(path), inside), "rb") as file:
        yield file


def descriptor_of(path: str, inside: Path | None = None) -> int:
    """As `opened`, but returns a descriptor, which the caller closes."""
    # The kind is checked before the file is opened, because opening makes some devices act.
    _check_kind(os.stat(path))  # noqa: PTH116 - this takes a quarter of the time that a Path takes
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_kind(os.fstat(descriptor))
        if inside is not None and not f"{_place(descriptor)}/".startswith(f"{str(inside).rstrip('/')}/"):
            raise FileNotFoundError(errno.ENOENT, f"it leads out of {inside}", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_inside(path: Path, inside: Path | None) -> bool:
    """Whether a path is a file or a tile of one, and links do not lead it out of the folder `inside`."""
    try:
        file, _ = split_file(path)
        return file.is_file() and (inside is None or file.resolve().is_relative_to(inside))
    except (OSError, RuntimeError, ValueError):  # a circle of links, or a name that no file can have
        return False


def _check_kind(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("It is not a regular file.")  # a pipe would keep the reader waiting for ever
    if status.st_size == 0:
        raise UnreadableError("The file is empty.")


def _place(descriptor: int) -> str:
    """Where an open file lies, whatever its path leads to by now."""
    if sys.platform == "darwin":
        return os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
    return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - a Path for each file would be slower


@contextlib.contextmanager
def judged() -> Iterator[None]:
    """Turn whatever a decoder raises in the block into UnreadableError; errors of the system stay OSError."""
    try:
        yield
    except UnidentifiedImageError:
        raise UnreadableError("It is not an image of a known format.") from None
    except BAD_IMAGE as error:
        if is_of_the_system(error):
            raise
        raise UnreadableError(f"It cannot be decoded: {_reason(error)}.") from error


def is_of_the_system(error: BaseException) -> bool:
    """Whether the disk has failed rather than a decoder: Pillow's own OSErrors have no number, or EINVAL."""
    return isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}


@contextlib.contextmanager
def header(file: BinaryIO, at_least_px: int | None) -> Iterator[Image.Image]:
    """The image before any of its pixels is decoded; it has the size that it will be decoded at."""
    with opened_image(file) as image:
        _check_size(image)
        if image.format in {"JPEG", "MPO"}:
            _check_scans(file, image)
        if at_least_px is not None:
            image.draft(None, (max(1, at_least_px), max(1, at_least_px)))  # acts on JPEG alone
        yield image


def opened_image(file: BinaryIO) -> Image.Image:
    """Open an image of one of `FORMATS` or of an extra, and never of a format that needs other programs."""
    # This holds for the whole process and is repeated each time, because `catch_warnings` is not safe with threads.
    warnings.filterwarnings("ignore", module=r"(PIL|pydicom|pillow_heif)\.")
    file.seek(0)
    head = file.read(SIGNATURE_BYTES)
    if is_boxed(head) and file.seek(0, os.SEEK_END) > MAX_BOXED_BYTES:
        raise UnreadableError(f"It has more than {MAX_BOXED_BYTES:,} bytes.")
    extra = extra_of(head)
    further = None if extra is None else registered(extra)
    file.seek(0)
    try:
        return Image.open(file, formats=FORMATS if further is None else (further, *FORMATS))
    except UnidentifiedImageError:
        if extra is None or further is not None:
            raise
        raise UnreadableError(f"It takes another package: python -m pip install -e '.[{extra}]'.") from None


def _seen(file: BinaryIO, at_least_px: int | None) -> Seen:
    """The picture in a file, or in a mended copy of a file that Pillow refuses."""
    try:
        return _decoded(file, at_least_px)
    except MemoryError:
        raise
    except BAD_IMAGE as error:
        if is_of_the_system(error):
            raise
        found = mended(file)
        if found is None:
            raise
        better, damage = found
        try:
            return replace(_decoded(better, at_least_px, damage), is_mended=True)
        except BAD_IMAGE:
            raise error from None


def _decoded(file: BinaryIO, at_least_px: int | None, damage: str = "") -> Seen:
    """The picture in a file that Pillow reads; `damage` says what was wrong with the file before it was mended."""
    with header(file, at_least_px) as image:
        image.load()
        if damage and image.format != "PNG" and (missing := lost_rows(image)):
            damage = breaks_off(missing, image.height)
            if missing > MOST_LOST * image.height:
                raise UnreadableError(damage)
        turn = UPRIGHT.get(orientation(image, file))
        picture, is_see_through = _as_rgb(image)
    if turn is not None:
        picture = picture.transpose(turn)
    return Seen(picture.copy() if picture is image else picture, is_see_through, damage=damage)


def _check_size(image: Image.Image) -> None:
    """Refuse an image by its header alone, before any pixel takes memory."""
    width_px, height_px = image.size
    if width_px < 1 or height_px < 1:
        raise UnreadableError("It has no pixels.")
    if width_px * height_px > MAX_PIXELS:
        raise UnreadableError(f"It has {width_px} x {height_px} pixels, more than {MAX_PIXELS:,} in all.")
    if isinstance(image, TiffImageFile):
        tile = [image.tag_v2.get(side, 0) for side in TILE_SIDES]
        if not all(isinstance(side, int) for side in tile) or tile[0] * tile[1] > MAX_PIXELS:
            raise UnreadableError(f"It claims a tile of more than {MAX_PIXELS:,} pixels.")


def _check_scans(file: BinaryIO, image: Image.Image) -> None:
    """Refuse a JPEG with so many scans that decoding would take minutes; each scan may be only a few bytes long."""
    if file.seek(0, os.SEEK_END) > MAX_JPEG_BYTES:
        raise UnreadableError(f"It has more than {MAX_JPEG_BYTES:,} bytes.")
    file.seek(0)
    data = file.read(MAX_JPEG_BYTES)
    most = MAX_SCANNED // (image.width * image.height)
    # The quick count of markers may be too high, so only a high one is followed by an exact count.
    if data.count(bytes([0xFF, SCAN])) > most and (scans := _scans(data)) > most:
        raise UnreadableError(f"It has {scans} scans of {image.width} x {image.height} pixels.")


def _scans(data: bytes) -> int:
    """How many scans a JPEG has up to its end; a film may follow it in the same file."""
    return sum(marker == SCAN for _, marker, _ in segments(data))


def _as_rgb(image: Image.Image) -> tuple[Image.Image, bool]:
    """The picture over white, and whether any white shows through."""
    if image.mode in DEEP_MODES:
        return _windowed(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB"), False
    layer = image.convert("LA") if image.mode == "La" else image  # Pillow would drop the alpha channel of La
    layer = layer if layer.mode == "RGBA" else layer.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer)
    return paper, bool((np.asarray(layer.getchannel("A")) < 255).any())


def _windowed(image: Image.Image) -> tuple[Image.Image, bool]:
    values = np.asarray(image)
    is_inverted = isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    nothing = image.info.get("transparency")  # the one value that is transparent in a PNG
    if not isinstance(nothing, int):
        return Image.fromarray(windowed(values, is_inverted=is_inverted)).convert("RGB"), False
    grey = windowed(values, window_of(values, without=nothing), is_inverted)
    grey[values == nothing] = 255
    return Image.fromarray(grey).convert("RGB"), bool((values == nothing).any())


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    first, *_ = [*str(error).strip().splitlines(), ""]
    return first.strip().rstrip(".:") or type(error).__name__

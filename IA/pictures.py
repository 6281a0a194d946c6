"""Image files to upright 8-bit RGB pictures: never torch, for the server uses it for previews."""

import contextlib
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 300_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")  # JPEG includes MPO, the burst format of phones
ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
DEEP_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})  # more than 8 bit of grey
WINDOW_PERCENT = (0.5, 99.5)
WINDOW_PIXELS = 1_000_000  # as many are enough to tell the percentiles
BAD_IMAGE = (  # what Pillow was seen to raise for files that are not what they seem
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

Picture = TypeVar("Picture")

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit warns first and raises later; `_check_size` stands in for it


class UnreadableError(Exception):
    """The file is there, but is no picture: one sentence with the reason, without the path."""


def open_upright(path: Path, at_least_px: int | None = None) -> Image.Image:
    """Decode an image as a person would see it: RGB, upright, the first frame, transparency over white.

    Grey of 16 or 32 bit is windowed between its 0.5 and 99.5 percentile.

    Args:
        path: a file of one of `FORMATS`, whatever its name.
        at_least_px: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as its short side keeps at least
            this many pixels; one that is smaller from the start is never scaled. Other formats come in full size.

    Returns:
        A loaded picture of mode RGB; the file is closed.

    Raises:
        UnreadableError: the content cannot be decoded.
        OSError: the file system says no: the file went away, may not be read, or sits on a failing disk.
    """
    return _read(path, lambda file: _picture(file, at_least_px))


def upright_pixels(path: Path, at_least_px: int | None = None) -> NDArray[np.uint8]:
    """The same as pixels, (H, W, 3): for threads, as Pillow keeps all others waiting while it decodes a JPEG."""
    return _read(path, lambda file: _pixels(file, at_least_px))


def _read(path: Path, decode: Callable[[BinaryIO], Picture]) -> Picture:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("It is not a regular file.")  # opening a pipe would wait for ever
    if status.st_size == 0:
        raise UnreadableError("The file is empty.")
    with path.open("rb") as file:
        try:
            return decode(file)
        except UnidentifiedImageError:
            raise UnreadableError("It is not an image of a known format.") from None
        except BAD_IMAGE as error:
            if isinstance(error, OSError) and error.errno is not None:  # Pillow's own carry no errno
                raise
            raise UnreadableError(f"It cannot be decoded: {_reason(error)}.") from error


def _picture(file: BinaryIO, at_least_px: int | None) -> Image.Image:
    with _header(file, at_least_px) as image:
        return _upright(image)


def _pixels(file: BinaryIO, at_least_px: int | None) -> NDArray[np.uint8]:
    with _header(file, at_least_px) as image:
        pixels = _fast_jpeg(file, image)
        if pixels is None:
            return np.array(_upright(image))
        turn = UPRIGHT.get(_orientation(image))
        return pixels if turn is None else np.array(Image.fromarray(pixels).transpose(turn))


@contextlib.contextmanager
def _header(file: BinaryIO, at_least_px: int | None) -> Iterator[Image.Image]:
    """The image before any of its pixels is decoded, of the size that it will have."""
    # For the whole process, and again each time: `catch_warnings` is not safe with threads.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    with Image.open(file, formats=FORMATS) as image:
        _check_size(image)
        if at_least_px is not None:
            image.draft(None, (max(1, at_least_px), max(1, at_least_px)))  # acts on JPEG alone
        yield image


def _fast_jpeg(file: BinaryIO, image: Image.Image) -> NDArray[np.uint8] | None:
    """Pixels as stored, the same as Pillow's; None for what Pillow alone can do, or say what is wrong with."""
    if image.format != "JPEG" or image.mode != "RGB":
        return None
    file.seek(0)
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            file.read(), "RGB", min_width=image.width, min_height=image.height
        )
    except ValueError:
        return None
    return pixels if pixels.shape == (image.height, image.width, 3) else None


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    picture = _as_rgb(image)
    if turn is not None:
        return picture.transpose(turn)
    return picture.copy() if picture is image else picture


def _check_size(image: Image.Image) -> None:
    """Refuse by the header alone, before any pixel takes memory."""
    width_px, height_px = image.size
    if width_px < 1 or height_px < 1:
        raise UnreadableError("It has no pixels.")
    if width_px * height_px > MAX_PIXELS:
        raise UnreadableError(f"It has {width_px} x {height_px} pixels, more than {MAX_PIXELS:,} in all.")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation of a loaded image; 1, upright, where the EXIF block is missing or broken."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except BAD_IMAGE:
        return 1


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in DEEP_MODES:
        return _windowed(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGB", layer.size, "white")
        paper.paste(layer, mask=layer.getchannel("A"))
        return paper
    return image if image.mode == "RGB" else image.convert("RGB")


def _windowed(image: Image.Image) -> Image.Image:
    """Deep grey to 8 bit, linearly between two percentiles: raw values of a microscope or a CT would be all black."""
    pixels = np.asarray(image)  # (H, W)
    sample = pixels.ravel()[:: max(1, pixels.size // WINDOW_PIXELS)].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, WINDOW_PERCENT) if len(sample) else (0.0, 0.0)
    scale = np.float32(255.0 / (high - low) if high > low else 0.0)
    grey = np.empty(pixels.shape, np.uint8)
    rows = max(1, WINDOW_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):  # bit by bit: as float, 100 megapixels would take a gigabyte
        part = np.nan_to_num(pixels[top : top + rows].astype(np.float32), nan=low, posinf=high, neginf=low)
        grey[top : top + rows] = (np.clip(part, low, high) - np.float32(low)) * scale + np.float32(0.5)
    return Image.fromarray(grey)


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    return str(error).strip().rstrip(".") or type(error).__name__

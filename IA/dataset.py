"""Images to normalised tensors: how a network wants to see them, and the threads that decode ahead of it."""

import math
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from IA.pictures import UnreadableError, open_upright

DEFAULT_RESIZE = "crop"  # against letterbox: +.002 to +.020 AUC, +.04 to +.11 nAUC, on three classes of clothing
MAX_SIZE_PX = 2048

Colour = tuple[float, float, float]
Unreadable = tuple[int, str]


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects of its images.

    Attributes:
        size_px: side of the square.
        mean: of red, green and blue, on a scale where white is 1.
        std: likewise.
        resize: how any aspect becomes a square, one of `RESIZES`.
    """

    size_px: int
    mean: Colour
    std: Colour
    resize: str = DEFAULT_RESIZE

    def __post_init__(self) -> None:
        """Refuse what no image could be prepared with.

        Raises:
            ValueError: a figure is out of range, or there is no such way to resize.
        """
        if type(self.size_px) is not int or not 1 <= self.size_px <= MAX_SIZE_PX:
            raise ValueError(f"a size of {self.size_px!r} px, where 1 to {MAX_SIZE_PX} is due")
        for colour in (self.mean, self.std):
            if len(colour) != 3 or not all(type(value) is float and math.isfinite(value) for value in colour):
                raise ValueError(f"{colour!r} where three numbers are due")
        if min(self.std) <= 0:
            raise ValueError(f"a standard deviation of {min(self.std)}")
        if self.resize not in RESIZES:
            raise ValueError(f"resize {self.resize!r}, where one of {', '.join(RESIZES)} is due")

    def as_dict(self) -> dict[str, Any]:
        """The same in built-in types, for the checkpoint."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Preprocessing":
        """What `as_dict` made.

        Raises:
            ValueError: something is missing or out of range.
        """
        try:
            red, green, blue = data["mean"]
            first, second, third = data["std"]
            return cls(data["size_px"], (red, green, blue), (first, second, third), data["resize"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"preprocessing without {error}") from None


def _letterbox(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The whole image at its own aspect, in the middle of a square of the mean colour."""
    size_px = preprocessing.size_px
    scale = size_px / max(image.size)
    width_px, height_px = (max(1, round(side * scale)) for side in image.size)
    red, green, blue = (min(255, max(0, round(value * 255))) for value in preprocessing.mean)
    square = Image.new("RGB", (size_px, size_px), (red, green, blue))
    small = image.resize((width_px, height_px), Image.Resampling.BICUBIC)
    square.paste(small, ((size_px - width_px) // 2, (size_px - height_px) // 2))
    return square


def _crop(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The largest square in the middle: what sticks out at the long ends is lost."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    square = (preprocessing.size_px, preprocessing.size_px)
    return image.resize(square, Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))


RESIZES: dict[str, Callable[[Image.Image, Preprocessing], Image.Image]] = {"letterbox": _letterbox, "crop": _crop}


def load(path: Path, preprocessing: Preprocessing) -> Tensor:
    """One image as a network wants to see it, not yet normalised.

    Returns:
        (3, S, S) uint8, RGB.

    Raises:
        UnreadableError: the file is no picture.
        OSError: the file cannot be read.
    """
    image = open_upright(path, at_least_px=preprocessing.size_px)
    square = RESIZES[preprocessing.resize](image, preprocessing)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()  # (3, S, S)


def normalise(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Bring bytes to the scale the network was trained on.

    Args:
        images: (B, 3, S, S) uint8.
        preprocessing: with the mean and the standard deviation to use.

    Returns:
        (B, 3, S, S) float32, on the same device.
    """
    mean = torch.tensor(preprocessing.mean, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=images.device).view(1, 3, 1, 1)
    return (images.float() - 255 * mean) / (255 * std)


def batches(
    paths: Sequence[Path], preprocessing: Preprocessing, batch_size: int, workers: int
) -> Generator[tuple[list[int], Tensor, list[Unreadable]], None, None]:
    """Decode images in threads, a batch or so ahead of the one who takes them.

    The batches follow the order of the paths: the n-th tells about paths n * batch_size and following, each of which
    is either among the good or among the unreadable. Closing the generator drops what is not begun.

    Args:
        paths: the files.
        preprocessing: how to make squares of them.
        batch_size: how many paths make a batch.
        workers: how many threads decode.

    Yields:
        Places in `paths` of the good ones; (B, 3, S, S) uint8, B may be 0; place and reason of the unreadable.
    """
    executor = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    ahead: deque[Future[Tensor | str]] = deque()
    following = iter(paths)
    try:
        for start in range(0, len(paths), batch_size):
            while len(ahead) < 2 * batch_size and (path := next(following, None)) is not None:
                ahead.append(executor.submit(_load_or_reason, path, preprocessing))
            results = [ahead.popleft().result() for _ in range(min(batch_size, len(paths) - start))]
            yield _batch(start, results, preprocessing.size_px)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _load_or_reason(path: Path, preprocessing: Preprocessing) -> Tensor | str:
    try:
        return load(path, preprocessing)
    except UnreadableError as error:
        return str(error)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        return f"It cannot be read: {getattr(error, 'strerror', None) or error}."


def _batch(start: int, results: list[Tensor | str], size_px: int) -> tuple[list[int], Tensor, list[Unreadable]]:
    images = {start + place: result for place, result in enumerate(results) if isinstance(result, Tensor)}
    reasons = [(start + place, result) for place, result in enumerate(results) if isinstance(result, str)]
    empty = torch.empty((0, 3, size_px, size_px), dtype=torch.uint8)
    return list(images), torch.stack(list(images.values())) if images else empty, reasons

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

DEFAULT_RESIZE = "area"  # the figures behind it stand in docs/benchmarks.md
MAX_SIZE_PX = 2048
MAX_ASPECT = 4.0  # beyond it, a strip at the margins is filled
STEP_PX = 32  # sides are multiples of it, so that images of a folder share a few shapes

Colour = tuple[float, float, float]
Unreadable = tuple[int, str]
Stack = tuple[list[int], Tensor]
"""Places of some images of one shape, and the images, (B, 3, H, W) uint8."""


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects of its images.

    Attributes:
        size_px: side of the square, or with the resize "area" the root of the area.
        mean: of red, green and blue, on a scale where white is 1.
        std: likewise.
        resize: how an image of any aspect becomes what the network takes, one of `RESIZES`.
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


def _area(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The whole image at its own aspect, on the area of the square: for networks that take any shape."""
    width, height = image.size
    aspect = min(max(width / height, 1 / MAX_ASPECT), MAX_ASPECT)
    width_px, height_px = preprocessing.size_px * math.sqrt(aspect), preprocessing.size_px / math.sqrt(aspect)
    return _within(image, (_stepped(width_px), _stepped(height_px)), preprocessing)


def _letterbox(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The whole image at its own aspect, in the middle of a square of the mean colour."""
    return _within(image, (preprocessing.size_px, preprocessing.size_px), preprocessing)


def _within(image: Image.Image, shape: tuple[int, int], preprocessing: Preprocessing) -> Image.Image:
    """The whole image as large as it fits, in the middle of a canvas (width, height) of the mean colour."""
    scale = min(shape[0] / image.width, shape[1] / image.height)
    fitting = tuple(
        whole if abs(side * scale - whole) < STEP_PX / 2 else max(1, round(side * scale))
        for side, whole in zip(image.size, shape, strict=True)
    )
    small = image.resize((fitting[0], fitting[1]), Image.Resampling.BICUBIC)
    if fitting == shape:
        return small
    red, green, blue = (min(255, max(0, round(value * 255))) for value in preprocessing.mean)
    canvas = Image.new("RGB", shape, (red, green, blue))
    canvas.paste(small, ((shape[0] - fitting[0]) // 2, (shape[1] - fitting[1]) // 2))
    return canvas


def _stepped(side_px: float) -> int:
    """The nearest side that a network halves five times without a remainder."""
    return max(STEP_PX, round(side_px / STEP_PX) * STEP_PX)


def _crop(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The largest square in the middle: what sticks out at the long ends is lost."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    square = (preprocessing.size_px, preprocessing.size_px)
    return image.resize(square, Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))


RESIZES: dict[str, Callable[[Image.Image, Preprocessing], Image.Image]] = {
    "area": _area,
    "letterbox": _letterbox,
    "crop": _crop,
}


def load(path: Path, preprocessing: Preprocessing) -> Tensor:
    """One image as a network wants to see it, not yet normalised.

    Returns:
        (3, H, W) uint8, RGB; H and W are the S of the network unless the resize is "area".

    Raises:
        UnreadableError: the file is no picture.
        OSError: the file cannot be read.
    """
    image = open_upright(path, at_least_px=preprocessing.size_px)
    resized = RESIZES[preprocessing.resize](image, preprocessing)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).contiguous()  # (3, H, W)


def normalise(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Bring bytes to the scale the network was trained on.

    Args:
        images: (B, 3, H, W) uint8.
        preprocessing: with the mean and the standard deviation to use.

    Returns:
        (B, 3, H, W) float32, on the same device.
    """
    mean = torch.tensor(preprocessing.mean, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=images.device).view(1, 3, 1, 1)
    return (images.float() - 255 * mean) / (255 * std)


def batches(
    paths: Sequence[Path], preprocessing: Preprocessing, batch_size: int, workers: int
) -> Generator[tuple[list[Stack], list[Unreadable]], None, None]:
    """Decode images in threads, a batch or so ahead of the one who takes them.

    The batches follow the order of the paths: the n-th tells about paths n * batch_size and following, each of which
    is either among the good or among the unreadable. Closing the generator drops what is not begun.

    Args:
        paths: the files.
        preprocessing: how to resize them.
        batch_size: how many paths make a batch.
        workers: how many threads decode.

    Yields:
        The good ones, a stack for each shape among them; place and reason of the unreadable.
    """
    executor = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    ahead: deque[Future[Tensor | str]] = deque()
    following = iter(paths)
    try:
        for start in range(0, len(paths), batch_size):
            while len(ahead) < 2 * batch_size and (path := next(following, None)) is not None:
                ahead.append(executor.submit(_load_or_reason, path, preprocessing))
            results = [ahead.popleft().result() for _ in range(min(batch_size, len(paths) - start))]
            yield _stacked(start, results)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _load_or_reason(path: Path, preprocessing: Preprocessing) -> Tensor | str:
    try:
        return load(path, preprocessing)
    except UnreadableError as error:
        return str(error)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        return f"It cannot be read: {getattr(error, 'strerror', None) or error}."


def _stacked(start: int, results: list[Tensor | str]) -> tuple[list[Stack], list[Unreadable]]:
    unreadable: list[Unreadable] = []
    shapes: dict[torch.Size, dict[int, Tensor]] = {}
    for place, result in enumerate(results, start):
        if isinstance(result, str):
            unreadable.append((place, result))
        else:
            shapes.setdefault(result.shape, {})[place] = result
    return [(list(images), torch.stack(list(images.values()))) for images in shapes.values()], unreadable

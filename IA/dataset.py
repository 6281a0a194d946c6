"""From image files to normalised tensors: the preprocessing of a network, and the threads that decode ahead of it."""

import itertools
import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from IA.images.decoding import parts, pixels
from IA.images.pictures import UnreadableError
from IA.images.tiles import Tile, split_file

DEFAULT_RESIZE = "area"  # docs/reference/benchmarks.md has the figures behind it.
MAX_SIZE_PX = 2048
MAX_ASPECT = 4.0  # Longer images get filled margins.
STEP_PX = 32  # Sides are multiples of this, so that the images of a folder share a few shapes.

Colour = tuple[float, float, float]
Unreadable = tuple[int, str]
Stack = tuple[list[int], Tensor]
"""Places of some images of one shape, and the images, (B, 3, H, W) uint8 in channels-last order."""


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
        """Check the figures.

        Raises:
            ValueError: a figure is out of range, or the resize is unknown.
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
        """The preprocessing in built-in types, for the checkpoint."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Preprocessing":
        """The preprocessing that `as_dict` described.

        Raises:
            ValueError: something is missing or out of range.
        """
        try:
            red, green, blue = data["mean"]
            first, second, third = data["std"]
            return cls(data["size_px"], (red, green, blue), (first, second, third), data["resize"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"preprocessing without {error}") from None


def _area(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The whole image in its own aspect ratio, with the area of the square, for networks that take any shape."""
    return _within(image, _area_shape(image.shape[2] / image.shape[1], preprocessing), preprocessing)


def _letterbox(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The whole image in its own aspect ratio, in the middle of a square of the mean colour."""
    return _within(image, (preprocessing.size_px, preprocessing.size_px), preprocessing)


def _within(image: Tensor, shape: tuple[int, int], preprocessing: Preprocessing) -> Tensor:
    """The whole image, as large as possible, in the middle of a canvas (height, width) of the mean colour."""
    height, width = _largest((image.shape[1], image.shape[2]), shape)
    # On bytes in channels-last order this is three times as fast as Pillow, from which it differs by rounding.
    small = interpolate(image[None], (height, width), mode="bicubic", antialias=True)[0]
    if (height, width) == shape:
        return small
    canvas = torch.tensor([min(255, max(0, round(value * 255))) for value in preprocessing.mean], dtype=torch.uint8)
    canvas = canvas.repeat(*shape, 1).permute(2, 0, 1)  # (3, H, W), channels last
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    canvas[:, top : top + height, left : left + width] = small
    return canvas


def _largest(sides: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width of an image of these sides, scaled to be as large as possible within the shape."""
    scale = min(whole / side for whole, side in zip(shape, sides, strict=True))
    height, width = (
        whole if abs(side * scale - whole) < STEP_PX / 2 else max(1, round(side * scale))
        for side, whole in zip(sides, shape, strict=True)
    )
    return height, width


def _area_shape(aspect: float, preprocessing: Preprocessing) -> tuple[int, int]:
    """Height and width of the canvas for images of this aspect ratio; both can be halved five times."""
    root = math.sqrt(min(max(aspect, 1 / MAX_ASPECT), MAX_ASPECT))
    return _stepped(preprocessing.size_px / root), _stepped(preprocessing.size_px * root)


def _stepped(side_px: float) -> int:
    return max(STEP_PX, round(side_px / STEP_PX) * STEP_PX)


def _crop(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The largest square in the middle of the image; both ends of the longer side are cut off."""
    height, width = image.shape[1:]
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    square = (preprocessing.size_px, preprocessing.size_px)
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    cropped = picture.resize(square, Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return torch.from_numpy(np.array(cropped)).permute(2, 0, 1)


RESIZES: dict[str, Callable[[Tensor, Preprocessing], Tensor]] = {
    "area": _area,
    "letterbox": _letterbox,
    "crop": _crop,
}


def seen_box(height: int, width: int, preprocessing: Preprocessing) -> tuple[float, float, float, float]:
    """The box that a network sees of an image of this size: top, left, bottom and right, in shares of the image.

    With a crop the box lies inside the image; with margins it reaches beyond.
    """
    if preprocessing.resize == "crop":
        side = min(height, width)
        top, left = (1 - side / height) / 2, (1 - side / width) / 2
        return top, left, 1 - top, 1 - left
    shape = (preprocessing.size_px, preprocessing.size_px)
    if preprocessing.resize == "area":
        shape = _area_shape(width / height, preprocessing)
    within = _largest((height, width), shape)
    top, left = (-((whole - part) // 2) / part for whole, part in zip(shape, within, strict=True))
    return top, left, top + shape[0] / within[0], left + shape[1] / within[1]


def extreme_shapes(preprocessing: Preprocessing) -> list[tuple[int, int]]:
    """Height and width of the prepared images that come from a square, the widest and the tallest image."""
    if preprocessing.resize != "area":
        return [(preprocessing.size_px, preprocessing.size_px)]
    return [_area_shape(aspect, preprocessing) for aspect in (1, MAX_ASPECT, 1 / MAX_ASPECT)]


def load(path: Path, preprocessing: Preprocessing, inside: Path | None = None) -> Tensor:
    """Load one image, prepared for a network but not yet normalised.

    Args:
        path: of the file, or of a tile.
        preprocessing: how to resize it.
        inside: a folder that the file must lie in; None: anywhere.

    Returns:
        (3, H, W) uint8, RGB, in channels-last order; H and W are the network's size unless the resize is "area".

    Raises:
        UnreadableError: the file is not an image.
        OSError: the file cannot be read.
    """
    return load_with_box(path, preprocessing, inside)[0]


def load_with_box(
    path: Path, preprocessing: Preprocessing, inside: Path | None = None
) -> tuple[Tensor, tuple[float, float, float, float]]:
    """Load one image, see `load`, with the box of the upright image that it shows, see `seen_box`."""
    image = pixels(path, preprocessing.size_px, inside)
    height, width, _ = image.shape
    return _prepared(image, preprocessing), seen_box(height, width, preprocessing)


def _prepared(image: NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
    return RESIZES[preprocessing.resize](torch.from_numpy(image).permute(2, 0, 1), preprocessing)


def normalise(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Bring bytes to the scale that the network was trained on.

    Args:
        images: (B, 3, H, W) uint8.
        preprocessing: has the mean and the standard deviation.

    Returns:
        (B, 3, H, W) float32, on the same device.
    """
    mean = torch.tensor(preprocessing.mean, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=images.device).view(1, 3, 1, 1)
    return (images.float() - 255 * mean) / (255 * std)


def batches(
    paths: Iterable[Path],
    preprocessing: Preprocessing,
    batch_size: int,
    workers: int,
    inside: Path | None = None,
) -> Generator[tuple[list[Stack], list[Unreadable]], None, None]:
    """Decode images in threads, a batch or so ahead of the caller.

    The batches follow the order of the paths: batch n holds the paths from n * batch_size on, each either as a good
    image or as an unreadable one. Closing the generator drops the files that are not begun. A photo whose tiles follow
    one another is decoded once.

    Args:
        paths: of the files, or of tiles; taken when they are needed.
        preprocessing: how to resize them.
        batch_size: how many paths make a batch.
        workers: how many threads decode.
        inside: a folder that the files must lie in; None: anywhere.

    Yields:
        The good images, one stack for each shape among them; place and reason of the unreadable ones.
    """
    executor = ThreadPoolExecutor(workers, "decode")
    ahead: deque[Future[list[Tensor | str]]] = deque()
    results: deque[Tensor | str] = deque()
    following = _by_photo(paths)
    under_way = 0
    try:
        for start in itertools.count(0, batch_size):
            while under_way < 2 * batch_size and (group := next(following, None)) is not None:
                ahead.append(executor.submit(_load_or_reasons, *group, preprocessing, inside))
                under_way += len(group[1])
            while ahead and len(results) < batch_size:
                results.extend(ahead.popleft().result())
            if not results:
                break
            batch = [results.popleft() for _ in range(min(batch_size, len(results)))]
            under_way -= len(batch)
            yield _stacked(start, batch)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _by_photo(paths: Iterable[Path]) -> Iterator[tuple[Path, list[Tile | None]]]:
    """Group consecutive tiles of a photo; a whole photo yields [None]."""
    for (photo, _), group in itertools.groupby(map(split_file, paths), key=_photo_and_grid):
        yield photo, [tile for _, tile in group]


def _photo_and_grid(split: tuple[Path, Tile | None]) -> tuple[Path, tuple[int, int] | None]:
    photo, tile = split
    return photo, None if tile is None else (tile.columns, tile.rows)


def _load_or_reasons(
    photo: Path, tiles: list[Tile | None], preprocessing: Preprocessing, inside: Path | None
) -> list[Tensor | str]:
    try:
        return [_prepared(image, preprocessing) for image in parts(photo, tiles, preprocessing.size_px, inside)]
    except UnreadableError as error:
        reason = str(error)
    except (OSError, ValueError) as error:  # ValueError means a name that no file can have
        reason = f"It cannot be read: {getattr(error, 'strerror', None) or error}."
    return [reason] * len(tiles)


def _stacked(start: int, results: list[Tensor | str]) -> tuple[list[Stack], list[Unreadable]]:
    unreadable: list[Unreadable] = []
    shapes: dict[torch.Size, dict[int, Tensor]] = {}
    for place, result in enumerate(results, start):
        if isinstance(result, str):
            unreadable.append((place, result))
        else:
            shapes.setdefault(result.shape, {})[place] = result
    return [(list(images), _channels_last(list(images.values()))) for images in shapes.values()], unreadable


def _channels_last(images: list[Tensor]) -> Tensor:
    rows = np.stack([image.permute(1, 2, 0).numpy() for image in images])  # torch.stack keeps all cores spinning
    return torch.from_numpy(rows).permute(0, 3, 1, 2)

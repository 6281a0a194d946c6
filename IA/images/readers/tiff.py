"""TIFF of layouts that Pillow does not know or takes for others, decoded to 8 bit as a format of Pillow.

Samples may have any number of bits, a sign, be floats, or stand in planes of their own, and grey may have alpha. The
sources are TIFF 6.0 (Adobe 1992) and its technical notes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from IA.images.readers.compression import UNPACK
from IA.images.readers.windowing import windowed

FORMAT = "TIFF"
BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, PLANAR, PREDICTOR = 258, 259, 262, 266, 277, 284, 317  # tags
ROWS_PER_STRIP, STRIPS, STRIP_BYTES = 278, 273, 279
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 322, 323, 324, 325
EXTRA, KIND = 338, 339
COLOURS = {0: 1, 1: 1, 2: 3}  # number of colours by photometric interpretation; 0 is grey in which zero is white
WHOLE, SIGNED, FLOAT = 1, 2, 3  # sample formats
OF_BYTES = (8, 16, 32, 64)
MULTIPLIED, SEPARATE = 1, 2  # kinds of alpha
MOST_SAMPLES = 6
UNPACKED_ROWS_BITS = 2**25  # this many bits are unpacked at a time, each into a byte
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

Samples = NDArray[Any]


class TiffFile(TiffImageFile):
    """A TIFF that Pillow reads, or that this module reads."""

    _layout: "_Layout | None" = None

    def _setup(self) -> None:
        layout = _layout_of(self.tag_v2)
        if layout is None or not layout.is_mistaken:
            try:
                super()._setup()
                return
            except SyntaxError:
                if layout is None:
                    raise
        self._layout = layout
        self._tile_size = layout.width, layout.height
        is_sideways = self.tag_v2.get(274) in range(5, 9)
        self._size = (layout.height, layout.width) if is_sideways else self._tile_size
        self._mode = ("L" if layout.colours == 1 else "RGB") + ("A" if layout.alpha else "")
        self.use_load_libtiff = False
        self.tile = []

    def load(self) -> Any:
        """Decode the pixels, once."""
        if self._layout is not None and self._im is None:
            layout, self._layout = self._layout, None
            self._size = self._tile_size
            self.im = Image.fromarray(_eight_bit(_read(cast(BinaryIO, self.fp), layout), layout)).im
            self.load_end()
        return super().load()


def register() -> None:
    """Make Pillow open every TIFF by this class."""
    Image.register_open(FORMAT, TiffFile, lambda head: head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM*\0", b"II\0*"})


@dataclass(frozen=True)
class _Layout:
    """How the samples of a file are stored; `prefix` is the byte order in numpy's notation."""

    width: int
    height: int
    prefix: str
    photometric: int
    bits: int
    kind: int
    samples: int
    alpha: int
    is_planar: bool
    compression: int
    predictor: int
    is_reversed: bool
    is_tiled: bool
    piece: tuple[int, int]  # the rows and columns of a strip or tile
    places: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def colours(self) -> int:
        return COLOURS[self.photometric]

    @property
    def is_mistaken(self) -> bool:
        """Whether Pillow would take the layout for another one."""
        return self.is_planar or (self.kind == SIGNED and self.bits == 8)

    @property
    def in_a_row(self) -> int:
        """How many samples stand beside one another for each pixel."""
        return 1 if self.is_planar else self.samples


def _layout_of(tags: Any) -> _Layout | None:
    """The layout by the tags of a file; None if this module does not read it."""
    try:
        is_tiled = TILES in tags
        bits, kinds = _all(tags, BITS, 1), _all(tags, KIND, WHOLE)
        width, height, samples = int(tags[256]), int(tags[257]), int(tags.get(SAMPLES, 1))
        photometric = int(tags[PHOTOMETRIC])
        extra = _all(tags, EXTRA, 0) if EXTRA in tags else (SEPARATE,) * (photometric == 2 and samples == 4)
        layout = _Layout(
            width,
            height,
            "<" if tags.prefix == b"II" else ">",
            photometric,
            bits[0],
            kinds[0],
            samples,
            next((kind for kind in extra[:1] if kind in {MULTIPLIED, SEPARATE}), 0),
            int(tags.get(PLANAR, 1)) == 2,
            int(tags.get(COMPRESSION, 1)),
            int(tags.get(PREDICTOR, 1)),
            int(tags.get(FILL_ORDER, 1)) == 2,
            is_tiled,
            (int(tags[TILE_HEIGHT]), int(tags[TILE_WIDTH]))
            if is_tiled
            else (min(height, int(tags.get(ROWS_PER_STRIP, height))), width),
            _all(tags, TILES if is_tiled else STRIPS, 0),
            _all(tags, TILE_BYTES if is_tiled else STRIP_BYTES, 0),
        )
    except (KeyError, TypeError, ValueError):
        return None
    is_same = len({*bits}) == 1 and len({*kinds}) == 1
    is_readable = layout.bits in OF_BYTES if layout.kind != WHOLE else 1 <= layout.bits <= 32 or layout.bits == 64
    if not is_same or not is_readable or (layout.kind == FLOAT and layout.bits == 8):
        return None
    if layout.photometric not in COLOURS or layout.compression not in UNPACK or layout.kind not in {1, 2, 3}:
        return None
    if not layout.colours + (layout.alpha > 0) <= layout.samples <= MOST_SAMPLES or min(layout.piece) < 1:
        return None
    return layout


def _all(tags: Any, tag: int, otherwise: int) -> tuple[int, ...]:
    value = tags.get(tag, (otherwise,))
    return tuple(value) if isinstance(value, tuple) else (int(value),)


def _read(file: BinaryIO, layout: _Layout) -> Samples:
    """Colours and alpha, (H, W, C)."""
    rows, columns = layout.piece
    down, across = -(-layout.height // rows), -(-layout.width // columns)
    planes = layout.samples if layout.is_planar else 1
    if min(len(layout.places), len(layout.lengths)) < down * across * planes:
        raise ValueError("it lacks some of its strips")
    kept = layout.colours + (layout.alpha > 0)
    whole = np.zeros((layout.height, layout.width, kept), _dtype(layout))
    for plane in range(min(planes, kept)):
        for piece in range(down * across):
            top, left = piece // across * rows, piece % across * columns
            high = rows if layout.is_tiled else min(rows, layout.height - top)  # the last strip may be shorter, no tile
            number = plane * down * across + piece
            values = _piece(file, layout, layout.places[number], layout.lengths[number], high)
            part = values[: layout.height - top, : layout.width - left]
            target = whole[top : top + rows, left : left + columns]
            if layout.is_planar:
                target[..., plane] = part[..., 0]
            else:
                target[...] = part[..., :kept]
    return whole


def _dtype(layout: _Layout) -> np.dtype[Any]:
    width = next(each for each in OF_BYTES if each >= layout.bits)
    return np.dtype(f"{' uif'[layout.kind]}{width // 8}")


def _piece(file: BinaryIO, layout: _Layout, place: int, length: int, rows: int) -> Samples:
    """One strip or tile, (rows, columns, samples in a row)."""
    across = layout.piece[1] * layout.in_a_row
    row_bytes = -(-across * layout.bits // 8)
    file.seek(place)
    data = file.read(length)
    if layout.is_reversed:
        data = data.translate(REVERSED)
    data = UNPACK[layout.compression](data, rows * row_bytes)
    if len(data) < rows * row_bytes:
        raise ValueError("it is cut off")
    lines = np.frombuffer(data, np.uint8, rows * row_bytes).reshape(rows, row_bytes)
    if layout.predictor == 3:
        values = _sum_of_bytes(lines, layout)
    elif layout.bits in OF_BYTES:
        values = lines.view(f"{layout.prefix}{_dtype(layout).str[1:]}").astype(_dtype(layout))
    else:
        values = np.concatenate(list(_unpacked(lines, layout, across)))
    values = values.reshape(rows, layout.piece[1], layout.in_a_row)
    if layout.predictor == 2:
        values = np.cumsum(values, axis=1, dtype=values.dtype)
        if layout.bits not in OF_BYTES:
            values &= values.dtype.type(2**layout.bits - 1)
    return values


def _unpacked(lines: NDArray[np.uint8], layout: _Layout, across: int) -> Iterator[Samples]:
    """Unpack numbers of a few bits each, the highest bit first, some rows at a time."""
    dtype = _dtype(layout)
    factors = 2 ** np.arange(layout.bits - 1, -1, -1, dtype=np.float64)
    step = max(1, UNPACKED_ROWS_BITS // (8 * lines.shape[1]))
    for top in range(0, len(lines), step):
        single = np.unpackbits(lines[top : top + step], axis=1)[:, : across * layout.bits]
        yield (single.reshape(len(single), across, layout.bits) @ factors).astype(dtype)


def _sum_of_bytes(lines: NDArray[np.uint8], layout: _Layout) -> Samples:
    """Floats of predictor 3: each row holds their highest bytes first, each as a difference to the one before it."""
    width = layout.bits // 8
    each = layout.in_a_row
    summed = np.cumsum(lines.reshape(len(lines), -1, each), axis=1, dtype=np.uint8).reshape(len(lines), width, -1)
    return np.ascontiguousarray(summed.transpose(0, 2, 1)).view(f">f{width}").astype(_dtype(layout))


def _eight_bit(samples: Samples, layout: _Layout) -> NDArray[np.uint8]:
    """The picture: grey (H, W), or (H, W, C) of grey and alpha, of colours, or of colours and alpha."""
    colours = samples[..., : layout.colours]
    is_inverted = layout.photometric == 0
    is_deep = layout.kind != WHOLE or (layout.bits > 8 and layout.colours == 1 and not layout.alpha)
    if is_deep:
        shown = windowed(np.ascontiguousarray(colours), is_inverted=is_inverted)
    else:
        shown = _scaled(colours, layout.bits)
        shown = 255 - shown if is_inverted else shown
    if not layout.alpha:
        return shown[..., 0] if layout.colours == 1 else shown
    alpha = samples[..., layout.colours :]
    opaque = _scaled(alpha, layout.bits) if layout.kind == WHOLE else windowed(alpha, (0.0, _opaque(layout)))
    if layout.alpha == MULTIPLIED and not is_deep:
        divided = shown.astype(np.uint16) * 255 // np.maximum(opaque, 1)
        shown = np.minimum(divided, 255).astype(np.uint8)
    return np.concatenate([shown, opaque], axis=-1)


def _scaled(values: Samples, bits: int) -> NDArray[np.uint8]:
    """The upper 8 bit of each value; fewer bits are stretched from black to white."""
    is_deep = bits >= 8
    scaled: Samples = (
        values >> values.dtype.type(bits - 8) if is_deep else values.astype(np.uint16) * 255 // (2**bits - 1)
    )
    return scaled.astype(np.uint8)


def _opaque(layout: _Layout) -> float:
    return 1.0 if layout.kind == FLOAT else float(2 ** (layout.bits - 1) - 1)

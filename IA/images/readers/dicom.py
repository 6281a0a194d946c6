"""DICOM as a format of Pillow: the first frame, windowed to 8 bit. This module needs pydicom."""

import io
import logging
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from pydicom import Dataset, config
from pydicom.filereader import read_dataset
from pydicom.multival import MultiValue
from pydicom.pixels import apply_color_lut, get_decoder, pixel_array
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from IA.images.readers.signatures import SIGNATURE_BYTES, is_dicom
from IA.images.readers.windowing import Window, window_of, windowed

FORMAT = "DICOM"
MAX_HEADER_BYTES = 16 * 2**20  # the pixels must begin within this many bytes
META, PIXELS = 0x0002, 0x7FE0  # the groups of tags for the encoding of the file, and for its pixels
SHAPE = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation")
FRAMES = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")  # files of many frames use these
IN_FRAMES = ("PixelValueTransformationSequence", "FrameVOILUTSequence")

config.settings.reading_validation_mode = config.IGNORE  # pydicom reads odd files without a warning
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


class DicomImageFile(ImageFile.ImageFile):
    """A DICOM file: its header when it is opened, its pixels when they are loaded."""

    format = FORMAT
    format_description = "DICOM"

    def _open(self) -> None:
        file = cast(BinaryIO, self.fp)
        if not is_dicom(file.read(SIGNATURE_BYTES)):
            raise SyntaxError("no DICOM file")  # so Pillow tries other formats
        header = _header(io.BytesIO(file.read(MAX_HEADER_BYTES)))
        rows, columns = header.get("Rows"), header.get("Columns")
        if not rows or not columns:
            raise ValueError("it is a DICOM file without a picture")
        self._size = int(columns), int(rows)
        is_colour = header.get("SamplesPerPixel", 1) == 3 or header.get("PhotometricInterpretation") == "PALETTE COLOR"
        self._mode = "RGB" if is_colour else "L"
        self.tile = []

    def load(self) -> Any:
        """Decode the first frame, once."""
        if self._im is None:
            file = cast(BinaryIO, self.fp)
            file.seek(0)
            picture = Image.fromarray(_pixels(file))
            if (picture.mode, picture.size) != (self.mode, self.size):
                raise ValueError("its pixels are not what its header says")
            self.im = picture.im
        return super().load()


def register() -> str:
    """Make Pillow know the format; returns the name by which to ask for it."""
    Image.register_open(FORMAT, DicomImageFile)  # type: ignore[arg-type,unused-ignore]
    return FORMAT


def _header(stream: io.BytesIO) -> Dataset:
    """Shape and encoding, from the bytes behind the signature. Raises ValueError if the pixels cannot be decoded."""
    meta = read_dataset(stream, False, True, stop_when=lambda tag, *_: tag.group != META)
    syntax = UID(str(meta.get("TransferSyntaxUID", "")))
    if syntax == DeflatedExplicitVRLittleEndian:  # a few bytes of it could become gigabytes before the header is known
        raise ValueError("it is a deflated DICOM file, which is not read")
    try:
        is_available = get_decoder(syntax).is_available
    except NotImplementedError:
        is_available = False
    if not is_available:
        raise ValueError(f"no decoder is installed for pixels stored as {syntax.name or 'nothing that it names'}")
    return read_dataset(
        stream,
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=lambda tag, *_: tag.group >= PIXELS,
        specific_tags=[Tag(name) for name in SHAPE],
    )


def _pixels(file: BinaryIO) -> NDArray[np.uint8]:
    """The first frame: (H, W) of grey in which white is brightest, or (H, W, 3) of colours."""
    dataset = Dataset()
    values = pixel_array(file, ds_out=dataset, specific_tags=list(FRAMES), index=0)
    kind = dataset.get("PhotometricInterpretation", "MONOCHROME2")
    if kind == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
    if values.ndim == 3:
        return values if values.dtype == np.uint8 else windowed(values, _whole_range(values))
    slope = _number(dataset, "RescaleSlope") or 1.0
    return windowed(values, _window(dataset, values, slope), is_inverted=(kind == "MONOCHROME1") != (slope < 0))


def _whole_range(values: NDArray[Any]) -> Window | None:
    """The values that are black and white in 16-bit colours; None if only the percentiles can tell."""
    return (0.0, 65535.0) if values.dtype == np.uint16 and values.max() > 4095 else None


def _window(dataset: Dataset, values: NDArray[Any], slope: float) -> Window:
    """The stored values that are black and white (DICOM PS3.3 C.11.2.1.2); the percentiles if the file has none."""
    centre, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    function = next((part.VOILUTFunction for part in _parts(dataset) if part.get("VOILUTFunction")), "LINEAR")
    if centre is None or width is None or width <= (0 if function == "LINEAR_EXACT" else 1):
        return window_of(values, without=_number(dataset, "PixelPaddingValue"))
    if function != "LINEAR_EXACT":
        centre, width = centre - 0.5, width - 1
    intercept = _number(dataset, "RescaleIntercept") or 0.0
    low, high = sorted((end - intercept) / slope for end in (centre - width / 2, centre + width / 2))
    return low, high


def _number(dataset: Dataset, name: str) -> float | None:
    """A number, the first if there are several; None if it is missing or no number."""
    for part in _parts(dataset):
        value = part.get(name)
        if isinstance(value, MultiValue):
            value = value[0] if len(value) else None
        if value is not None and value != "" and np.isfinite(float(value)):
            return float(value)
    return None


def _parts(dataset: Dataset) -> Iterator[Dataset]:
    """The places where a number may stand: for the whole file, for all of its frames, or for the first frame."""
    yield dataset
    for frames in FRAMES:
        for group in list(dataset.get(frames) or [])[:1]:
            for name in IN_FRAMES:
                yield from list(group.get(name) or [])[:1]

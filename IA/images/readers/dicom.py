"""DICOM as a format of Pillow: the first frame, windowed to 8 bit. Only where pydicom is installed."""

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
MAX_HEADER_BYTES = 16 * 2**20  # what comes before the pixels
META, PIXELS = 0x0002, 0x7FE0  # groups: how the file is encoded, and what is shown
SHAPE = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation")
FRAMES = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")  # where files of many frames say it
IN_FRAMES = ("PixelValueTransformationSequence", "FrameVOILUTSequence")

config.settings.reading_validation_mode = config.IGNORE  # what is odd but readable is read, without a word
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


class DicomImageFile(ImageFile.ImageFile):
    """A DICOM file: its header when it is opened, its pixels when they are loaded."""

    format = FORMAT
    format_description = "DICOM"

    def _open(self) -> None:
        file = cast(BinaryIO, self.fp)
        if not is_dicom(file.read(SIGNATURE_BYTES)):
            raise SyntaxError("no DICOM file")  # what Pillow takes for a no; others may ask about any file
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
    """Have Pillow open such files where it is asked to; the name to ask by."""
    Image.register_open(FORMAT, DicomImageFile)  # type: ignore[arg-type,unused-ignore]
    return FORMAT


def _header(stream: io.BytesIO) -> Dataset:
    """Shape and encoding, by what follows the signature. Raises ValueError for pixels that nothing here decodes."""
    meta = read_dataset(stream, False, True, stop_when=lambda tag, *_: tag.group != META)
    syntax = UID(str(meta.get("TransferSyntaxUID", "")))
    if syntax == DeflatedExplicitVRLittleEndian:  # a few bytes could become gigabytes before anything is known of them
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
    """The first frame: (H, W) of grey, white the brightest, or (H, W, 3) of colours."""
    said = Dataset()
    values = pixel_array(file, ds_out=said, specific_tags=list(FRAMES), index=0)
    kind = said.get("PhotometricInterpretation", "MONOCHROME2")
    if kind == "PALETTE COLOR":
        values = apply_color_lut(values, said)
    if values.ndim == 3:
        return values if values.dtype == np.uint8 else windowed(values, _whole_range(values))
    slope = _number(said, "RescaleSlope") or 1.0
    return windowed(values, _window(said, values, slope), is_inverted=(kind == "MONOCHROME1") != (slope < 0))


def _whole_range(values: NDArray[Any]) -> Window | None:
    """Black and white of colours of 16 bit; None where only the percentiles can tell."""
    return (0.0, 65535.0) if values.dtype == np.uint16 and values.max() > 4095 else None


def _window(said: Dataset, values: NDArray[Any], slope: float) -> Window:
    """The stored values that are black and white, after DICOM PS3.3 C.11.2.1.2; the percentiles where none are said."""
    centre, width = _number(said, "WindowCenter"), _number(said, "WindowWidth")
    function = next((part.VOILUTFunction for part in _parts(said) if part.get("VOILUTFunction")), "LINEAR")
    if centre is None or width is None or width <= (0 if function == "LINEAR_EXACT" else 1):
        return window_of(values, without=_number(said, "PixelPaddingValue"))
    if function != "LINEAR_EXACT":
        centre, width = centre - 0.5, width - 1
    intercept = _number(said, "RescaleIntercept") or 0.0
    low, high = sorted((end - intercept) / slope for end in (centre - width / 2, centre + width / 2))
    return low, high


def _number(said: Dataset, name: str) -> float | None:
    """A figure, the first where there are several; None where it is missing or no number."""
    for part in _parts(said):
        value = part.get(name)
        if isinstance(value, MultiValue):
            value = value[0] if len(value) else None
        if value is not None and value != "" and np.isfinite(float(value)):
            return float(value)
    return None


def _parts(said: Dataset) -> Iterator[Dataset]:
    """Where a figure may stand: for the whole file, for all of its frames, or for the first."""
    yield said
    for frames in FRAMES:
        for group in list(said.get(frames) or [])[:1]:
            for name in IN_FRAMES:
                yield from list(group.get(name) or [])[:1]

"""Files that browsers show and Pillow refuses or mistakes: person and network see one and the same picture of each."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import STRIPOFFSETS, TiffImageFile

from backend.previews.rendering import Picture, render
from IA.images.decoding import parts
from IA.images.pictures import UnreadableError, open_seen, open_upright
from IA.images.readers.repair import breaks_off
from IA.images.readers.windowing import windowed
from IA.images.tiles import Grid
from tests.backend.previews.test_formats import by_the_network, check_same, scene, see_through, seen
from tests.bmp_files import ALPHA_BITFIELDS, BITFIELDS, bmp
from tests.tiff_files import tiff

CLOSE = 12.0  # of 255, on average: what few bits and JPEG may change

COLOURS = np.asarray(scene(100, 60))
GREY = np.asarray(scene(100, 60).convert("L"))
FADING = np.broadcast_to(np.linspace(0, 255, 100).astype(np.uint8)[:, None], (60, 100, 1))  # alpha, from left to right


def over_white(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours of a picture with fading alpha over white."""
    share = FADING / 255.0
    return np.asarray(255 + (colours.reshape(60, 100, -1) - 255.0) * share).astype(np.uint8).squeeze()


def noise(mode: str = "RGB") -> Image.Image:
    """A photo of noise, which does not compress."""
    random = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    return Image.fromarray(random).resize((200, 150)).convert(mode)


def encoded(picture: Image.Image, format: str, **how: Any) -> bytes:
    """The bytes of a file that holds this picture."""
    buffer = io.BytesIO()
    picture.save(buffer, format, **how)
    return buffer.getvalue()


def check_seen(path: Path, data: bytes, expected: NDArray[np.uint8]) -> None:
    """Check that a file shows this picture to the person at each size and to the network."""
    path.write_bytes(data)
    check_same(path)
    picture = np.asarray(open_upright(path), float)
    right = np.repeat(expected[..., None], 3, 2) if expected.ndim == 2 else expected
    assert picture.shape == right.shape
    assert np.abs(picture - right).mean() < CLOSE


# --- cut off ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_progressive", [False, True])
def test_a_jpeg_without_its_end(tmp_path: Path, is_progressive: bool) -> None:
    """A JPEG that is cut off in its last part is shown, and a sentence about what is missing stays with its preview."""
    whole = encoded(noise(), "JPEG", quality=90, progressive=is_progressive)
    path = tmp_path / "a.jpg"
    for cut in [*range(1, 40), *range(40, len(whole) // 20, 37)]:
        path.write_bytes(whole[:-cut])
        assert open_seen(path).damage.startswith("It breaks off")
    check_same(path)
    for size_px in (64, None):
        shown = render(path, size_px)
        assert shown.is_rendered
        assert shown.damage.startswith("It breaks off")
        assert shown.damage == rendered_again(shown).damage
    known = np.asarray(noise(), float)[:120]
    assert np.abs(np.asarray(open_upright(path), float)[:120] - known).mean() < CLOSE
    assert np.array_equal(parts(path, [None])[0], np.asarray(open_upright(path)))


def rendered_again(picture: Picture) -> Picture:
    """The preview as it comes out of the cache."""
    from backend.previews.rendering import rendered

    return rendered(picture.content)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_a_png_without_its_end(tmp_path: Path, mode: str) -> None:
    """A PNG that is cut off is shown, unless more than a tenth of its rows are missing, which nobody could judge."""
    picture = noise("L").convert("I;16") if mode == "I;16" else noise(mode)
    whole = encoded(picture, "PNG")
    path = tmp_path / "a.png"
    for cut in (1, 12, 16, 17, 20, len(whole) // 15):
        path.write_bytes(whole[:-cut])
        damage = open_seen(path).damage
    assert damage.startswith("It breaks off")  # with the last bytes alone, nothing of the picture is missing
    check_same(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableError):
        open_upright(path)


def test_half_a_jpeg_cannot_be_judged(tmp_path: Path) -> None:
    """The reason says how many rows are missing."""
    whole = encoded(noise(), "JPEG", quality=90)
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableError, match=r"It breaks off: \d+ of 150 rows are missing\."):
        open_upright(tmp_path / "a.jpg")
    assert breaks_off(2, 3) == "It breaks off: 2 of 3 rows are missing."


def test_tiles_of_a_jpeg_without_its_end(tmp_path: Path) -> None:
    """Tiles of a damaged photo show the picture that the person sees."""
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(noise(), "JPEG")[:-200])
    whole = open_upright(path)
    tiles = [open_upright(Path(each)) for each in Grid(2, 2).paths(str(path))]
    assert np.array_equal(np.asarray(tiles[3]), np.asarray(whole.crop((100, 75, 200, 150))))


# --- what else stands in a PNG ----------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


FLOODS = {
    "text": chunk(b"tEXt", b"Comment\0" + b"x" * 2**21),
    "packed": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 2**21)),
    "world": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"x" * 2**21)),
    "profile": chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(2**21))),
    "profile of an unknown kind": chunk(b"iCCP", b"name\0\7" + bytes(100)),
    "garbled profile": chunk(b"iCCP", b"name\0\0" + bytes(range(1, 200))),
    "sum": chunk(b"tEXt", b"Comment\0abc")[:-1] + b"?",
}


@pytest.mark.parametrize("is_behind", [False, True])
@pytest.mark.parametrize("flood", FLOODS)
def test_whatever_else_stands_in_a_png(tmp_path: Path, flood: str, is_behind: bool) -> None:
    """Megabytes of text or of a colour profile, before the picture or behind it, do no harm."""
    data = encoded(scene(), "PNG")
    place = len(data) - 12 if is_behind else 33
    check_seen(tmp_path / "a.png", data[:place] + FLOODS[flood] + data[place:], np.asarray(scene()))
    assert open_seen(tmp_path / "a.png").damage == ""


@pytest.mark.parametrize(
    ("number", "content"), [(0, b"JFIF\0"), (2, b"ICC_PROFILE\0"), (2, b"MPF\0II*\0"), (13, b"8BIM")]
)
def test_whatever_else_stands_in_a_jpeg(tmp_path: Path, number: int, content: bytes) -> None:
    """Blocks beside the picture that break off, as editors and transfers leave them, do no harm."""
    data = encoded(scene(), "JPEG")
    block = bytes([0xFF, 0xE0 + number]) + struct.pack(">H", len(content) + 2) + content
    check_seen(tmp_path / "a.jpg", data[:2] + block + data[2:], np.asarray(scene()))
    assert open_seen(tmp_path / "a.jpg").damage == ""


# --- orientation by XMP -----------------------------------------------------------------------------------------------

XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="{}"/></x:xmpmeta>'


def with_xmp(suffix: str, orientation: int) -> bytes:
    """A file in which only XMP says which way up it is."""
    said = XMP.format(orientation).encode()
    if suffix.startswith("png"):
        data = encoded(scene(), "PNG")
        text = zlib.compress(said) if "packed" in suffix else said
        told = chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes(["packed" in suffix, 0, 0, 0]) + text)
        place = len(data) - 12 if "behind" in suffix else 33
        return data[:place] + told + data[place:]
    if suffix == "tif":
        return encoded(scene(), "TIFF", tiffinfo={700: said})
    return encoded(scene(), {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF"}[suffix], xmp=said)


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("suffix", ["jpg", "png", "png behind", "png packed", "webp", "avif", "tif"])
def test_orientation_that_xmp_alone_tells(tmp_path: Path, suffix: str, orientation: int) -> None:
    """No browser turns such a file, so the server renders it at full size too; its tiles are turned as well."""
    path = tmp_path / f"a.{suffix[:4].strip()}"
    path.write_bytes(with_xmp(suffix, orientation))
    turned = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270}[orientation]
    expected = scene() if turned is None else scene().transpose(turned)
    check_same(path, expected)
    if orientation != 1 or suffix == "tif":
        assert render(path, None).is_rendered
    else:
        assert not render(path, None).is_rendered
    corner = open_upright(Path(next(Grid(2, 2).paths(str(path)))))
    assert np.abs(seen(corner) - seen(expected.crop((0, 0, *corner.size)))).mean() < CLOSE


def test_exif_goes_before_xmp(tmp_path: Path) -> None:
    """EXIF that says upright counts more than XMP, as in browsers, so the file goes out as it is."""
    exif = Image.Exif()
    exif[0x0112] = 1
    path = tmp_path / "a.jpg"
    scene().save(path, exif=exif, xmp=XMP.format(6).encode())
    check_same(path, scene())
    assert not render(path, None).is_rendered


# --- transparency -----------------------------------------------------------------------------------------------------


def transparent(name: str) -> bytes:
    """Small files with a transparent corner, each made in another way."""
    picture = see_through()
    if name == "trns.png":
        return encoded(scene().convert("P", palette=Image.Palette.ADAPTIVE, colors=64), "PNG", transparency=0)
    if name == "colour.png":
        colours = scene()
        colours.paste((1, 2, 3), (0, 0, 100, 80))
        return encoded(colours, "PNG", transparency=(1, 2, 3))
    if name == "grey.png":
        grey = scene().convert("L")
        grey.paste(7, (0, 0, 100, 80))
        return encoded(grey, "PNG", transparency=7)
    if name == "deep.png":
        deep = np.asarray(scene().convert("L")).astype(np.uint16) * 16 + 1000
        deep[:80, :100] = 9
        return encoded(Image.fromarray(deep), "PNG", transparency=9)
    if name == "moving.webp":
        return encoded(picture, "WEBP", save_all=True, append_images=[scene().convert("RGBA")], lossless=True)
    if name == "a.gif":
        return encoded(picture, "GIF")
    how = {"a.png": "PNG", "grey-alpha.png": "PNG", "a.webp": "WEBP", "a.avif": "AVIF"}[name]
    return encoded(picture.convert("LA") if name == "grey-alpha.png" else picture, how)


TRANSPARENT = (
    "a.png", "trns.png", "colour.png", "grey.png", "grey-alpha.png", "deep.png", "a.webp", "moving.webp", "a.gif",
    "a.avif",
)  # fmt: skip


@pytest.mark.parametrize("name", TRANSPARENT)
def test_white_stands_for_nothing(tmp_path: Path, name: str) -> None:
    """No picture with transparent pixels leaves the server at any size, so the page behind it never shows through."""
    path = tmp_path / name
    path.write_bytes(transparent(name))
    network = np.asarray(by_the_network(path), float)
    assert open_seen(path).is_see_through
    for size_px in (64, 640, None):
        shown = Image.open(io.BytesIO(render(path, size_px).content))
        assert not shown.has_transparency_data
        assert np.abs(seen(shown) - seen(Image.fromarray(network.astype(np.uint8)))).mean() < CLOSE
    if name != "trns.png":
        assert network[:20, :20].min() > 240


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_alpha_that_hides_nothing(tmp_path: Path, format: str) -> None:
    """An opaque file with alpha goes out as it is at full size, so that an animation still moves."""
    path = tmp_path / f"a.{format.lower()}"
    frame = scene().transpose(Image.Transpose.ROTATE_180).convert("RGBA")
    path.write_bytes(encoded(scene().convert("RGBA"), format, save_all=True, append_images=[frame] * 2))
    assert not render(path, None).is_rendered
    assert not open_seen(path).is_see_through


# --- TIFF -------------------------------------------------------------------------------------------------------------


def whole_numbers(values: NDArray[np.uint8], bits: int) -> NDArray[Any]:
    """The values as whole numbers with so many bits."""
    dtype = np.uint8 if bits == 8 else np.uint16 if bits <= 16 else np.uint32
    scaled: NDArray[Any] = values.astype(np.uint64) * (2**bits - 1) // 255
    return scaled.astype(dtype)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("tile", [None, 32])
@pytest.mark.parametrize("is_packed", [False, True])
def test_either_order_and_either_size(
    tmp_path: Path, order: str, is_big: bool, tile: int | None, is_packed: bool
) -> None:
    """TIFF and BigTIFF open in either order of bytes, in strips and in tiles."""
    how: dict[str, Any] = {"compression": 8, "pack": zlib.compress} if is_packed else {}
    data = tiff(COLOURS, 8, order, is_big, photometric=2, tile=tile, rows=None if tile else 7, **how)
    check_seen(tmp_path / "a.tif", data, COLOURS)


@pytest.mark.parametrize(
    ("bits", "order"), [(4, ">"), (10, "<"), (12, "<"), (12, ">"), (14, ">"), (16, "<"), (16, ">")]
)
@pytest.mark.parametrize(("photometric", "is_planar"), [(0, False), (1, False), (1, True), (2, False), (2, True)])
def test_any_number_of_bits(tmp_path: Path, order: str, bits: int, photometric: int, is_planar: bool) -> None:
    """Grey and colours open with 1 to 16 bits, side by side and in planes, with zero as black or as white."""
    values = whole_numbers(COLOURS if photometric == 2 else GREY, bits)
    data = tiff(values, bits, order, photometric=photometric, planar=is_planar, rows=7)
    deep = windowed(values) if bits > 8 and photometric < 2 else COLOURS if photometric == 2 else GREY
    check_seen(tmp_path / "a.tif", data, 255 - deep if photometric == 0 else deep)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colours", [COLOURS, GREY])
@pytest.mark.parametrize("is_planar", [False, True])
def test_alpha_of_either_kind(
    tmp_path: Path, kind: int, bits: int, colours: NDArray[np.uint8], is_planar: bool
) -> None:
    """Alpha that is multiplied into the colours (1) or not (2) shows white where there is nothing, in grey too."""
    three = colours.reshape(60, 100, -1)
    stored = (three * (FADING / 255.0)).astype(np.uint8) if kind == 1 else three
    values = whole_numbers(np.concatenate([stored, FADING], axis=-1), bits)
    photometric = 2 if colours.ndim == 3 else 1
    for order in "<>":
        data = tiff(values, bits, order, photometric=photometric, extra=kind, planar=is_planar)
        check_seen(tmp_path / "a.tif", data, over_white(colours))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "u4", "u8"])
def test_figures(tmp_path: Path, order: str, dtype: str) -> None:
    """Floats, negative whole numbers and numbers of 64 bit are windowed."""
    values = (GREY.astype(np.float64) - (128 if dtype[0] == "i" else 0)).astype(dtype)
    kind = {"u": 1, "i": 2, "f": 3}[dtype[0]]
    check_seen(tmp_path / "a.tif", tiff(values, 8 * int(dtype[1]), order, kind=kind), windowed(values))


def test_colours_as_floats(tmp_path: Path) -> None:
    """The colours of a picture have one window together, so that none is lost."""
    values = (COLOURS / 255).astype(np.float32)
    check_seen(tmp_path / "a.tif", tiff(values, 32, kind=3, photometric=2), windowed(values))


def strip_of(picture: Image.Image, compression: str) -> bytes:
    """The bytes of a strip that libtiff makes of a grey picture."""
    data = encoded(picture, "TIFF", compression=compression, tiffinfo={278: picture.height})
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, TiffImageFile)
        (place,), (length,) = image.tag_v2[STRIPOFFSETS], image.tag_v2[279]
    return data[place : place + length]


@pytest.mark.parametrize(("compression", "code"), [("tiff_lzw", 5), ("packbits", 32773), ("tiff_adobe_deflate", 8)])
def test_packed_twice(tmp_path: Path, compression: str, code: int) -> None:
    """Values of 12 bits open when LZW or PackBits has compressed them."""
    values = whole_numbers(np.asarray(noise("L")), 12)

    def pack(data: bytes) -> bytes:
        rows = np.frombuffer(data, np.uint8).reshape(len(values), -1)
        return strip_of(Image.fromarray(rows), compression)

    data = tiff(values, 12, ">", photometric=0, compression=code, pack=pack)
    check_seen(tmp_path / "a.tif", data, 255 - windowed(values))


@pytest.mark.parametrize("order", "<>")
def test_differences(tmp_path: Path, order: str) -> None:
    """The predictors of TIFF, for whole numbers and for the bytes of floats, are undone."""
    whole = whole_numbers(COLOURS, 16)
    apart = np.diff(whole, axis=1, prepend=np.zeros((60, 1, 3), np.uint16))
    how: dict[str, Any] = {"compression": 8, "pack": zlib.compress}
    data = tiff(np.moveaxis(apart, -1, 0)[0], 16, order, photometric=0, more=((317, 3, (2,)),), **how)
    check_seen(tmp_path / "a.tif", data, 255 - windowed(whole[..., 0]))
    values = GREY.astype(np.float64)
    bytes_apart = values.astype(">f8").view(np.uint8).reshape(60, 100, 8).transpose(0, 2, 1).reshape(60, -1)
    stored = np.diff(bytes_apart, axis=1, prepend=np.zeros((60, 1), np.uint8)).astype(np.uint8)
    rows = stored.reshape(60, 800).copy().view("<f8" if order == "<" else ">f8").astype(np.float64)
    data = tiff(rows, 64, order, kind=3, more=((317, 3, (3,)),), **how)
    check_seen(tmp_path / "a.tif", data, windowed(values))


@pytest.mark.parametrize("orientation", [3, 6])
def test_odd_layouts_are_turned(tmp_path: Path, orientation: int) -> None:
    """A TIFF of an odd layout is turned as its tag says, like any other."""
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270}[orientation]
    for is_big in (False, True):
        data = tiff(whole_numbers(COLOURS, 12), 12, ">", is_big, photometric=2, more=((274, 3, (orientation,)),))
        check_seen(tmp_path / "a.tif", data, np.asarray(Image.fromarray(COLOURS).transpose(turn)))


@pytest.mark.parametrize("is_big", [False, True])
def test_damaged_layouts_are_refused_or_shown(tmp_path: Path, is_big: bool) -> None:
    """A damaged file is shown or refused with one sentence, whatever it holds."""
    data = np.frombuffer(tiff(whole_numbers(COLOURS, 12), 12, ">", is_big, photometric=2), np.uint8)
    random = np.random.default_rng(5)
    for _ in range(80):
        damaged = data.copy()
        damaged[random.integers(len(data) - 400, len(data), 3)] = random.integers(0, 256, 3)
        (tmp_path / "a.tif").write_bytes(damaged[: None if random.random() < 0.8 else -20].tobytes())
        try:
            assert open_upright(tmp_path / "a.tif").mode == "RGB"
        except UnreadableError as error:
            assert "\n" not in str(error)


# --- BMP --------------------------------------------------------------------------------------------------------------

MASKS = {
    "rgb": (0xFF, 0xFF00, 0xFF0000),
    "bgr": (0xFF0000, 0xFF00, 0xFF),
    "grb behind": (0xFF0000, 0xFF000000, 0xFF00),
    "ten": (0x3FF00000, 0xFFC00, 0x3FF),
    "rgba": (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    "argb": (0xFF00, 0xFF0000, 0xFF000000, 0xFF),
    "ten and two": (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000),
}
MASKS_OF_16 = {
    "565": (0xF800, 0x7E0, 0x1F),
    "565 from blue": (0x1F, 0x7E0, 0xF800),
    "555": (0x7C00, 0x3E0, 0x1F),
    "444": (0xF00, 0xF0, 0xF),
    "4444": (0xF00, 0xF0, 0xF, 0xF000),
}


@pytest.mark.parametrize("name", [*MASKS, *MASKS_OF_16])
@pytest.mark.parametrize(("header", "is_downwards"), [(40, False), (52, True), (124, False)])
def test_any_masks(tmp_path: Path, name: str, header: int, is_downwards: bool) -> None:
    """Masks may have any order and width; alpha counts if the header has its mask, as in browsers."""
    masks, bits = (MASKS[name], 32) if name in MASKS else (MASKS_OF_16[name], 16)
    has_alpha = len(masks) == 4 and header >= 56
    values = np.concatenate([COLOURS, FADING], axis=-1)
    steps = (*masks, 0)[3].bit_count()
    faded = np.round(FADING / 255.0 * (2**steps - 1)) / max(1, 2**steps - 1) if has_alpha else np.ones(FADING.shape)
    expected = (255 + (COLOURS - 255.0) * faded).astype(np.uint8)
    data = bmp(values[..., : len(masks)], masks, bits, header, BITFIELDS, is_downwards)
    check_seen(tmp_path / "a.bmp", data, expected)


def test_alpha_behind_a_short_header(tmp_path: Path) -> None:
    """Behind a short header, the compression alone says that there is a mask of alpha."""
    values = np.concatenate([COLOURS, FADING], axis=-1)
    data = bmp(values, MASKS["rgba"], 32, 40, ALPHA_BITFIELDS)
    check_seen(tmp_path / "a.bmp", data, over_white(COLOURS))


@pytest.mark.parametrize(
    ("header", "expected"), [(56, COLOURS), (108, over_white(COLOURS)), (124, over_white(COLOURS))]
)
def test_alpha_of_a_plain_bmp(tmp_path: Path, header: int, expected: NDArray[np.uint8]) -> None:
    """Without other masks, the mask of alpha counts in the longer headers alone, as in browsers."""
    values = np.concatenate([COLOURS, FADING], axis=-1)
    check_seen(tmp_path / "a.bmp", bmp(values, (*MASKS["bgr"], 0xFF000000), header=header, compression=0), expected)


def test_alpha_that_nobody_has_set(tmp_path: Path) -> None:
    """Alpha that is 0 everywhere means nothing, so the colours are shown."""
    values = np.concatenate([COLOURS, np.zeros_like(FADING)], axis=-1)
    check_seen(tmp_path / "a.bmp", bmp(values, MASKS["rgba"]), COLOURS)


def test_a_damaged_bmp_is_refused(tmp_path: Path) -> None:
    """A BMP that is cut off or has no masks is refused."""
    whole = bmp(COLOURS, MASKS["ten"], header=40)
    for data in (whole[:60], whole[:-1000], bmp(COLOURS, (0, 0, 0), header=40)):
        (tmp_path / "a.bmp").write_bytes(data)
        with pytest.raises(UnreadableError, match=r"^[^\n]+\.$"):
            open_upright(tmp_path / "a.bmp")

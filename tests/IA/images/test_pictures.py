"""Files to upright pictures, odd ones above all."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from IA.images import pictures
from IA.images.orientation import ORIENTATION, UPRIGHT
from IA.images.pictures import UnreadableError, open_upright
from IA.images.pixels import upright_pixels

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def red_corner(width_px: int = 40, height_px: int = 20) -> Image.Image:
    """A blue picture with a red quarter at the top left."""
    image = Image.new("RGB", (width_px, height_px), BLUE)
    image.paste(RED, (0, 0, width_px // 2, height_px // 2))
    return image


def is_close(pixel: object, colour: tuple[int, int, int]) -> bool:
    """Whether two pictures differ by no more than JPEG may change."""
    return isinstance(pixel, tuple) and all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


def as_stored(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as a camera would store it that was held another way."""
    undo = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turn = undo.get(orientation, UPRIGHT.get(orientation))
    return image if turn is None else image.transpose(turn)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_undone(tmp_path: Path, orientation: int, suffix: str) -> None:
    """All eight orientations come out upright, in every format that has them."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"a.{suffix}"
    as_stored(red_corner(), orientation).save(path, exif=exif)

    image = open_upright(path)

    assert image.size == (40, 20)
    assert is_close(image.getpixel((4, 4)), RED)
    assert is_close(image.getpixel((36, 4)), BLUE)
    assert is_close(image.getpixel((4, 16)), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LA", "RGBA", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    """Every mode becomes RGB of the same size."""
    path = tmp_path / "a.tif"
    red_corner().convert("L" if mode in ("I;16", "I", "F") else "RGB").convert(mode).save(path)

    image = open_upright(path)

    assert (image.mode, image.size) == ("RGB", (40, 20))
    assert image.getpixel((4, 4)) != image.getpixel((36, 16))


def test_cmyk_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    """A CMYK JPEG is converted, not inverted."""
    red_corner().convert("CMYK").save(tmp_path / "a.jpg")
    image = open_upright(tmp_path / "a.jpg")
    assert is_close(image.getpixel((4, 4)), RED)
    assert is_close(image.getpixel((36, 16)), BLUE)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparency_shows_white(tmp_path: Path, mode: str) -> None:
    """White paper shows where a picture is transparent, and not the colour hidden there."""
    path = tmp_path / ("a.png" if mode != "PA" else "a.tif")
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    if mode == "P":
        image = Image.new("P", (8, 8), 0)
        image.putpalette([0, 0, 0, 255, 0, 0])
        image.save(path, transparency=0)
    else:
        image.convert("LA" if mode == "LA" else "RGBA").save(path)
    assert open_upright(path).getpixel((4, 4)) == WHITE


def test_sixteen_bit_grey_is_windowed(tmp_path: Path) -> None:
    """Raw values in a narrow part of 16 bit are spread from black to white, whatever the outliers are."""
    values = np.linspace(1000, 1400, 10_000).astype(np.uint16).reshape(100, 100)
    values[0, 0] = 65535
    Image.fromarray(values).save(tmp_path / "a.png")
    grey = np.asarray(open_upright(tmp_path / "a.png"))[:, :, 0]
    assert grey[1, 0] < 10
    assert grey[99, 99] > 250
    assert 100 < grey[50, 50] < 156


def test_float_grey_survives_what_is_not_a_number(tmp_path: Path) -> None:
    """NaN and infinity do no harm in a float TIFF, even if there is nothing else."""
    values = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    values[3, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(tmp_path / "b.tif")
    grey = np.asarray(open_upright(tmp_path / "a.tif"))[:, :, 0]
    assert grey[3, 0] == grey[3, 2] == 0
    assert grey[3, 1] == 255
    assert open_upright(tmp_path / "b.tif").size == (4, 4)


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    """An animated GIF gives its first frame."""
    first, second = Image.new("RGB", (9, 9), RED), Image.new("RGB", (9, 9), BLUE)
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert is_close(open_upright(tmp_path / "a.gif").getpixel((4, 4)), RED)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_extreme_sizes_open(tmp_path: Path, size: tuple[int, int]) -> None:
    """A single pixel or a single line is a picture too, even if a scaled one is asked for."""
    Image.new("RGB", size, RED).save(tmp_path / "a.jpg")
    assert open_upright(tmp_path / "a.jpg", at_least_px=224).size == size


def test_hundred_megapixels_open(tmp_path: Path) -> None:
    """A large picture is decoded without a warning of Pillow's."""
    Image.new("1", (10_000, 10_000)).save(tmp_path / "a.png")
    assert open_upright(tmp_path / "a.png").size == (10_000, 10_000)


def test_more_than_the_limit_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size in the header decides, before any pixel is decoded."""
    monkeypatch.setattr(pictures, "MAX_PIXELS", 799)
    red_corner().save(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match="40 x 20 pixels"):
        open_upright(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("size", "at_least_px", "expected"),
    [
        ((800, 400), 100, (200, 100)),
        ((800, 400), 101, (400, 200)),
        ((800, 400), 1, (100, 50)),
        ((800, 400), 0, (100, 50)),
        ((800, 400), 401, (800, 400)),
        ((801, 403), 100, (201, 101)),
    ],
)
def test_jpeg_is_scaled_while_decoded(
    tmp_path: Path, size: tuple[int, int], at_least_px: int, expected: tuple[int, int]
) -> None:
    """A JPEG comes as small as a power of two allows, its short side never below what was asked."""
    red_corner(*size).save(tmp_path / "a.jpg")
    assert open_upright(tmp_path / "a.jpg", at_least_px).size == expected


def encoded(suffix: str) -> bytes:
    """A file of noise, which does not compress."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(buffer, suffix)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", ["jpeg", "png", "webp", "avif", "bmp", "gif", "tiff"])
def test_truncated_is_unreadable(tmp_path: Path, suffix: str) -> None:
    """A file that is cut off anywhere raises one kind of error, whose text is one sentence."""
    data = encoded(suffix)
    for length in (1, 9, 30, len(data) // 2):
        (tmp_path / "a").write_bytes(data[:length])
        with pytest.raises(UnreadableError) as raised:
            open_upright(tmp_path / "a")
        assert str(raised.value).endswith(".")
        assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize("suffix", ["jpeg", "png", "webp", "avif", "bmp", "gif", "tiff"])
def test_damage_never_surprises(tmp_path: Path, suffix: str) -> None:
    """Bytes overwritten anywhere give a picture or UnreadableError, never anything else."""
    random = np.random.default_rng(1)
    data = np.frombuffer(encoded(suffix), np.uint8)
    for _ in range(60):
        damaged = data.copy()
        damaged[random.integers(0, min(len(data), 200), 4)] = random.integers(0, 256, 4)
        (tmp_path / "a").write_bytes(damaged.tobytes())
        try:
            assert open_upright(tmp_path / "a").mode == "RGB"
        except UnreadableError:
            continue


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("at_least_px", [None, 60, 224])
def test_pixels_are_those_of_the_picture(tmp_path: Path, mode: str, orientation: int, at_least_px: int | None) -> None:
    """The fast decoder gives the same pixels as Pillow, apart from rounding."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    noise = np.random.default_rng(0).integers(0, 255, (12, 20, 3)).astype(np.uint8)
    picture = Image.fromarray(noise).resize((501, 375)).convert(mode)
    picture.save(tmp_path / "a.jpg", exif=exif, progressive=orientation == 1)
    pixels = upright_pixels(tmp_path / "a.jpg", at_least_px)
    expected = np.asarray(open_upright(tmp_path / "a.jpg", at_least_px))
    assert pixels.dtype == np.uint8
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).max() <= 2


def test_a_damaged_jpeg_is_judged_by_pillow(tmp_path: Path) -> None:
    """Pixels and picture agree on which files are unreadable, and why."""
    random = np.random.default_rng(2)
    data = np.frombuffer(encoded("jpeg"), np.uint8)
    for number in range(60):
        damaged = data[: len(data) if number % 2 else number * 20 + 2].copy()
        damaged[random.integers(0, len(damaged), 3)] = random.integers(0, 256, 3)
        (tmp_path / "a").write_bytes(damaged.tobytes())
        said = []
        for read in (open_upright, upright_pixels):
            try:
                said.append(str(np.asarray(read(tmp_path / "a")).shape))
            except UnreadableError as error:
                said.append(str(error))
        assert said[0] == said[1]


@pytest.mark.parametrize("content", [b"", b"not an image at all", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_image_is_unreadable(tmp_path: Path, content: bytes) -> None:
    """Empty, foreign and disallowed formats are unreadable, whatever their names."""
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableError):
        open_upright(tmp_path / "a.jpg")


def test_a_pipe_or_a_folder_is_unreadable(tmp_path: Path) -> None:
    """Whatever is not a regular file is refused without waiting for it."""
    os.mkfifo(tmp_path / "a.jpg")
    for path in (tmp_path / "a.jpg", tmp_path):
        with pytest.raises(UnreadableError, match="regular"):
            open_upright(path)


def test_a_file_that_went_away_is_not_unreadable(tmp_path: Path) -> None:
    """The file system's errors pass through, so that the caller can try again later."""
    with pytest.raises(FileNotFoundError):
        open_upright(tmp_path / "a.jpg")


def test_broken_exif_is_ignored(tmp_path: Path) -> None:
    """A picture whose EXIF block is rubbish is shown as it is stored."""
    red_corner().save(tmp_path / "a.jpg", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff rubbish")
    assert is_close(open_upright(tmp_path / "a.jpg").getpixel((4, 4)), RED)


def test_a_file_must_lie_where_it_should(tmp_path: Path) -> None:
    """The place of the open file counts, and not what its path says through links."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    red_corner().save(tmp_path / "out" / "a.png")
    red_corner().save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "out.png").symlink_to(tmp_path / "out" / "a.png")
    (tmp_path / "in" / "link.png").symlink_to("a.png")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    inside = (tmp_path / "in").resolve()
    for name in ("a.png", "link.png"):
        assert open_upright(tmp_path / "in" / name, inside=inside).size == (40, 20)
    for name in ("out.png", "folder/a.png", "../out/a.png"):
        assert open_upright(tmp_path / "in" / name).size == (40, 20)
        with pytest.raises(FileNotFoundError):
            open_upright(tmp_path / "in" / name, inside=inside)


def test_scans_are_counted_up_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Markers behind the end of a JPEG, as in a film, are no scans; a JPEG with too many true scans is refused."""
    buffer = io.BytesIO()
    red_corner(80, 80).save(buffer, "JPEG", progressive=True)
    monkeypatch.setattr(pictures, "MAX_SCANNED", 12 * 6400)
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue() + b"\xff\xda" * 1000)
    assert open_upright(tmp_path / "a.jpg").size == (80, 80)
    monkeypatch.setattr(pictures, "MAX_SCANNED", 5 * 6400)
    with pytest.raises(UnreadableError, match="10 scans"):
        open_upright(tmp_path / "a.jpg")


@pytest.mark.parametrize(("size", "expected"), [((6000, 4000), (750, 500)), ((30_000_000, 1), (15_000_000, 1))])
def test_a_large_picture_comes_smaller(tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    """A large picture that is no JPEG comes with few enough pixels to be sent between processes."""
    Image.new("1", size).save(tmp_path / "a.png")
    assert upright_pixels(tmp_path / "a.png", 224).shape == (expected[1], expected[0], 3)


def test_torch_is_not_imported() -> None:
    """The server's preview workers may use this module without torch in their memory."""
    code = "import sys, IA.images.pictures; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

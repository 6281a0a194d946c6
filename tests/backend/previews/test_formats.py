"""Formats: the person and the network see one and the same upright picture, whatever it is stored as."""

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from backend.images import listing
from backend.images.images import Images
from backend.images.listing import Listing, sentence_on_missing
from backend.previews.rendering import render
from backend.runs import checks
from backend.runs.checks import check_place
from config import Config, UsageError
from IA.dataset import Preprocessing, load
from IA.images.pictures import UnreadableError, open_upright, upright, upright_size_px
from IA.images.readers import windowing
from IA.images.readers.windowing import window_of, windowed
from IA.text import image_files
from tests.dicom_files import DEFLATED, JPEG_LS, dicom
from tests.serving import until

TOLERANCE = (
    8.0  # of 255, after JPEG on one side: on average over all of 8 x 8 parts; a wrong turn differs by more than 60
)
SIDE_PX = 256
SMALL = (8, 8)


def scene(width: int = 320, height: int = 200) -> Image.Image:
    """Four corners, none like another, in soft shades."""
    corners = np.array([[[230, 40, 40], [40, 200, 60]], [[50, 60, 220], [240, 230, 60]]], np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)


def deep(width: int = 320, height: int = 200) -> NDArray[np.float64]:
    """A scene in grey, of values as a microscope has them: few of a wide range."""
    return 1000.0 + np.asarray(scene(width, height).convert("L"), np.float64) * 4


def turned(orientation: int) -> bytes:
    """EXIF that says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def seen(picture: Image.Image) -> NDArray[np.float64]:
    """What the picture is from afar, (8, 8, 3)."""
    return np.asarray(picture.convert("RGB").resize(SMALL, Image.Resampling.BOX), np.float64)


def by_the_person(path: Path, size_px: int | None) -> Image.Image:
    """What a browser shows of what the server sends."""
    shown = render(path, size_px)
    return ImageOps.exif_transpose(Image.open(io.BytesIO(shown.content)))


def by_the_network(path: Path) -> Image.Image:
    """The network's tensor as a picture."""
    tensor = load(path, Preprocessing(SIDE_PX, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "area"))  # (3, H, W)
    return Image.fromarray(tensor.permute(1, 2, 0).contiguous().numpy())


def check_same(path: Path, expected: Image.Image | None = None) -> None:
    """Preview, picture in full size and tensor agree, with one another and with what they should be."""
    full = open_upright(path)
    with path.open("rb") as file:
        assert upright_size_px(file) == full.size
    network = seen(by_the_network(path))
    for size_px in (128, None):
        person = by_the_person(path, size_px)
        assert (person.width > person.height) == (full.width > full.height)
        assert np.abs(seen(person) - network).mean(axis=(0, 1)).max() < TOLERANCE
    if expected is not None:
        assert full.size == expected.size
        assert np.abs(network - seen(expected)).mean(axis=(0, 1)).max() < TOLERANCE


def upright_scene(orientation: int) -> Image.Image:
    """The scene as a person sees it who minds the orientation."""
    picture = scene()
    picture.info["exif"] = turned(orientation)
    return ImageOps.exif_transpose(picture)


# --- what Pillow reads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif"])
def test_every_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    """Turned and mirrored by EXIF, in all formats that know it: also the size, and the file as it is."""
    path = tmp_path / f"a{suffix}"
    scene().save(path, exif=turned(orientation))
    check_same(path, upright_scene(orientation))
    if suffix in {".png", ".webp", ".tif"} and orientation > 1:
        assert render(path, None).is_rendered  # not all browsers turn these


DEEP: dict[str, Callable[[], Image.Image]] = {
    "sixteen.png": lambda: Image.fromarray(deep().astype(np.uint16)),
    "sixteen.tif": lambda: Image.fromarray(deep().astype(np.uint16)),
    "thirty-two.tif": lambda: Image.fromarray(deep().astype(np.int32)),
    "float.tif": lambda: Image.fromarray((deep() / 1e6).astype(np.float32)),
    "below-zero.tif": lambda: Image.fromarray((deep() - 1500).astype(np.int32)),
    "vast.tif": lambda: Image.fromarray(((deep() - 1500) * 9e35).astype(np.float32)),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_grey(tmp_path: Path, name: str) -> None:
    """More than 8 bit of grey is windowed, likewise for person and network, in the preview and in full size."""
    path = tmp_path / name
    DEEP[name]().save(path)
    check_same(path, Image.fromarray(windowed(deep())))
    assert render(path, None).is_rendered
    assert np.asarray(open_upright(path)).min() < 5
    assert np.asarray(open_upright(path)).max() > 250
    assert open_upright(path).tobytes() == open_upright(path).tobytes()


def test_deep_grey_that_counts_from_white(tmp_path: Path) -> None:
    """A TIFF of 16 bit in which zero is white is no negative."""
    Image.fromarray(deep().astype(np.uint16)).save(tmp_path / "a.tif", tiffinfo={262: 0})
    check_same(tmp_path / "a.tif", ImageOps.invert(Image.fromarray(windowed(deep()))))


COLOURS: dict[str, Callable[[], Image.Image]] = {
    "print.tif": lambda: scene().convert("CMYK"),
    "print.jpg": lambda: scene().convert("CMYK"),
    "palette.png": lambda: scene().quantize(64),
    "palette.gif": lambda: scene().quantize(64),
    "grey.webp": lambda: scene().convert("L"),
    "one-bit.tif": lambda: scene().convert("1"),
    "one-bit.bmp": lambda: scene().convert("1"),
    "see-through.avif": lambda: see_through(),
    "see-through.webp": lambda: see_through(),
    "see-through.tif": lambda: see_through(),
}


def see_through() -> Image.Image:
    """The scene, and nothing in one of its corners."""
    picture = scene().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 100, 80))
    return picture


@pytest.mark.parametrize("name", COLOURS)
def test_colours(tmp_path: Path, name: str) -> None:
    """CMYK, palettes, one bit, and white where nothing is."""
    picture = COLOURS[name]()
    picture.save(tmp_path / name)
    expected = picture.convert("RGB")
    if picture.mode == "RGBA":
        expected.paste((255, 255, 255), (0, 0, 100, 80))
        person, network = by_the_person(tmp_path / name, 128), by_the_network(tmp_path / name)
        assert np.abs(seen(person) - seen(network)).mean(axis=(0, 1)).max() < TOLERANCE
        assert np.abs(seen(network) - seen(expected)).mean(axis=(0, 1)).max() < TOLERANCE
    else:
        check_same(tmp_path / name, expected)


def test_lab(tmp_path: Path) -> None:
    """A TIFF in L*a*b* shows the colours it means."""
    rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture = ImageCms.profileToProfile(scene(), rgb, lab, outputMode="LAB")
    if picture is None:
        pytest.fail("no picture was made")
    picture.save(tmp_path / "a.tif")
    expected = ImageCms.profileToProfile(picture, lab, rgb, outputMode="RGB")
    check_same(tmp_path / "a.tif", expected)


def test_the_first_page(tmp_path: Path) -> None:
    """Of a TIFF of pages the first is shown, and learnt."""
    others = [Image.new("RGB", (90, 300), "black")] * 3
    scene().save(tmp_path / "a.tif", save_all=True, append_images=others)
    check_same(tmp_path / "a.tif", scene())


def test_a_flood_before_the_header_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a decoder reads as a whole, to see its header, is refused by its size."""
    monkeypatch.setattr("IA.images.pictures.MAX_BOXED_BYTES", 2000)
    scene().save(tmp_path / "a.avif")
    with (tmp_path / "a.avif").open("ab") as file:
        file.truncate(2001)
    with pytest.raises(UnreadableError, match=r"more than 2,000 bytes\.$"):
        open_upright(tmp_path / "a.avif")


# --- windows ----------------------------------------------------------------------------------------------------------


def test_a_flat_picture_is_grey() -> None:
    """One value, or nothing that is a number, is neither black nor an error."""
    for value in (0, 30000):
        assert set(windowed(np.full((9, 9), value, np.uint16)).ravel()) == {windowing.FLAT}
    for nothing in (np.nan, np.inf):
        assert set(windowed(np.full((9, 9), nothing, np.float32)).ravel()) == {windowing.FLAT}


def test_few_bright_spots_on_black_are_seen() -> None:
    """Spots that are less than a percentile of the picture are not lost."""
    values = np.full((300, 300), 7, np.uint16)
    values[10:13, 10:13] = 5000
    grey = windowed(values)
    assert grey[11, 11] == 255
    assert np.bincount(grey.ravel()).argmax() == 0


def test_a_few_columns_do_not_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the percentiles are told from is spread over the picture, whatever its width."""
    monkeypatch.setattr(windowing, "WINDOW_PIXELS", 1000)
    values = np.tile(np.arange(100, dtype=np.uint16), (1000, 1))
    values[::2, 0] = 9
    low, high = window_of(values)
    assert low <= 1
    assert high >= 98


def test_in_strips_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is the same however it is cut for the computation."""
    values = deep().astype(np.uint16)
    whole = windowed(values, (1000.0, 1900.0), is_inverted=True)
    monkeypatch.setattr(windowing, "WINDOW_PIXELS", 1000)
    assert np.array_equal(windowed(values, (1000.0, 1900.0), is_inverted=True), whole)


# --- HEIC -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic(tmp_path: Path, orientation: int) -> None:
    """What phones write, turned as they hold it, is made into what browsers show."""
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    scene().save(tmp_path / "a.heic", "HEIF", exif=turned(orientation), quality=90)
    check_same(tmp_path / "a.heic", upright_scene(orientation))
    shown = render(tmp_path / "a.heic", None)
    assert (shown.is_rendered, shown.media_type) == (True, "image/jpeg")


def test_damaged_heic(tmp_path: Path) -> None:
    """Cut or overwritten anywhere: a picture, or one sentence."""
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    scene(64, 48).save(tmp_path / "a.heic", "HEIF")
    check_same(tmp_path / "a.heic", scene(64, 48))  # without EXIF
    check_damaged(tmp_path / "a.heic", always_refused=(12, 40, 0.5))


def check_damaged(path: Path, always_refused: tuple[float, ...]) -> None:
    """Cut to so many bytes, or to such a share, it is refused; overwritten it is refused or shown."""
    data = path.read_bytes()
    for length in always_refused:
        path.write_bytes(data[: int(length if length > 1 else length * len(data))])
        with pytest.raises(UnreadableError, match=r"^[^\n]+\.$"):
            open_upright(path)
    random = np.random.default_rng(3)
    for _ in range(40):
        damaged = np.frombuffer(data, np.uint8).copy()
        damaged[random.integers(0, min(len(data), 600), 4)] = random.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        try:
            assert open_upright(path).mode == "RGB"
        except UnreadableError as error:
            assert str(error).endswith(".")
            assert "\n" not in str(error)


# --- DICOM ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes such a file; skips where they are not read."""
    pytest.importorskip("pydicom")

    def write(*arguments: object, **figures: float | str) -> Path:
        path = tmp_path / "a.dcm"
        path.write_bytes(dicom(*arguments, **figures))  # type: ignore[arg-type]
        return path

    return write


def test_dicom_by_its_window(written: Callable[..., Path]) -> None:
    """Window centre and width, of what slope and intercept make of the stored values (PS3.3 C.11.2.1.2.1)."""
    values = deep().astype(np.uint16)
    path = written(values, slope=2, intercept=-1000, centre=1500, width=401)
    check_same(path)
    stored = np.clip((2.0 * values - 1000 - 1499.5) / 400 + 0.5, 0, 1) * 255
    assert np.abs(np.asarray(open_upright(path))[:, :, 0] - stored).max() <= 1
    narrow = written(values, centre=1500, width=11)
    stored = np.clip((values - 1499.5) / 10 + 0.5, 0, 1) * 255
    assert np.abs(np.asarray(open_upright(narrow))[:, :, 0] - stored).max() <= 1
    exact = written(values, centre=1500, width=400, function="LINEAR_EXACT")
    stored = np.clip((values - 1500.0) / 400 + 0.5, 0, 1) * 255
    assert np.abs(np.asarray(open_upright(exact))[:, :, 0] - stored).max() <= 1


def test_dicom_without_a_window(written: Callable[..., Path]) -> None:
    """The percentiles then, without what stands for no measurement; a width that makes no sense is none."""
    values = deep().astype(np.uint16)
    expected = Image.fromarray(windowed(values))
    check_same(written(values), expected)
    check_same(written(values, centre=1500, width=0), expected)
    values[:60] = 60000
    grey = np.asarray(open_upright(written(values, padding=60000)))[60:, :, 0]
    assert np.abs(grey.astype(int) - windowed(values[60:])).max() <= 1


def test_dicom_from_white_to_black(written: Callable[..., Path]) -> None:
    """MONOCHROME1 is inverted, and so is a slope below zero; both make it as it was."""
    values = deep().astype(np.uint16)
    plain = np.asarray(open_upright(written(values))).astype(int)
    for figures in ({"kind": "MONOCHROME1"}, {"slope": -1}):
        assert np.abs(np.asarray(open_upright(written(values, **figures))) + plain - 255).max() <= 1
    assert np.array_equal(np.asarray(open_upright(written(values, kind="MONOCHROME1", slope=-1))), plain)


def test_the_first_frame_of_dicom(written: Callable[..., Path]) -> None:
    """Of many frames the first is shown."""
    values = deep().astype(np.uint16)
    check_same(written(np.stack([values, values[::-1], values[:, ::-1]])), Image.fromarray(windowed(values)))


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [(DEFLATED, "deflated"), (JPEG_LS, "JPEG-LS"), ("1.2.3", "no decoder"), ("", "nothing that it names")],
)
def test_dicom_that_nothing_decodes(written: Callable[..., Path], syntax: str, reason: str) -> None:
    """Said by the header alone, in one sentence."""
    path = written(deep(32, 32).astype(np.uint16), syntax=syntax)
    for read in (upright, upright_size_px):
        with path.open("rb") as file, pytest.raises(UnreadableError, match=rf"^[^\n]*{reason}[^\n]*\.$"):
            read(file)


def test_other_files_stay_what_they_are(written: Callable[..., Path], tmp_path: Path) -> None:
    """Pillow, once it knows DICOM, opens all else as before."""
    open_upright(written(deep(9, 9).astype(np.uint16)))
    scene().save(tmp_path / "a.jp2", "JPEG2000")
    (tmp_path / "text").write_bytes(b"no picture at all" * 20)
    with Image.open(tmp_path / "a.jp2") as picture:
        assert picture.format == "JPEG2000"
    with pytest.raises(UnidentifiedImageError):
        Image.open(tmp_path / "text")


def test_large_dicom_is_refused_by_its_header(written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """As for all formats, before any pixel is decoded."""
    monkeypatch.setattr("IA.images.pictures.MAX_PIXELS", 63_999)
    with pytest.raises(UnreadableError, match="320 x 200 pixels"):
        open_upright(written(deep().astype(np.uint16)))


def test_damaged_dicom(written: Callable[..., Path]) -> None:
    """Cut or overwritten anywhere: a picture, or one sentence."""
    check_damaged(written(deep(32, 24).astype(np.uint16), slope=2, centre=1500, width=400), (100, 133, 150, 0.5))


# --- without the packages ---------------------------------------------------------------------------------------------


def test_a_format_whose_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the name of another format, it is unreadable, and what to install is said."""
    monkeypatch.setitem(image_files.EXTRA_PACKAGES, "heic", "no_such_package")
    monkeypatch.setitem(image_files.EXTRA_PACKAGES, "dicom", "no_such_package")
    contents = {"heic": b"\0\0\0\x18ftypheic" + bytes(200), "dicom": dicom(deep(9, 9).astype(np.uint16))}
    for extra, content in contents.items():
        (tmp_path / "a.jpg").write_bytes(content)
        with pytest.raises(UnreadableError, match=rf"^[^\n]*\[{extra}\]'\.$"):
            open_upright(tmp_path / "a.jpg")


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if none of them were installed."""
    missing = frozenset(image_files.EXTRA_SUFFIXES)
    monkeypatch.setattr(listing, "MISSING_SUFFIXES", missing)
    for module in (listing, checks):
        monkeypatch.setattr(module, "IMAGE_SUFFIXES", image_files.IMAGE_SUFFIXES - missing)


def lay(folder: Path, *names: str) -> Path:
    """Empty files."""
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"")
    return folder.resolve()


@pytest.mark.usefixtures("without_packages")
def test_images_that_take_a_package_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are left out, and one line says how many, and what to install."""
    datadir = lay(tmp_path / "data", "a.jpg", "b.HEIC", "c.heic", "d.dcm", ".hidden.dcm", "notes.txt")
    found = Listing(datadir)
    assert [path.name for path in found.walk(datadir)] == ["a.jpg"]
    assert found.missing == Counter({".heic": 2, ".dcm": 1})
    (tmp_path / "run").mkdir()
    images = Images(tmp_path / "run", datadir)
    images.start()
    try:
        until(lambda: not images.listing)
        assert images.present == 1
    finally:
        images.close()
    [line] = [record.message for record in caplog.records if "left out" in record.message]
    assert line.startswith("3 images that end in .dcm or .heic are left out: ")
    assert "[dicom,heic]'" in line


@pytest.mark.usefixtures("without_packages")
def test_a_folder_of_nothing_else_is_a_mistake(tmp_path: Path) -> None:
    """Nothing is started; the sentence says what to install."""
    datadir = lay(tmp_path / "data", "a.dcm")
    with pytest.raises(UsageError, match=r"1 image that ends in \.dcm is left out: [^\n]*\[dicom\]"):
        check_place(Config(run=tmp_path / "run", datadir=datadir))


def test_nothing_is_told_where_nothing_is_missing(tmp_path: Path) -> None:
    """A folder of usual images says no word."""
    found = Listing(lay(tmp_path / "data", "a.jpg", "b.avif"))
    assert len(list(found.walk(tmp_path / "data"))) == 2
    assert sentence_on_missing(found.missing) == ""

"""From images to tensors, and the threads that decode ahead."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from IA.dataset import MAX_SIZE_PX, RESIZES, Preprocessing, batches, load, normalise

GREY = (0.5, 0.5, 0.5)


def preprocessing(resize: str = "letterbox", size_px: int = 32) -> Preprocessing:
    """The preprocessing of a small network that pads with red."""
    return Preprocessing(size_px, mean=(1.0, 0.0, 0.0), std=GREY, resize=resize)


@pytest.mark.parametrize("resize", sorted(set(RESIZES) - {"area"}))
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (33, 31), (640, 480)])
def test_any_aspect_becomes_a_square(tmp_path: Path, resize: str, size: tuple[int, int]) -> None:
    """Images of any aspect ratio become (3, S, S) bytes."""
    Image.new("RGB", size).save(tmp_path / "a.jpg")
    image = load(tmp_path / "a.jpg", preprocessing(resize))
    assert (image.shape, image.dtype) == ((3, 32, 32), torch.uint8)


def test_letterbox_keeps_the_whole_image_and_its_aspect(tmp_path: Path) -> None:
    """A wide image keeps its ends, and has the mean colour above and below."""
    image = Image.new("RGB", (60, 30), "blue")
    image.paste((0, 255, 0), (0, 0, 10, 30))
    image.save(tmp_path / "a.png")
    square = load(tmp_path / "a.png", preprocessing())
    assert square[:, 3, 16].tolist() == square[:, 28, 16].tolist() == [255, 0, 0]
    assert square[:, 16, 1].tolist() == [0, 255, 0]
    assert square[:, 16, 30].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("size", "shape"),
    [((640, 480), (192, 256)), ((480, 640), (256, 192)), ((500, 500), (224, 224)), ((3000, 600), (128, 448))],
)
def test_area_keeps_the_aspect(tmp_path: Path, size: tuple[int, int], shape: tuple[int, int]) -> None:
    """The whole image fills a canvas of its aspect ratio and the area of the square; only a strip gets margins."""
    image = Image.new("RGB", size, "blue")
    image.paste((0, 255, 0), (0, 0, size[0] // 8, size[1]))
    image.save(tmp_path / "a.png")
    resized = load(tmp_path / "a.png", preprocessing("area", size_px=224))
    assert resized.shape[1:] == shape
    middle = shape[0] // 2
    assert resized[:, middle, 1].tolist() == [0, 255, 0]
    assert resized[:, middle, -1].tolist() == [0, 0, 255]
    assert resized[:, 0, -1].tolist() == ([255, 0, 0] if size[0] > 4 * size[1] else [0, 0, 255])


@pytest.mark.parametrize("size", [(20, 15), (255, 193), (640, 480), (900, 1203)])
def test_resizing_is_that_of_pillow(tmp_path: Path, size: tuple[int, int]) -> None:
    """Each byte equals Pillow's but for rounding, so that embeddings made with either may be mixed."""
    noise = np.random.default_rng(0).integers(0, 256, (13, 17, 3)).astype(np.uint8)
    picture = Image.fromarray(noise).resize(size)
    picture.save(tmp_path / "a.png")
    resized = load(tmp_path / "a.png", preprocessing("area", size_px=224)).permute(1, 2, 0)
    expected = picture.resize((resized.shape[1], resized.shape[0]), Image.Resampling.BICUBIC)
    difference = np.abs(resized.numpy().astype(int) - np.asarray(expected))
    assert difference.max() <= 2
    assert difference.mean() < 0.1


def test_images_of_one_shape_are_stacked(tmp_path: Path) -> None:
    """Upright and wide images of one batch come as two stacks, with the place of each image."""
    for number, size in enumerate([(64, 32), (32, 64), (64, 32)]):
        Image.new("RGB", size).save(tmp_path / f"{number}.png")
    [(stacks, unreadable)] = batches(sorted(tmp_path.glob("*.png")), preprocessing("area", 64), 8, workers=2)
    shapes = {tuple(places): images.shape for places, images in stacks}
    assert shapes == {(0, 2): (2, 3, 32, 96), (1,): (1, 3, 96, 32)}
    assert unreadable == []


def test_crop_keeps_the_middle(tmp_path: Path) -> None:
    """The largest square in the middle fills the tensor; only its last line may blend with the parts cut off."""
    image = Image.new("RGB", (90, 30), "blue")
    image.paste((0, 255, 0), (30, 0, 60, 30))
    image.save(tmp_path / "a.png")
    square = load(tmp_path / "a.png", preprocessing("crop"))
    assert (square[:, :, 2:-2] == torch.tensor([0, 255, 0])[:, None, None]).all()


def test_normalise_brings_bytes_to_the_scale_of_the_network() -> None:
    """With a mean and deviation of a half, a byte x becomes (x - 127.5) / 127.5."""
    images = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    normalised = normalise(images, Preprocessing(16, GREY, GREY))
    assert normalised.dtype == torch.float32
    torch.testing.assert_close(normalised, (images.float() - 127.5) / 127.5, rtol=0, atol=1e-6)


def test_preprocessing_survives_the_checkpoint() -> None:
    """A preprocessing survives the way to built-in types and back."""
    kept = preprocessing().as_dict()
    assert kept == {"size_px": 32, "mean": [1.0, 0.0, 0.0], "std": [0.5, 0.5, 0.5], "resize": "letterbox"}
    assert Preprocessing.from_dict(kept) == preprocessing()


@pytest.mark.parametrize(
    "change",
    [
        {"size_px": 0},
        {"size_px": MAX_SIZE_PX + 1},
        {"size_px": 32.0},
        {"size_px": True},
        {"mean": [0.5, 0.5]},
        {"mean": None},
        {"std": [0.5, 0.5, 0.0]},
        {"std": [0.5, 0.5, float("nan")]},
        {"std": ["a", "b", "c"]},
        {"resize": "fold"},
        {"resize": []},
    ],
)
def test_senseless_preprocessing_is_refused(change: dict[str, object]) -> None:
    """Impossible values, which may come from a file, raise ValueError."""
    with pytest.raises(ValueError):
        Preprocessing.from_dict(preprocessing().as_dict() | change)


def test_missing_preprocessing_is_refused() -> None:
    """A missing key raises ValueError."""
    with pytest.raises(ValueError, match="preprocessing"):
        Preprocessing.from_dict({"size_px": 32})


@pytest.mark.parametrize("batch_size", [1, 5, 12, 100])
def test_batches_tell_about_every_path_in_order(images_folder: Path, batch_size: int) -> None:
    """Each path is among the good or the unreadable images of its batch, with its own pixels."""
    paths = sorted(images_folder.glob("*/*.png"))
    paths[3:3] = [images_folder / "gone.png"]
    (images_folder / "torn.png").write_bytes(b"torn")
    paths.append(images_folder / "torn.png")

    good: dict[int, torch.Tensor] = {}
    unreadable: dict[int, str] = {}
    for number, (stacks, bad) in enumerate(batches(paths, preprocessing(), batch_size, workers=2)):
        assert len(stacks) <= 1
        for places, images in stacks:
            assert images.shape == (len(places), 3, 32, 32)
            assert all(place // batch_size == number for place in places)
            good.update(zip(places, images, strict=True))
        assert all(place // batch_size == number for place, _ in bad)
        unreadable.update(bad)

    assert sorted([*good, *unreadable]) == list(range(14))
    assert unreadable == {
        3: "It cannot be read: No such file or directory.",
        13: "It is not an image of a known format.",
    }
    assert all(torch.equal(image, load(paths[place], preprocessing())) for place, image in good.items())


def test_no_paths_no_batches() -> None:
    """An empty list of paths gives no batch."""
    assert list(batches([], preprocessing(), 4, workers=1)) == []


def test_a_name_that_no_file_can_have_is_unreadable() -> None:
    """A name with a zero byte is one unreadable image."""
    [(stacks, unreadable)] = batches([Path("a\0b.png")], preprocessing(), 4, workers=1)
    assert (stacks, len(unreadable)) == ([], 1)


def test_closing_early_ends_the_threads(images_folder: Path) -> None:
    """Closing the generator waits only for the images that are being decoded."""
    paths = sorted(images_folder.glob("*/*.png")) * 50
    several = batches(paths, preprocessing(), 4, workers=2)
    next(several)
    several.close()
    for thread in threading.enumerate():
        if thread.name.startswith("decode"):
            thread.join(10)
            assert not thread.is_alive()


def test_decoding_runs_little_ahead(images_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the list, only about two batches are decoded ahead of the caller."""
    decoded: list[Path] = []

    def count(path: Path, _: Preprocessing, inside: Path | None) -> torch.Tensor:
        decoded.append(path)
        return torch.from_numpy(np.zeros((3, 32, 32), np.uint8))

    monkeypatch.setattr("IA.dataset.load", count)
    several = batches([images_folder / "any"] * 1000, preprocessing(), 4, workers=2)
    next(several)
    several.close()
    assert len(decoded) <= 8

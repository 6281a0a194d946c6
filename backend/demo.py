"""Demo: a folder of drawn pictures, made on the spot, 8 % of which hold a golden star."""

import csv
import math
import random
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

COUNT = 640
POSITIVE_SHARE = 0.08
SIZES_PX = ((400, 300), (300, 400), (360, 360), (480, 270))
SUFFIXES = (".jpg", ".jpg", ".jpg", ".png", ".webp")
GOLD = ((255, 205, 30), (250, 190, 20), (255, 220, 70))

Colour = tuple[int, int, int]
Point = tuple[float, float]


def make(folder: Path, count: int = COUNT, seed: int = 7) -> None:
    """Make the pictures, and beside them `truth.csv` (path, label).

    The folder appears as a whole or not at all, so that nobody takes an interrupted one for finished.

    Args:
        folder: where the pictures go; a folder that exists, or that another start makes meanwhile, stays as it is.
        count: how many pictures; 8 % of them are positive.
        seed: the same seed makes the same pictures.

    Raises:
        OSError: the folder cannot be written.
    """
    chance = random.Random(seed)
    positives = set(chance.sample(range(count), round(POSITIVE_SHARE * count)))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        made = Path(temporary) / folder.name
        rows = [_save(made, number, number in positives, chance) for number in range(count)]
        with (made / "truth.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("path", "label"), *rows])
        _appear(made, folder)


def _appear(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # A folder there means that another start was faster.
            raise


def _save(folder: Path, number: int, is_positive: bool, chance: random.Random) -> tuple[str, str]:
    path = Path(f"album {number // 80 + 1}") / f"picture {number:04d}{chance.choice(SUFFIXES)}"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    picture = draw_picture(is_positive, chance)
    picture.save(folder / path, quality=88, compress_level=1, method=0)  # PNG and WebP: quick rather than small
    return path.as_posix(), "positive" if is_positive else "negative"


def draw_picture(is_positive: bool, chance: random.Random) -> Image.Image:
    """One picture: a cluttered background, some shapes, and a golden star if it is positive."""
    width, height = chance.choice(SIZES_PX)
    image = _background(width, height, chance)
    draw = ImageDraw.Draw(image)
    for _ in range(chance.randint(10, 24)):
        _draw_shape(draw, (chance.uniform(0, width), chance.uniform(0, height)), chance.uniform(8, 60), chance)
    if is_positive:
        radius = chance.uniform(0.16, 0.3) * min(width, height)
        centre = (chance.uniform(radius, width - radius), chance.uniform(radius, height - radius))
        points = _star(centre, radius, chance.uniform(0, math.tau))
        draw.polygon(points, fill=chance.choice(GOLD), outline=(120, 70, 0), width=3)
    return image


def _background(width: int, height: int, chance: random.Random) -> Image.Image:
    """A soft gradient between a few random colours, with some grain."""
    coarse = Image.new("RGB", (4, 3))
    coarse.putdata([_colour(chance) for _ in range(12)])
    smooth = coarse.resize((width, height), Image.Resampling.BICUBIC)
    half = (width // 2, height // 2)
    grain = Image.frombytes("L", half, chance.randbytes(half[0] * half[1])).convert("RGB")
    return Image.blend(smooth, grain.resize((width, height)), chance.uniform(0.03, 0.12))


def _draw_shape(draw: ImageDraw.ImageDraw, centre: Point, radius: float, chance: random.Random) -> None:
    """A circle, a rectangle, a polygon or a line of any colour: never a star."""
    (x, y), colour = centre, _colour(chance)
    kind = chance.choice(("circle", "ring", "rectangle", "polygon", "polygon", "line"))
    box = (x - radius, y - radius * 0.8, x + radius, y + radius * 0.8)
    if kind == "circle":
        draw.ellipse(box, fill=colour)
    elif kind == "ring":
        draw.ellipse(box, outline=colour, width=5)
    elif kind == "rectangle":
        draw.rectangle(box, fill=colour, outline=_colour(chance), width=2)
    elif kind == "line":
        draw.line((x, y, x + chance.uniform(-150, 150), y + chance.uniform(-150, 150)), fill=colour, width=6)
    else:
        turn, corners = chance.uniform(0, math.tau), chance.randint(3, 6)
        draw.polygon([_around(centre, radius, turn + math.tau * n / corners) for n in range(corners)], fill=colour)


def _star(centre: Point, radius: float, turn: float) -> list[Point]:
    return [_around(centre, radius if n % 2 == 0 else 0.42 * radius, turn + math.pi * n / 5) for n in range(10)]


def _around(centre: Point, radius: float, angle: float) -> Point:
    return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


def _colour(chance: random.Random) -> Colour:
    return chance.randint(20, 235), chance.randint(20, 235), chance.randint(20, 235)

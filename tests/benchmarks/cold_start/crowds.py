"""Class folders of drawn pictures for simulations: many small classes, of which some are crowds.

`python -m tests.benchmarks.cold_start.crowds OUT [--classes 100] [--images 30] [--seed 0]` writes
OUT/<class>/<number>.jpg and prints a table of the classes. The positives of one class are 1 % of the images. A crowd is
a class whose pictures are all alike and which lies among classes that look much like it, such as one digit in nearly
the same pose among other digits: an order that looks for what is far from everything seen comes to it late.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

DRAWN_PX = 320
SAVED_PX = 160
SPREADS = {"tight": 0.06, "narrow": 0.3, "wide": 1.0}
COLOURS = {
    "red": (200, 40, 40),
    "orange": (235, 140, 30),
    "yellow": (235, 210, 50),
    "green": (50, 150, 70),
    "teal": (30, 150, 160),
    "blue": (40, 80, 190),
    "purple": (130, 60, 170),
    "brown": (120, 80, 50),
}
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LETTERS = "ABDEFGHJKLMNPQRSTUXYZ"
SHAPES = {"triangle": 3, "diamond": 4, "pentagon": 5, "hexagon": 6, "octagon": 8, "disc": 40}
STARS = {"four pointed star": 4, "star": 5, "six pointed star": 6, "sun": 12}
PATTERNS = ("stripes", "checks", "dots", "rings", "zigzags", "bricks")
TEXTURES = ("clouds", "wood", "sand", "water", "marble", "fur", "grass")
SCENES = ("house", "sailing boat", "tree", "face", "fish", "flower", "car", "mountains")
CHARACTERS = 24

Random = np.random.Generator
Draw = Callable[[Random, float], Image.Image]


@dataclass(frozen=True)
class Kind:
    """A class of pictures: its folder, the family that it has its neighbours in, how much its pictures differ."""

    name: str
    family: str
    spread: str
    draw: Draw

    def picture(self, random: Random) -> Image.Image:
        """A picture of this class, SAVED_PX on each side."""
        return self.draw(random, SPREADS[self.spread]).resize((SAVED_PX, SAVED_PX), Image.Resampling.LANCZOS)


def kinds(classes: int, seed: int) -> list[Kind]:
    """So many classes, the same ones for the same seed; each family has classes of every spread.

    Args:
        classes: how many; beyond the number of names, names come again with a number.
        seed: of the parameters of each class.
    """
    random = np.random.default_rng(seed)
    names: dict[str, int] = {}
    found: list[Kind] = []
    for family, name, make in _in_turn(classes):
        names[name] = names.get(name, 0) + 1
        unique = name if names[name] == 1 else f"{name} {names[name]}"
        spread = list(SPREADS)[sum(kind.family == family for kind in found) % len(SPREADS)]
        found.append(
            Kind(unique.replace(" ", "_"), family, spread, make(np.random.default_rng(random.integers(2**32))))
        )
    return found


def _in_turn(classes: int) -> Iterator[tuple[str, str, Callable[[Random], Draw]]]:
    """Families in turn, each with its next name, so that any number of classes has all families."""
    families: dict[str, list[tuple[str, Callable[[Random], Draw]]]] = {
        "characters": [(f"rune {number + 1}", _character) for number in range(CHARACTERS)],
        "digits": [(f"digit {name}", _glyph(str(number))) for number, name in enumerate(DIGITS)],
        "letters": [(f"letter {letter.lower()}", _glyph(letter)) for letter in LETTERS],
        "shapes": [(name, _shape(sides, 1)) for name, sides in SHAPES.items()]
        + [(name, _shape(points, 0.45)) for name, points in STARS.items()],
        "patterns": [(name, _pattern(name)) for name in PATTERNS],
        "textures": [(name, _texture(name)) for name in TEXTURES],
        "scenes": [(name, _scene(name)) for name in SCENES],
    }
    order = ["characters", "letters", "digits", "characters", "shapes", "patterns", "letters", "textures", "scenes"]
    used = dict.fromkeys(families, 0)
    for number in range(classes):
        family = order[number % len(order)]
        name, make = families[family][used[family] % len(families[family])]
        used[family] += 1
        yield family, name, make


def _around(random: Random, middle: float, width: float) -> float:
    return float(random.normal(middle, width))


def _colour(random: Random, colour: tuple[int, ...], spread: float) -> tuple[int, ...]:
    """This colour, moved by up to some 60 levels at spread 1."""
    return tuple(int(value) for value in np.clip(np.asarray(colour) + random.normal(0, 60 * spread, 3), 0, 255))


def _any_colour(own: Random) -> tuple[int, ...]:
    return list(COLOURS.values())[own.integers(len(COLOURS))]


def _posed(picture: Image.Image, random: Random, spread: float, ground: tuple[int, ...]) -> Image.Image:
    """The picture turned, scaled and moved by as much as the spread allows, with grain."""
    angle, scale = np.deg2rad(_around(random, 0, 14 * spread)), np.exp(_around(random, 0, 0.25 * spread))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale
    turn[0, 1] += _around(random, 0, 0.15 * spread)
    middle = np.full(2, DRAWN_PX / 2)
    moved = middle - turn @ (middle + random.normal(0, 0.09 * DRAWN_PX * spread, 2))
    data = (turn[0, 0], turn[0, 1], moved[0], turn[1, 0], turn[1, 1], moved[1])
    placed = picture.transform(
        (DRAWN_PX, DRAWN_PX), Image.Transform.AFFINE, data, Image.Resampling.BICUBIC, fillcolor=ground
    )
    pixels = np.asarray(placed) + random.normal(0, 3 + 8 * spread, (DRAWN_PX, DRAWN_PX, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _sheet(colour: tuple[int, ...]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (DRAWN_PX, DRAWN_PX), colour)
    return sheet, ImageDraw.Draw(sheet)


def _character(own: Random) -> Draw:
    """A character of an alphabet that nobody knows: strokes of ink on paper."""
    strokes = [own.uniform(0.2, 0.8, (4, 2)) for _ in range(own.integers(2, 5))]

    def draw(random: Random, spread: float) -> Image.Image:
        paper, ink = _colour(random, (238, 236, 230), 0.1), _colour(random, (30, 30, 40), 0.2 * spread)
        sheet, pen = _sheet(paper)
        width = int(np.clip(_around(random, 11, 4 * spread), 5, 22))
        for stroke in strokes:
            points = (stroke + random.normal(0, 0.05 * spread, stroke.shape)) * DRAWN_PX
            line = [(float(x), float(y)) for x, y in _curve(points)]
            pen.line(line, fill=ink, width=width, joint="curve")
        return _posed(sheet, random, 0.6 * spread, paper)

    return draw


def _curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A cubic Bezier curve (25, 2) with these control points (4, 2)."""
    t = np.linspace(0, 1, 25)[:, None]
    a, b, c, d = points
    curve: NDArray[np.float64] = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return curve


def _glyph(text: str) -> Callable[[Random], Draw]:
    """A digit or a letter, light on dark or dark on light, as on labels and plates."""

    def make(own: Random) -> Draw:
        size, bold = int(own.integers(190, 230)), int(own.integers(0, 5))

        def draw(random: Random, spread: float) -> Image.Image:
            dark, light = (25, 25, 30), (235, 235, 235)
            swapped = random.random() < 0.5 * min(1, 2 * spread) - 0.1
            ground = _colour(random, light if swapped else dark, 0.4 * spread)
            sheet, pen = _sheet(ground)
            stroke = max(0, bold + round(_around(random, 0, 3 * spread)))
            middle = (DRAWN_PX / 2, DRAWN_PX / 2)
            ink = _colour(random, dark if swapped else light, 0.4 * spread)
            font = ImageFont.load_default(size)
            pen.text(middle, text, fill=ink, font=font, anchor="mm", stroke_width=stroke, stroke_fill=ink)
            return _posed(sheet, random, spread, ground)

        return draw

    return make


def _shape(points: int, inner: float) -> Callable[[Random], Draw]:
    """A polygon, or a star when the inner radius is below 1, in its colour on a plain ground."""

    def make(own: Random) -> Draw:
        colour, ground, radius = _any_colour(own), _any_colour(own), own.uniform(0.2, 0.36)

        def draw(random: Random, spread: float) -> Image.Image:
            behind = _colour(random, tuple(value // 3 + 150 for value in ground), 0.6 * spread)
            sheet, pen = _sheet(behind)
            count = 2 * points if inner < 1 else points
            angles = np.arange(count) * 2 * np.pi / count - np.pi / 2 + _around(random, 0, 0.5 * spread)
            radii = np.where(np.arange(count) % 2, radius * inner, radius) if inner < 1 else np.full(count, radius)
            radii = radii * (1 + random.normal(0, 0.04 * spread, count))
            places = DRAWN_PX * (0.5 + np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1))
            pen.polygon([(float(x), float(y)) for x, y in places], fill=_colour(random, colour, 0.6 * spread))
            return _posed(sheet, random, spread, behind)

        return draw

    return make


def _pattern(name: str) -> Callable[[Random], Draw]:
    """Something that repeats over the whole picture, in two colours."""

    def make(own: Random) -> Draw:
        period, angle = own.uniform(28, 70), own.uniform(0, np.pi)
        first, second = _any_colour(own), _any_colour(own)

        def draw(random: Random, spread: float) -> Image.Image:
            x, y = _turned(angle + _around(random, 0, 0.4 * spread))
            step = period * np.exp(_around(random, 0, 0.25 * spread))
            u, v = x / step + random.uniform(0, spread), y / step + random.uniform(0, spread)
            row = np.floor(v)
            level = {
                "stripes": (u % 1) < 0.5,
                "checks": (np.floor(u) + row) % 2 == 0,
                "dots": np.hypot(u % 1 - 0.5, v % 1 - 0.5) < 0.32,
                "rings": (np.hypot(u, v) % 1) < 0.5,
                "zigzags": ((u + np.abs(v % 2 - 1)) % 1) < 0.5,
                "bricks": (((u / 2 + 0.5 * (row % 2)) % 1) > 0.08) & ((v % 1) > 0.14),
            }[name]
            light = tuple(value // 4 + 190 for value in second)
            colours = _colour(random, light, 0.6 * spread), _colour(random, first, 0.6 * spread)
            pixels = np.where(level[..., None], np.asarray(colours[1]), np.asarray(colours[0])).astype(np.uint8)
            return _posed(Image.fromarray(pixels), random, 0.1 * spread, colours[0])

        return draw

    return make


def _turned(angle: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of all pixels around the middle, in a system that is turned by this angle."""
    y, x = np.mgrid[:DRAWN_PX, :DRAWN_PX] - DRAWN_PX / 2
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _texture(name: str) -> Callable[[Random], Draw]:
    """Filtered noise: its grain along and across, and two colours that it runs between."""
    along, across, dark, light = {
        "clouds": (40, 25, (90, 140, 210), (245, 245, 250)),
        "wood": (160, 4, (90, 55, 30), (200, 150, 100)),
        "sand": (2, 2, (170, 140, 95), (235, 210, 165)),
        "water": (50, 7, (20, 70, 110), (150, 205, 225)),
        "marble": (30, 10, (110, 110, 115), (245, 245, 240)),
        "fur": (14, 2, (60, 45, 35), (190, 165, 135)),
        "grass": (18, 2, (30, 80, 25), (150, 200, 90)),
    }[name]

    def make(own: Random) -> Draw:
        angle, tint = own.uniform(0, 180), own.normal(0, 20, 3)

        def draw(random: Random, spread: float) -> Image.Image:
            grain = np.exp(_around(random, 0, 0.3 * spread))
            size = (max(2, int(480 / (along * grain) * 2)), max(2, int(480 / (across * grain) * 2)))
            noise = Image.fromarray(random.normal(128, 60, size[::-1]).clip(0, 255).astype(np.uint8))
            wide = noise.resize((480, 480), Image.Resampling.BICUBIC).rotate(angle + _around(random, 0, 30 * spread))
            share = np.asarray(wide.crop((80, 80, 400, 400)))[..., None] / 255
            shades = [np.asarray(_colour(random, colour, 0.4 * spread)) + tint for colour in (dark, light)]
            pixels = np.clip(shades[0] * (1 - share) + shades[1] * share, 0, 255).astype(np.uint8)
            return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(1))

        return draw

    return make


def _scene(name: str) -> Callable[[Random], Draw]:
    """A thing as a child draws it, before a sky and a ground."""

    def make(own: Random) -> Draw:
        body, roof = _any_colour(own), _any_colour(own)

        def draw(random: Random, spread: float) -> Image.Image:
            sky = _colour(random, (160, 205, 240), 0.4 * spread)
            sheet, pen = _sheet(sky)
            ground = (40, 100, 170) if name in ("sailing boat", "fish") else (110, 165, 80)
            level = int(_around(random, 215, 20 * spread)) if name != "fish" else 0
            pen.rectangle((0, level, DRAWN_PX, DRAWN_PX), fill=_colour(random, ground, 0.4 * spread))
            _thing(name, pen, _colour(random, body, 0.5 * spread), _colour(random, roof, 0.5 * spread))
            return _posed(sheet, random, 0.7 * spread, sky)

        return draw

    return make


def _thing(name: str, pen: ImageDraw.ImageDraw, body: tuple[int, ...], roof: tuple[int, ...]) -> None:
    """Draw this thing in the middle of the sheet."""
    dark, light = (40, 35, 35), (245, 240, 225)
    match name:
        case "house":
            pen.rectangle((95, 150, 225, 250), fill=body)
            pen.polygon([(80, 150), (160, 80), (240, 150)], fill=roof)
            pen.rectangle((145, 195, 175, 250), fill=dark)
        case "sailing boat":
            pen.polygon([(80, 215), (240, 215), (210, 255), (110, 255)], fill=body)
            pen.polygon([(165, 60), (165, 205), (240, 205)], fill=light)
            pen.polygon([(155, 80), (155, 205), (95, 205)], fill=roof)
        case "tree":
            pen.rectangle((147, 170, 173, 265), fill=(95, 65, 40))
            for x, y in ((160, 110), (125, 145), (195, 145)):
                pen.ellipse((x - 48, y - 48, x + 48, y + 48), fill=(45, 120, 55))
        case "face":
            pen.ellipse((85, 70, 235, 250), fill=(235, 195, 165), outline=dark, width=4)
            pen.pieslice((85, 60, 235, 200), 180, 360, fill=body)
            for x in (130, 190):
                pen.ellipse((x - 9, 145, x + 9, 163), fill=dark)
            pen.arc((120, 160, 200, 225), 20, 160, fill=(160, 40, 50), width=7)
        case "fish":
            pen.ellipse((75, 115, 215, 205), fill=body)
            pen.polygon([(205, 160), (260, 110), (260, 210)], fill=roof)
            pen.ellipse((105, 140, 121, 156), fill=light, outline=dark, width=4)
        case "flower":
            pen.line((160, 160, 160, 290), fill=(50, 120, 50), width=9)
            for angle in np.arange(8) * np.pi / 4:
                x, y = 160 + 45 * np.cos(angle), 130 + 45 * np.sin(angle)
                pen.ellipse((x - 25, y - 25, x + 25, y + 25), fill=body)
            pen.ellipse((135, 105, 185, 155), fill=(240, 200, 60))
        case "car":
            pen.rounded_rectangle((60, 170, 260, 230), 18, fill=body)
            pen.polygon([(100, 172), (125, 125), (200, 125), (228, 172)], fill=light)
            for x in (105, 215):
                pen.ellipse((x - 24, 206, x + 24, 254), fill=dark)
        case _:
            for x, top in ((70, 110), (160, 60), (250, 120)):
                pen.polygon([(x - 110, 235), (x, top), (x + 110, 235)], fill=(110, 105, 115))
                pen.polygon([(x - 26, top + 40), (x, top), (x + 26, top + 40)], fill=light)


def main() -> None:
    """Write the folders and print a table of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--images", type=int, default=30, help="of each class")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.stdout.write("| class | family | spread |\n|---|---|---|\n")
    for number, kind in enumerate(kinds(given.classes, given.seed)):
        folder = given.out / kind.name
        folder.mkdir(parents=True, exist_ok=True)
        for image in range(given.images):
            random = np.random.default_rng((given.seed, number, image))
            kind.picture(random).save(folder / f"{image}.jpg", quality=90)
        sys.stdout.write(f"| {kind.name} | {kind.family} | {kind.spread} |\n")


if __name__ == "__main__":
    main()

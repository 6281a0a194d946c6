"""Tiles of a camera that does not move, as near duplicates: python -m tests.benchmarks.still_camera [--areas 10].

Frames are made on the spot: a background of leaves and shadows that stays, the noise of a sensor and a brightness that
drifts by a few percent, as JPEG of quality 90. In one of so many tiles something lies that was not there before. The
network and the search for near duplicates are those of a run. What counts is how many questions the tiles become, and
how often one question stands for a tile with the thing and for one without.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from config import DEFAULT_NETWORK
from IA.duplicates.finder import DuplicateFinder
from IA.embedding.cache import Embeddings
from IA.embedding.embedder import Embedder
from IA.images.tiles import Grid
from IA.pool.pool import Pool
from IA.protocol.files import DUPLICATES
from IA.protocol.pickle_file import read

TILE_PX = 320
SENSOR = 5.0  # standard deviation of the noise, of 255
DRIFT = 0.04  # of the brightness, either way
OCTAVES = (4, 10, 25, 60, 160, 400)
Frame = NDArray[np.float32]


def background(grid: Grid, dice: np.random.Generator) -> Frame:
    """Coloured noise of all sizes, (H, W, 3), mostly between 40 and 215."""
    size = grid.columns * TILE_PX, grid.rows * TILE_PX
    whole = np.zeros((size[1], size[0], 3), np.float32)
    for cells in OCTAVES:
        coarse = dice.integers(0, 256, (cells, cells * size[0] // size[1], 3), dtype=np.uint8)
        whole += np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.float32) - 128
    spread: Frame = 128 + 40 * whole / whole.std()
    return spread


def put(frame: Frame, column: int, row: int, area: float, stands_out: float, dice: np.random.Generator) -> None:
    """Lay an ellipse of so much of a tile's area into the tile, so much lighter or darker than what it hides."""
    aspect = dice.uniform(0.6, 1.6)
    height = TILE_PX * (area * 4 / np.pi / aspect) ** 0.5
    width = height * aspect
    left, top = (dice.uniform(0, TILE_PX - side) for side in (width, height))
    mask = Image.new("L", (TILE_PX, TILE_PX))
    ImageDraw.Draw(mask).ellipse((left, top, left + width, top + height), fill=255)
    inside = np.asarray(mask) > 0
    place = frame[row * TILE_PX : (row + 1) * TILE_PX, column * TILE_PX : (column + 1) * TILE_PX]
    mean = place[inside].mean(0)
    place[inside] = mean + 0.3 * (place[inside] - mean) + dice.choice([-1, 1]) * stands_out


def make(folder: Path, given: argparse.Namespace, dice: np.random.Generator) -> tuple[list[str], dict[str, float]]:
    """Write the frames; returns the paths of all tiles, and the area of the thing on those that have one."""
    grid, whole, paths, things = given.grid, background(given.grid, dice), [], {}
    for number in range(given.frames):
        frame, name = whole.copy(), f"{number:05}.jpg"
        for place, path in enumerate(grid.paths(name)):
            if dice.random() < 1 / given.every:
                things[path] = dice.choice(given.areas)
                put(frame, place % grid.columns, place // grid.columns, things[path] / 100, given.stands_out, dice)
            paths.append(path)
        frame = frame * dice.uniform(1 - DRIFT, 1 + DRIFT) + SENSOR * dice.standard_normal(frame.shape, np.float32)
        Image.fromarray(frame.clip(0, 255).astype(np.uint8)).save(folder / name, quality=90)
    return paths, things


def groups_of(folder: Path, paths: list[str], run: Path) -> NDArray[np.int64]:
    """For each tile the number of the one that stands for it, as inference would find."""
    embedder = Embedder(DEFAULT_NETWORK)
    pool = Pool(Embeddings(run / "embeddings", embedder.backbone.dimension))
    pool.follow(folder, paths)
    for batch in embedder.embed(folder / path for path in paths):
        pool.add(np.array(batch.places), batch.vectors)
    pool.enter(pool.space(10_000))
    alike = DuplicateFinder(run)
    while alike.turn(pool, lambda number: folder / paths[number], None, False, lambda: False):
        pass
    alike.close()
    return np.asarray(read(run, DUPLICATES).content.first, np.int64)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--grid", type=Grid.from_text, default=Grid(6, 4))
    parser.add_argument("--every", type=float, default=200, help="there is a thing in one of so many tiles")
    parser.add_argument("--areas", type=lambda text: [float(part) for part in text.split(",")], default=[10.0])
    parser.add_argument("--stands-out", type=float, default=40, help="of 255")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, run = Path(place) / "frames", Path(place) / "run"
        folder.mkdir()
        run.mkdir()
        paths, things = make(folder, given, np.random.default_rng(given.seed))
        first = groups_of(folder, paths, run)
    has = np.array([path in things for path in paths])
    sizes = Counter(first.tolist())
    kinds = {group: set(has[first == group].tolist()) for group in sizes}
    write = sys.stdout.write
    write(f"{len(paths):,} tiles of {given.frames:,} photos: {len(sizes):,} questions, ")
    write(f"the largest stands for {max(sizes.values())} tiles\n")
    write("| area of the thing, % of a tile | tiles with one | in a group with a tile without |\n|---|---|---|\n")
    for area in given.areas:
        own = [number for number, path in enumerate(paths) if things.get(path) == area]
        mixed = sum(len(kinds[int(first[number])]) == 2 for number in own)
        write(f"| {area:g} | {len(own):,} | {mixed:,} |\n")


if __name__ == "__main__":
    main()

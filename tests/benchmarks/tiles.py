"""What cutting photos up costs: python -m tests.benchmarks.tiles FOLDER GRID [PHOTOS] [ROUNDS].

FOLDER has large photos. Their tiles are decoded photo by photo, as a run does, and in random order; beside them the
whole photos, and each tile as a small JPEG of its own, as if somebody had cut the photos up before. The ways take turns
on one core; figures are medians of the rounds, by the processor's time, so that other work counts little.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from PIL import Image

from config import DEFAULT_NETWORK
from IA.dataset import batches
from IA.embedding.embedder import Embedder
from IA.images.decoding import parts
from IA.images.tiles import Grid, split_file

PHOTOS, ROUNDS = 12, 5
QUALITY = 90
Work = Callable[[Sequence[Path]], Iterable[object]]


def cut(tiles: Sequence[Path], folder: Path) -> list[Path]:
    """Each tile as a file of its own."""
    files: list[Path] = []
    for path in tiles:
        photo, tile = split_file(path)
        files.append(folder / f"{len(files):05}.jpg")
        Image.fromarray(parts(photo, [tile])[0]).save(files[-1], quality=QUALITY)
    return files


def per_s(work: Work, files: Sequence[Path]) -> float:
    """Files done in a second of the processor."""
    began_s = time.process_time()
    for _ in work(files):
        pass
    return len(files) / (time.process_time() - began_s)


def main() -> None:
    """Print the table."""
    grid = Grid.from_text(sys.argv[2])
    if grid is None:
        raise SystemExit(__doc__)
    count, rounds = [*map(int, sys.argv[3:5]), *(PHOTOS, ROUNDS)[len(sys.argv[3:5]) :]]
    photos = sorted(Path(sys.argv[1]).rglob("*.jpg"))
    random.Random(0).shuffle(photos)
    photos = photos[:count]
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    embedder = Embedder(DEFAULT_NETWORK, cores=1)

    def decoded(files: Sequence[Path]) -> Iterable[object]:
        return batches(files, embedder.backbone.preprocessing, 8, 1)

    together = [Path(path) for photo in photos for path in grid.paths(str(photo))]
    scattered = random.Random(1).sample(together, len(together))
    with tempfile.TemporaryDirectory() as place:
        images = {
            "tiles, photo by photo": together,
            "tiles, in random order": scattered,
            "files of the size of a tile": cut(together, Path(place)),
            "whole photos": photos,
        }
        work = {"decoded": decoded, "embedded": embedder.embed}
        ways = {f"{name}, {how}": (do, some) for how, do in work.items() for name, some in images.items()}
        told: dict[str, list[float]] = {name: [] for name in ways}
        per_s(embedder.embed, images["tiles, photo by photo"])  # compiles for this shape
        for _ in range(rounds):
            for name, (do, some) in ways.items():
                told[name].append(per_s(do, some))
    speed = {name: statistics.median(some) for name, some in told.items()}
    with Image.open(photos[0]) as photo:
        size = f"{photo.width} x {photo.height}"
    sys.stdout.write(f"{len(photos)} photos of {size}, {grid}, {len(together)} tiles; one core\n")
    sys.stdout.write("| way | images a second | to tiles photo by photo |\n|---|---|---|\n")
    for name, value in speed.items():
        ratio = value / speed[f"tiles, photo by photo, {name.rpartition(', ')[2]}"]
        sys.stdout.write(f"| {name} | {value:.1f} | {ratio:.2f} |\n")


if __name__ == "__main__":
    main()

"""How fast images become embeddings on one core: python -m tests.benchmarks.embedding PHOTOS [ROUNDS].

Pictures of two sizes are made from the photos: 500 x 374, and 12 megapixels with the grain of a camera, both as JPEG of
quality 90. Each way of embedding them runs in a process of its own, pinned to the first core; the ways take turns.
Figures are medians of the rounds. "alone" counts processor time only: what the core would do with nobody else on it.
"""

import multiprocessing
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from config import DEFAULT_NETWORK
from IA.dataset import batches
from IA.embedding.embedder import Embedder
from IA.networks import build

ROUNDS = 6
PARTS = 3  # a round embeds every third image
NAIVE_BATCH = 32
WARM_UP = 72
GRAIN = 8.0
FOLDERS = {"500x374": ((500, 374), 300, 0.0), "4000x3000": ((4000, 3000), 24, GRAIN)}  # size, number, grain


Way = Callable[[list[Path]], None]


class Turn(NamedTuple):
    """What one pass over a folder took."""

    images_per_s: float
    images_per_cpu_s: float
    peak_mb: float


def naive() -> Way:
    """Decode in full, resize with Pillow, normalise in float32, eager batches of 32."""
    module = build(DEFAULT_NETWORK).module

    def run(files: list[Path]) -> None:
        for start in range(0, len(files), NAIVE_BATCH):
            images = []
            for path in files[start : start + NAIVE_BATCH]:
                picture = Image.open(path).convert("RGB").resize((224, 224))
                images.append((torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() - 127.5) / 127.5)
            with torch.inference_mode():
                module(torch.stack(images)).numpy()

    return run


def ours() -> Way:
    """As the inference loop does it."""
    embedder = Embedder(DEFAULT_NETWORK)
    return lambda files: _exhaust(embedder.embed(files))


def plain_torch() -> Way:
    """As the loop does it where OpenVINO is not to be had."""
    embedder = Embedder(DEFAULT_NETWORK, compiled=False)
    return lambda files: _exhaust(embedder.embed(files))


def decoding() -> Way:
    """Decode and resize alone, as ours does."""
    preprocessing = build(DEFAULT_NETWORK).preprocessing
    return lambda files: _exhaust(batches(files, preprocessing, 8, 1))


def _exhaust(several: Iterable[object]) -> None:
    for _ in several:
        pass


WAYS = {"naive": naive, "ours": ours, "ours, plain torch": plain_torch, "decode + resize": decoding}
_prepared: dict[str, Way] = {}


def turn(way: str, files: list[Path]) -> Turn:
    """One pass, in the process of this way; the first one also gets it ready, as after the first hundred images."""
    if way not in _prepared:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        torch.set_num_threads(1)
        _prepared[way] = WAYS[way]()
        _prepared[way]((files * WARM_UP)[:WARM_UP])
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    _prepared[way](files)
    took_s, took_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Turn(len(files) / took_s, len(files) / took_cpu_s, peak_mb)


def make(photos: list[Path], folder: Path, size: tuple[int, int], grain: float) -> list[Path]:
    """Write the photos at this size; grain is the standard deviation of the noise, of 255."""
    noise = np.random.default_rng(0)
    made = []
    for number, photo in enumerate(photos):
        pixels = np.asarray(Image.open(photo).convert("RGB").resize(size), np.float32)
        if grain:
            pixels = pixels + grain * noise.standard_normal((*pixels.shape[:2], 1), np.float32)
        made.append(folder / f"{number:03}.jpg")
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(made[-1], quality=90)
    return made


def measure(files: list[Path], rounds: int) -> dict[str, list[Turn]]:
    """All ways in turn, again and again."""
    context = multiprocessing.get_context("spawn")
    processes = {way: ProcessPoolExecutor(1, context) for way in WAYS}
    turns: dict[str, list[Turn]] = {way: [] for way in WAYS}
    for number in range(rounds):
        some = files[number % PARTS :: PARTS]
        for way, process in processes.items():
            turns[way].append(process.submit(turn, way, some).result())
    for process in processes.values():
        process.shutdown()
    return turns


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    photos = sorted(Path(sys.argv[1]).rglob("*.jpg"))
    random.Random(0).shuffle(photos)
    write = sys.stdout.write
    write("| images | way | images/s | alone | times naive | of decode + resize | peak MB |\n")
    write("|---|---|---|---|---|---|---|\n")
    for name, (size, number, grain) in FOLDERS.items():
        with tempfile.TemporaryDirectory() as folder:
            files = make(photos[:number], Path(folder), size, grain)
            mb = sum(path.stat().st_size for path in files) / len(files) / 1e6
            turns = measure(files, rounds)
        alone = {way: statistics.median(turn.images_per_cpu_s for turn in some) for way, some in turns.items()}
        for way, some in turns.items():
            wall = statistics.median(turn.images_per_s for turn in some)
            write(
                f"| {name}, {mb:.2f} MB | {way} | {wall:.1f} | {alone[way]:.1f} | {alone[way] / alone['naive']:.1f} "
                f"| {alone[way] / alone['decode + resize']:.0%} | {max(turn.peak_mb for turn in some):.0f} |\n"
            )
        sys.stdout.flush()


if __name__ == "__main__":
    main()

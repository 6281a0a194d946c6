"""What a prompt costs inference: from the words to the images that fit best, and the prior of all images.

    python -m tests.benchmarks.cold_start.prior [IMAGES ...]

The embeddings are random, which costs the same as real ones. The encoder is loaded before.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from IA.embedding.cache import Embeddings
from IA.embedding.embedder import Embedder
from IA.networks import build
from IA.pool.pool import Pool
from IA.pool.prior import PoolPrior
from IA.pool.spacing import PoolSpacing
from IA.protocol.records import Settings
from IA.protocol.shown import MOST_SIMILAR

WORDS = ("a lynx at night", "straw hat", "scratch on metal", "red fox, deer", "sailing ship", "broken bottle")
CHUNK = 10_000


def milliseconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def filled(run: Path, embedder: Embedder, images: int) -> Pool:
    """A pool of so many random embeddings in one space."""
    random = np.random.default_rng(0)
    pool = Pool(Embeddings(run / "embeddings", embedder.backbone.dimension))
    pool.follow_keys(random.integers(1, 2**63, images, dtype=np.uint64))
    for start in range(0, images, CHUNK):
        numbers = np.arange(start, min(start + CHUNK, images))
        pool.add(numbers, random.random((len(numbers), embedder.backbone.dimension), np.float32))
    pool.enter(pool.space(2048))
    return pool


def main() -> None:
    """Measure and print a table."""
    embedder = Embedder(build("efficientnet_lite0"))
    nobody = np.zeros(0, np.int64)
    sys.stdout.write(
        "| images | first words | words, median | most | prior of all | spacing |\n|---|---|---|---|---|---|\n"
    )
    for images in map(int, sys.argv[1:] or ("3068", "100000")):
        with tempfile.TemporaryDirectory() as folder:
            pool = filled(Path(folder), embedder, images)
            prior = PoolPrior(Path(folder), embedder, pool)
            settings = Settings("/", "efficientnet_lite0", "max_prob", "a", "b", "1", prompt="lynx")
            while prior.follow(settings, is_learnt=False):
                time.sleep(0.1)
            first = milliseconds(partial(prior.fitting, "hat", nobody, MOST_SIMILAR))
            later = [milliseconds(partial(prior.fitting, words, nobody, MOST_SIMILAR)) for words in WORDS]
            values = milliseconds(prior.values)
            spacing = milliseconds(PoolSpacing(pool).values)
        figures = (first, statistics.median(later), max(later), values, spacing)
        sys.stdout.write(f"| {images:,} | " + " | ".join(f"{each:.0f} ms" for each in figures) + " |\n")


if __name__ == "__main__":
    main()

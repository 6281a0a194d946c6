"""Makes a large folder and a run whose embeddings are there already, so that the real suite can be measured on it.

    python -m tests.benchmarks.scale FOLDER RUN --images 1000000
    bash launch.sh 127.0.0.1 8077 FOLDER --run RUN --positive positive
    python -m tests.benchmarks.loop 'LINK' --positive positive --answers 100

The files are links to a few small JPEGs; the embeddings are synthetic: twenty clusters, one of them positive.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from config import DEFAULT_NETWORK
from IA.embedding.cache import key
from IA.embedding.embedder import Embedder
from IA.embedding.shared import folder_cache

PER_FOLDER = 1000
PER_FILE = 50_000  # links to one file; ext4 allows 65,000
CHUNK = 20_000
CLUSTERS = 20


def make_files(folder: Path, images: int) -> list[str]:
    """Files in class folders, one in twenty in `positive`; their paths relative to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    source, exif = folder / "source.tmp", Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 5D"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:00"
    for number in tqdm(range(images), desc="files"):
        if number % PER_FILE == 0:
            source.unlink(missing_ok=True)
            Image.new("RGB", (64, 48), (number // PER_FILE % 256, 90, 120)).save(source, "JPEG", exif=exif)
        name = "positive" if number % CLUSTERS == 0 else f"part-{number // PER_FOLDER:04d}"
        path = folder / name / f"{number:07d}.jpg"
        if number % PER_FOLDER < 2:
            path.parent.mkdir(exist_ok=True)
        if not path.exists():
            os.link(source, path)
        paths.append(f"{name}/{path.name}")
    source.unlink(missing_ok=True)
    return paths


def fill_cache(run: Path, folder: Path, paths: list[str]) -> None:
    """Synthetic embeddings of these files, where the loops look for them."""
    embedder = Embedder(DEFAULT_NETWORK)
    dimension = embedder.backbone.dimension
    random = np.random.default_rng(0)
    centres = random.random((CLUSTERS, dimension), np.float32)
    cache = embedder.shared_cache(run, "inference", folder_cache(run.resolve(), folder))
    for start in tqdm(range(0, len(paths), CHUNK), desc="embeddings"):
        some = paths[start : start + CHUNK]
        keys = np.array([key(folder, path) or 1 for path in some], np.uint64)
        cluster = np.arange(start, start + len(some)) % CLUSTERS
        vectors = centres[cluster] + random.random((len(some), dimension), np.float32)
        cache.append(keys, vectors)


def main() -> None:
    """Make both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=1_000_000)
    given = parser.parse_args()
    folder = given.folder.resolve()
    fill_cache(given.run, folder, make_files(folder, given.images))


if __name__ == "__main__":
    main()

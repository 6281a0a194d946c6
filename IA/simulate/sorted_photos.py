"""Photos that are sorted into class folders, which simulations take for the truth."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from config import UsageError
from IA.embedding.cache import Embeddings
from IA.embedding.embedder import Embedder
from IA.pool.pool import Pool
from IA.text.image_files import IMAGE_SUFFIXES, images_below, is_left_out

log = logging.getLogger(__name__)

HELD_OUT = 0.2


def draw(truth: NDArray[np.bool_], prevalence: float | None, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sample a pool of this prevalence, as large as the folder allows, and hold out a fifth of each class.

    Args:
        truth: (N,) of all images.
        prevalence: share of positives in the pool; None: as in the folder.
        seed: of the sample.

    Returns:
        Numbers of the images in the pool (n,), in random order, and of the held-out images (m,).
    """
    random = np.random.default_rng(seed)
    positives, negatives = random.permutation(np.flatnonzero(truth)), random.permutation(np.flatnonzero(~truth))
    kept, others = (len(numbers) - round(HELD_OUT * len(numbers)) for numbers in (positives, negatives))
    held_out = np.concatenate([positives[kept:], negatives[others:]])
    if prevalence is not None:
        odds = prevalence / (1 - prevalence)
        kept, others = min(kept, max(1, round(others * odds))), min(others, round(kept / odds))
    return random.permutation(np.concatenate([positives[:kept], negatives[:others]])), held_out


def check_classes(folder: Path, names: Sequence[str]) -> None:
    """Raise UsageError if one of these class folders does not exist or holds no images."""
    for name in names:
        if not (folder / name).is_dir():
            raise UsageError(f"There is no class folder {name!r} in {folder}; it holds a folder for each class.")
        if next(images_below(folder / name), None) is None:
            raise UsageError(f"The class folder {name!r} in {folder} has no images.")


def embed(folder: Path, network: str, cache: Path) -> tuple[NDArray[np.float32], list[Path]]:
    """Embeddings (N, D) of all images in class folders, and their files.

    Raises:
        UsageError: there are no class folders with images.
    """
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    paths = sorted(
        path.as_posix()
        for path in found
        if len(path.parts) > 1 and not any(map(is_left_out, path.parts)) and (folder / path).is_file()
    )
    if not paths:
        raise UsageError(f"There are no images in folders below {folder}; the folders name the classes.")
    embedder = Embedder(network)
    pool = Pool(Embeddings(embedder.cache_of(cache, "simulate"), embedder.backbone.dimension))
    pool.follow(folder, paths)
    missing = pool.missing()
    with tqdm(total=len(missing), unit="image", desc="embedding", disable=not len(missing)) as bar:
        for batch in embedder.embed([folder / paths[number] for number in missing]):
            pool.add(missing[batch.places], batch.vectors)
            bar.update(len(batch.places) + len(batch.failed))
            for place, reason in batch.failed:
                log.warning("%r is unreadable and left out. %s", paths[missing[place]], reason)
    numbers, vectors = pool.embeddings()
    return vectors, [folder / paths[number] for number in numbers]

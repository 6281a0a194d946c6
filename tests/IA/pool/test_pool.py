"""The pool: which images come first, and what a sample of it is."""

from pathlib import Path

import numpy as np
import pytest

from IA.embedding.cache import Embeddings
from IA.pool.pool import Pool

IMAGES = 30


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """Thirty images, of which every third has no embedding."""
    for number in range(IMAGES):
        (tmp_path / f"{number:02}.jpg").write_bytes(bytes([number]))
    pool = Pool(Embeddings(tmp_path / "cache", 4))
    pool.follow(tmp_path, [f"{number:02}.jpg" for number in range(IMAGES)])
    embedded = np.array([number for number in range(IMAGES) if number % 3], np.int64)
    pool.add(embedded, np.repeat(embedded[:, None], 4, axis=1).astype(np.float32))
    return pool


def test_the_likeliest(tmp_path: Path) -> None:
    """The likeliest images come first; images without a score never come."""
    pool = Pool(Embeddings(tmp_path, 4))
    assert pool.likeliest(3) == []
    pool.probability = np.array([0.2, np.nan, 0.9, 0.5], np.float32)
    assert pool.likeliest(2) == [2, 3]
    assert pool.likeliest(9) == [2, 3, 0]


@pytest.mark.parametrize("size", [1, 7, 20, 100])
def test_a_sample_is_of_embedded_images(pool: Pool, size: int) -> None:
    """A sample has no image twice, none without an embedding, and each with its own vector."""
    numbers, vectors = pool.sample(size)
    assert len(set(numbers.tolist())) == len(numbers) == min(size, 20)
    assert (numbers % 3 > 0).all()
    assert vectors[:, 0].tolist() == numbers.tolist()


def test_a_changed_file_needs_a_new_embedding(pool: Pool, tmp_path: Path) -> None:
    """An image whose file has changed is missing again; one that cannot be decoded is not, until its file changes."""
    (tmp_path / "01.jpg").write_bytes(b"another size")
    pool.fail(0)
    pool.follow(tmp_path, [f"{number:02}.jpg" for number in range(IMAGES)])
    assert pool.missing().tolist() == [1, *range(3, IMAGES, 3)]
    assert pool.unreadable.tolist() == [0]
    (tmp_path / "00.jpg").write_bytes(b"another size")
    pool.follow(tmp_path, [f"{number:02}.jpg" for number in range(IMAGES)])
    assert pool.missing().tolist() == [0, 1, *range(3, IMAGES, 3)]
    assert pool.unreadable.tolist() == []

"""features.pickle: when the pool is described, and how a restart goes on."""

from pathlib import Path

import numpy as np
import pytest

from IA.embedding.cache import Embeddings
from IA.networks import Backbone, build
from IA.pool.description import PoolDescription
from IA.pool.pool import Pool
from IA.pool.stream import FIRST_FEATURES
from IA.protocol import pickle_file
from IA.protocol.files import FEATURES

IMAGES = 3 * FIRST_FEATURES


@pytest.fixture
def backbone(tiny_network: str) -> Backbone:
    """The tiny network."""
    return build(tiny_network)


@pytest.fixture
def pool(tmp_path: Path, backbone: Backbone) -> Pool:
    """A pool in which nothing is embedded."""
    paths = [f"{number:03}.jpg" for number in range(IMAGES)]
    for path in paths:
        (tmp_path / path).touch()
    pool = Pool(Embeddings(tmp_path / "cache", backbone.dimension))
    pool.follow(tmp_path, paths)
    return pool


def embed(pool: Pool, images: int, dimension: int) -> None:
    """Embed images, at random, until so many are."""
    missing = pool.missing()[: images - pool.embedded]
    pool.add(missing, np.random.default_rng(images).normal(size=(len(missing), dimension)).astype(np.float32))


def test_the_pool_is_described_as_it_grows(tmp_path: Path, pool: Pool, backbone: Backbone) -> None:
    """The first images, twice as many, and a complete pool that has grown by a tenth are described."""
    description = PoolDescription(tmp_path, backbone)
    assert description.update(pool, is_complete=True) is None
    for images, is_complete, is_due in [
        (FIRST_FEATURES - 1, False, False),
        (FIRST_FEATURES, False, True),
        (2 * FIRST_FEATURES - 1, False, False),
        (2 * FIRST_FEATURES, False, True),
        (2 * FIRST_FEATURES + 1, True, False),
        (IMAGES, False, False),
        (IMAGES, True, True),
    ]:
        embed(pool, images, backbone.dimension)
        space = description.update(pool, is_complete)
        assert (space is not None) == is_due
        assert description.is_published == (images >= FIRST_FEATURES)
    assert pickle_file.read(tmp_path, FEATURES).content.images == IMAGES


def test_a_restart_goes_on_with_the_last_description(tmp_path: Path, pool: Pool, backbone: Backbone) -> None:
    """The published space is taken up again by the same backbone, but by no other, and is not published twice."""
    assert PoolDescription(tmp_path, backbone).resume() is None
    embed(pool, IMAGES, backbone.dimension)
    space = PoolDescription(tmp_path, backbone).update(pool, is_complete=True)
    again = PoolDescription(tmp_path, backbone)
    resumed = again.resume()
    assert space is not None and resumed is not None
    assert resumed.is_same(space)
    assert again.update(pool, is_complete=True) is None
    backbone.module.requires_grad_(False)
    for weight in backbone.module.parameters():
        weight.mul_(2)
    other = Backbone(backbone.name, backbone.module, backbone.preprocessing, backbone.dimension)
    description = PoolDescription(tmp_path, other)
    assert description.resume() is None
    assert not description.is_published

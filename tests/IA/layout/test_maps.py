"""From vectors to places: what is near stays near, whatever way the places are computed."""

import numpy as np
import pytest

from IA.layout.maps import Floats, LinearMap, NeighbourMap, framed, turned_towards
from IA.layout.tsne import is_installed, nearest, tsne

CROWDS = 4


def crowds(images: int, seed: int = 0, dimension: int = 16) -> Floats:
    """Vectors of length 1 in `CROWDS` crowds, one after the other in turn."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(CROWDS, dimension))
    vectors = centres[np.arange(images) % CROWDS] + random.normal(0, 0.15, (images, dimension))
    long: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return long


def together(places: Floats) -> float:
    """The share of images whose nearest other place is one of their own crowd."""
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    crowd = np.arange(len(places)) % CROWDS
    return float((crowd[distance.argmin(axis=1)] == crowd).mean())


def test_principal_components_keep_crowds_together() -> None:
    """Images of a crowd lie together, inside the square."""
    vectors = crowds(200)
    places = LinearMap.from_vectors(vectors).place(vectors)
    assert together(places) > 0.95
    assert np.abs(places).max() <= 1
    assert np.abs(places).max() > 0.8


def test_a_linear_map_goes_on_in_another_space() -> None:
    """In a rotated space the same images keep their places, nearly."""
    vectors = crowds(200)
    places = LinearMap.from_vectors(vectors).place(vectors)
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(16, 16)))
    rotated = (vectors @ rotation).astype(np.float32)
    assert np.abs(LinearMap.from_places(rotated, places).place(rotated) - places).max() < 0.05


def test_another_layout_is_turned_towards_the_last() -> None:
    """Principal components of more images lie as those of fewer did, not mirrored or turned."""
    before = LinearMap.from_vectors(crowds(100)).place(crowds(100)) * [-1, 1]
    after = LinearMap.from_vectors(crowds(100), before.astype(np.float32)).place(crowds(100))
    assert np.abs(after - before).max() < 0.2


def test_a_new_image_lies_with_its_neighbours() -> None:
    """An image is put where the images most similar to it are, and never between two crowds."""
    vectors = crowds(200)
    places = LinearMap.from_vectors(vectors).place(vectors)
    put = NeighbourMap.from_places(vectors, places).place(crowds(80, seed=1))
    distance = np.linalg.norm(put[:, None] - places[None], axis=2)
    assert (distance.argmin(axis=1) % CROWDS == np.arange(80) % CROWDS).mean() > 0.95
    assert np.allclose(NeighbourMap.from_places(vectors, places).place(vectors), places, atol=1e-3)


def test_a_frame_is_filled_in_spite_of_one_that_is_far_away() -> None:
    """A single image far from all others does not press them together in the middle."""
    places = framed(np.concatenate([np.random.default_rng(0).uniform(5, 6, (2000, 2)), [[1e6, 0]]]))
    assert np.abs(places[:-1]).max() > 0.9
    assert places[-1].tolist() == [1, -1] or abs(places[-1, 0]) == 1


def test_places_that_are_all_the_same_stay_finite() -> None:
    """Copies of one image are no reason for figures that are none."""
    same = np.ones((5, 3), np.float32) / np.sqrt(3).astype(np.float32)
    assert np.isfinite(LinearMap.from_vectors(same).place(same)).all()
    assert np.isfinite(LinearMap.from_places(same, np.zeros((5, 2), np.float32)).place(same)).all()
    assert np.isfinite(turned_towards(np.zeros((5, 2)), np.zeros((5, 2)))).all()


def test_the_nearest_are_exact() -> None:
    """The nearest others are those with the largest cosine, the nearest first, and never the image itself."""
    vectors = crowds(60)
    numbers, distances = nearest(vectors, 5)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -np.inf)
    assert (np.sort(numbers, axis=1) == np.sort(np.argsort(-cosine, axis=1)[:, :5], axis=1)).all()
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="the extra `map` is not installed")
def test_tsne_keeps_crowds_together_and_where_they_were() -> None:
    """t-SNE keeps crowds together, and what was on the left before lies on the left afterwards."""
    vectors = crowds(240)
    before = LinearMap.from_vectors(vectors).place(vectors)
    places = framed(tsne(vectors, before))
    assert together(places) > 0.95
    assert np.corrcoef(places[:, 0], before[:, 0])[0, 1] > 0.7

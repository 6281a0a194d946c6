"""The space in which images are compared."""

import math

import numpy as np
import pytest
import torch

from IA.learning.projection import Projection


def test_the_basis_is_the_principal_directions() -> None:
    """A space has the mean and an orthonormal basis, the widest direction first."""
    vectors = torch.randn(500, 6, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 9, 2, 5, 1, 1]) + 7
    space = Projection.from_vectors(vectors, components=3)
    torch.testing.assert_close(space.mean, vectors.mean(0))
    torch.testing.assert_close(space.basis.T @ space.basis, torch.eye(3), atol=1e-5, rtol=0)
    assert space.basis.abs().argmax(0).tolist() == [1, 3, 2]


@pytest.mark.parametrize(("count", "kept"), [(1, 1), (2, 1), (5, 4), (50, 16)])
def test_few_vectors(count: int, kept: int) -> None:
    """A space has one fewer direction than there are vectors, at least one, and at most D."""
    space = Projection.from_vectors(torch.randn(count, 16, generator=torch.Generator().manual_seed(0)))
    assert space.basis.shape == (16, kept)
    assert space.basis.isfinite().all()


@pytest.mark.parametrize("value", [0.0, 3.0, 1e30, math.inf, math.nan])
def test_a_constant(value: float) -> None:
    """A pool of equal images still has a finite space."""
    space = Projection.from_vectors(torch.full((10, 8), value))
    assert space.mean.isfinite().all()
    assert space.basis.isfinite().all()
    assert space.project(torch.full((2, 8), value)).isfinite().all()


@pytest.mark.parametrize("count", [2, 63, 64, 127, 128, 129, 150, 255, 256, 257])
def test_low_rank_is_finite(count: int) -> None:
    """With fewer images than dimensions, many of them equal, the basis is finite, with directions of length 1."""
    random = torch.Generator().manual_seed(count)
    kinds = torch.rand(3, 256, generator=random).relu()
    vectors = kinds[torch.randint(3, (count,), generator=random)] + 0.01 * torch.rand(count, 256, generator=random)
    space = Projection.from_vectors(vectors.half().float())
    assert space.mean.isfinite().all()
    assert torch.linalg.norm(space.basis, dim=0) == pytest.approx(1, abs=1e-3)


def test_no_pool_no_space() -> None:
    """An empty pool raises an error."""
    with pytest.raises(ValueError, match="No vectors"):
        Projection.from_vectors(torch.zeros(0, 8))


def test_what_is_never_negative_has_a_root_transform() -> None:
    """Embeddings without negative values are compared by their roots, others as they are."""
    counts = torch.rand(40, 8, generator=torch.Generator().manual_seed(0)) ** 4
    assert Projection.from_vectors(counts).root_transform
    torch.testing.assert_close(Projection.from_vectors(counts).mean, counts.sqrt().mean(0))
    assert not Projection.from_vectors(counts - 0.1).root_transform


def test_survives_the_file_of_features() -> None:
    """The content of features.pickle makes the same space again."""
    space = Projection.from_vectors(torch.rand(40, 8, generator=torch.Generator().manual_seed(0)))
    again = Projection.from_features(space.features("f", 40, np.zeros(0, np.int32), torch.zeros(0, 8)))
    assert again.is_same(space)
    assert not again.is_same(Projection(space.mean, space.basis, root_transform=False))
    assert np.allclose(again.project(torch.ones(1, 8)), space.project(torch.ones(1, 8)))

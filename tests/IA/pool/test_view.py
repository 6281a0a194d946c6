"""The projected pool: scores from kernel columns, and novelty, equal those of the plain computation."""

import numpy as np
import pytest
import torch
from torch import Tensor

from IA.learning import kernel_cache as columns
from IA.learning.head import Head
from IA.learning.kernel_cache import KernelCache
from IA.learning.projection import Projection
from IA.pool.view import ProjectedPool

IMAGES, DIMENSION = 60, 12


@pytest.fixture
def vectors() -> Tensor:
    """Embeddings of a small pool, (60, 12)."""
    return torch.randn(IMAGES, DIMENSION, generator=torch.Generator().manual_seed(1))


def seen(vectors: Tensor) -> ProjectedPool:
    """A view with every image embedded."""
    view = ProjectedPool(Projection.from_vectors(vectors), len(vectors))
    view.put(np.arange(len(vectors)), vectors.numpy())
    return view


def head_of(vectors: Tensor, answered: list[int]) -> Head:
    """A head that has learnt that even numbers are positive."""
    space = Projection.from_vectors(vectors)
    answers = torch.tensor([number % 2 == 0 for number in answered])
    return Head.fit(space.project(vectors[answered]), answers, space)


@pytest.mark.parametrize("budget", [columns.BUDGET_BYTES, 2 * 1000 * IMAGES, 2 * 5 * IMAGES])
def test_scores_are_those_of_the_head(vectors: Tensor, budget: int) -> None:
    """Answer by answer, columns give the head's scores, whether kept in float32, in float16 or not at all."""
    projected = Projection.from_vectors(vectors).project(vectors)
    kept = KernelCache(projected, budget)
    for answered in ([0, 1], [0, 1, 2], [0, 1, 2, 3, 4, 5, 6], [1, 2, 9], [4, 7], [4, 7, 4]):
        head = head_of(vectors, answered)
        assert kept.scores(head).tolist() == pytest.approx(head.scores(projected).tolist(), abs=2e-3)


def test_linear_heads_need_no_columns(vectors: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more answers than a kernel is used for, the head itself computes the scores."""
    monkeypatch.setattr("IA.learning.head.KERNEL_ANSWERS", 4)
    head = head_of(vectors, [0, 1, 2, 3, 4])
    assert float(head.gamma) == 0
    projected = head.project(vectors)
    assert torch.equal(KernelCache(projected).scores(head), head.scores(projected))


def test_an_image_written_anew_gets_new_scores(vectors: Tensor) -> None:
    """New embeddings of images count in all scores, even in those from columns computed before."""
    view, head = seen(vectors), head_of(vectors, [0, 1, 2, 3])
    view.probability(head)
    view.drop(np.array([5, 6]))
    assert np.isnan(view.probability(head)[[5, 6]]).all()
    view.put(np.array([5, 6]), vectors[[0, 1]].numpy())
    probability = view.probability(head)
    assert probability[[5, 6]] == pytest.approx(probability[[0, 1]], abs=1e-6)
    assert probability == pytest.approx(view.probability(head, np.arange(IMAGES)), abs=1e-6)


def test_more_images(vectors: Tensor) -> None:
    """New images have no score until they are embedded; the others keep theirs."""
    view, head = seen(vectors), head_of(vectors, [0, 1, 2, 3])
    before = view.probability(head)
    view.grow(IMAGES + 2)
    after = view.probability(head)
    assert after[:IMAGES] == pytest.approx(before)
    assert np.isnan(after[IMAGES:]).all()
    view.put(np.array([IMAGES]), vectors[:1].numpy())
    assert view.probability(head)[IMAGES] == pytest.approx(before[0])


def test_novelty_is_the_distance_to_the_nearest_answer(vectors: Tensor) -> None:
    """Whatever is answered, taken back, lost or embedded anew, novelty equals that of a new pool."""
    view, random = seen(vectors), np.random.default_rng(0)
    projected = view.space.project(vectors)
    for _ in range(20):
        answered = set(random.choice(IMAGES, random.integers(0, 6), replace=False).tolist())
        assert view.answer(answered) == answered
        lost = random.choice(IMAGES, 2, replace=False)
        view.drop(lost)
        assert np.isnan(view.novelty[lost]).all()
        view.put(lost, vectors[lost].numpy())
        view.answer(answered)
        if answered:
            nearest = (1 - projected @ projected[sorted(answered)].T).min(1).values.clamp(min=0)
            assert view.novelty == pytest.approx(nearest.numpy(), abs=1e-5)
        else:
            assert np.isposinf(view.novelty).all()

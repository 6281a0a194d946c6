"""The head: what it learns, and the figures about it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from IA.learning import head
from IA.learning.calibration import line
from IA.learning.head import (
    Head,
    average_precision,
    best_threshold,
    cross_fitted_scores,
    validation,
)
from IA.learning.projection import Projection
from tests.examples import examples


def answers(count: int, dimension: int = 16, distance: float = 2.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Embeddings (n, D) in two clouds, a third of them in the positive one, and their labels (n,)."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.rand(count, generator=random) < 1 / 3
    labels[:2] = torch.tensor([True, False])
    vectors = torch.randn(count, dimension, generator=random)
    vectors[labels] += distance / 2
    return vectors, labels


def fitted(count: int, **how: float) -> tuple[Head, Tensor, Tensor]:
    """A head, with the embeddings (n, D) and labels (n,) that it has learnt from."""
    vectors, labels = answers(count, **how)  # type: ignore[arg-type]
    space = Projection.from_vectors(vectors)
    return Head.fit(space.project(vectors), labels, space), vectors, labels


@pytest.mark.parametrize("count", [2, 10, 300, 1500])
def test_the_head_learns(count: int) -> None:
    """The head, kernel or linear, separates the learnt answers and, after enough of them, new images."""
    learnt, vectors, labels = fitted(count, distance=4.0)
    assert (bool(learnt.gamma == 0)) == (count > head.KERNEL_ANSWERS)
    assert ((learnt(vectors) > 0.5) == labels).float().mean() > 0.95
    if count >= 300:
        new, truth = answers(500, distance=4.0, seed=1)
        assert ((learnt(new) > 0.5) == truth).float().mean() > 0.9


def test_kernel_and_linear_head_minimise_their_objective() -> None:
    """At the solution the gradient of the objective is about zero."""
    vectors, labels = answers(120)
    space = Projection.from_vectors(vectors)
    projected = space.project(vectors)
    learnt = Head.fit(projected, labels, space)
    residual = labels.float() - torch.sigmoid(learnt.scores(projected))
    torch.testing.assert_close(learnt.weights, head.C * residual, atol=0.05, rtol=0)


def test_fitting_is_deterministic_and_ignores_the_order() -> None:
    """The same answers give the same head in whatever order."""
    vectors, labels = answers(80)
    space = Projection.from_vectors(vectors)
    projected = space.project(vectors)
    once, again = (Head.fit(projected, labels, space)(vectors) for _ in range(2))
    turned = Head.fit(projected.flip(0), labels.flip(0), space)(vectors)
    assert torch.equal(once, again)
    torch.testing.assert_close(once, turned, atol=1e-3, rtol=0)


@settings(max_examples=examples(25), deadline=None)
@given(
    hnp.arrays("float32", hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)),
    st.integers(0, 2**12),
    st.booleans(),
)
def test_the_head_is_finite_whatever_it_is_fed(vectors: "torch.Tensor", bits: int, linear: bool) -> None:
    """With NaN, infinities, constants, one class or one answer, the head still gives probabilities."""
    embeddings = torch.as_tensor(vectors)
    labels = torch.tensor([bool(bits >> place & 1) for place in range(len(embeddings))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "KERNEL_ANSWERS", 0 if linear else 1000)
        space = Projection.from_vectors(embeddings)
        learnt = Head.fit(space.project(embeddings), labels, space)
    assert all(tensor.isfinite().all() for tensor in learnt.state_dict().values())
    probability = learnt(embeddings)
    assert ((probability >= 0) & (probability <= 1)).all()


def test_without_answers_the_head_does_not_know() -> None:
    """A head without answers gives every image 0.5."""
    space = Projection.from_vectors(torch.randn(20, 8))
    nothing = Head.fit(torch.zeros(0, space.basis.shape[1]), torch.zeros(0, dtype=torch.bool), space)
    assert nothing(torch.randn(3, 8)).tolist() == [0.5] * 3
    assert Head.empty(8, 4, support=0)(torch.randn(3, 8)).tolist() == [0.5] * 3


def test_calibration_acts_on_the_score() -> None:
    """Platt's scale and offset change the probabilities but not their order."""
    learnt, vectors, _ = fitted(50)
    scores = learnt.scores(learnt.project(vectors))
    learnt.curve = line(2.0, -1.0)
    torch.testing.assert_close(learnt(vectors), torch.sigmoid(2 * scores - 1))


def test_the_calibration_of_an_earlier_version_is_read() -> None:
    """Checkpoints of earlier versions, with a scale and an offset instead of a curve, can be read."""
    learnt, vectors, _ = fitted(50)
    state = {name: tensor for name, tensor in learnt.state_dict().items() if name != "curve"}
    state |= {"scale": torch.tensor(2.0), "offset": torch.tensor(-1.0)}
    learnt.curve = line(2.0, -1.0)
    assert torch.equal(Head.from_state(state)(vectors), learnt(vectors))


@pytest.mark.parametrize("count", [3, 50, 1200])
def test_a_head_comes_back_from_its_state(count: int) -> None:
    """The buffers alone make the same head again, whatever their sizes."""
    learnt, vectors, _ = fitted(count)
    assert torch.equal(Head.from_state(learnt.state_dict())(vectors), learnt(vectors))


@pytest.mark.parametrize(
    "change",
    [
        {"weights": torch.zeros(3)},
        {"weights": torch.full((10,), math.nan)},
        {"bias": torch.zeros(1)},
        {"mean": torch.zeros(16, dtype=torch.float64)},
        {"basis": torch.zeros(4, 4)},
        {"gamma": "three"},
        {"curve": torch.zeros(1, 2)},
        {"curve": torch.zeros(3, 3)},
        {"curve": torch.tensor([[1.0, 0.0], [0.0, 1.0]])},
    ],
)
def test_a_bad_state_is_refused(change: dict[str, object]) -> None:
    """Wrong shapes, types or values, which may come from a file, raise ValueError."""
    state = fitted(10)[0].state_dict() | change
    with pytest.raises(ValueError, match="head"):
        Head.from_state(state)


def test_an_answer_is_scored_by_a_head_that_has_not_seen_it() -> None:
    """Flipping one label never changes that answer's own score."""
    vectors, labels = answers(60)
    space = Projection.from_vectors(vectors)
    projected = space.project(vectors)
    scores = cross_fitted_scores(projected, labels)
    for fold in range(5):
        held_out = head.folds_of(labels, 5) == fold
        others = Head.fit(projected[~held_out], labels[~held_out], space)
        torch.testing.assert_close(scores[held_out], others.scores(projected[held_out]))


def test_folds_stay_as_answers_are_added() -> None:
    """A new answer moves no earlier one to another fold, and each fold gets its share of either class."""
    _, labels = answers(200)
    folds = head.folds_of(labels, 5)
    assert torch.equal(head.folds_of(labels[:120], 5), folds[:120])
    for label in (labels, ~labels):
        shares = torch.bincount(folds[label], minlength=5)
        assert int(shares.max() - shares.min()) <= 1


@pytest.mark.parametrize("positives", [0, 1, 4, 56, 60])
def test_too_few_of_a_class_say_nothing(positives: int) -> None:
    """With fewer than five answers of a class there are no scores and no figures."""
    vectors = answers(60)[0]
    labels = torch.arange(60) < positives
    scores = cross_fitted_scores(vectors, labels)
    assert scores.isnan().all()
    assert validation(scores, labels) == {}


def test_validation_counts_right() -> None:
    """The figures of a small table are those computed by hand, as built-in floats."""
    probability = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2, 0.1])
    labels = torch.tensor([True, True, False, True, True, True, False, False, False, False])
    figures = validation(
        torch.cat([torch.logit(probability), torch.tensor([math.nan])]), torch.cat([labels, labels[:1]])
    )
    assert all(type(value) is float for value in figures.values())
    assert figures["average_precision"] == pytest.approx((1 + 1 + 3 / 4 + 4 / 5 + 5 / 6) / 5)
    assert figures["threshold"] == pytest.approx(0.45)
    right = torch.where(labels, probability, 1 - probability)
    assert figures["loss"] == pytest.approx(float(-right.log().mean()), rel=1e-5)
    assert figures["accuracy"] == pytest.approx(0.8, abs=0.11)


def test_equal_probabilities_count_together() -> None:
    """With equal probabilities, the average precision is the prevalence, and the threshold calls all positive."""
    labels = torch.tensor([False, True, False, False])
    assert average_precision(torch.full((4,), 0.3), labels) == pytest.approx(0.25)
    assert best_threshold(torch.full((4,), 0.3), labels) == pytest.approx(0.15)


@given(hnp.arrays("float32", 12, elements=st.floats(0, 1, width=32)), st.integers(1, 2**12 - 1))
def test_the_threshold_is_the_best_there_is(probability: "torch.Tensor", bits: int) -> None:
    """No other cut has a higher F1 on the same answers."""
    given_probability = torch.as_tensor(probability)
    labels = torch.tensor([bool(bits >> place & 1) for place in range(12)])

    def f1(threshold: float) -> float:
        called = given_probability.double() >= threshold
        return float(2 * (called & labels).sum() / (called.sum() + labels.sum()))

    best = best_threshold(given_probability, labels)
    assert 0 <= best <= 1
    assert f1(best) >= max(f1(cut) for cut in [0.0, *given_probability.double().tolist()]) - 1e-6

"""The learner fits anew after every answer, and its earlier predictions calibrate it."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from IA.learning.calibration import line
from IA.learning.learner import Learner, PoolSample, as_probabilities
from IA.learning.projection import Projection

RANDOM = torch.Generator().manual_seed(5)
TRUTH = torch.arange(120) % 3 == 0
VECTORS = torch.randn(120, 16, generator=RANDOM) + 1.5 * TRUTH[:, None]
SPACE = Projection.from_vectors(VECTORS)


def vectors_of(names: Sequence[int]) -> Tensor:
    """Embeddings of images by number."""
    return VECTORS[list(names)]


def labels_of(count: int) -> dict[int, bool]:
    """The true labels of the first images."""
    return {number: bool(TRUTH[number]) for number in range(count)}


def test_nothing_to_learn_yet() -> None:
    """Before there are answers of both kinds there is no head."""
    learner: Learner[int] = Learner(vectors_of)
    assert not learner.learn({}, SPACE)
    assert not learner.learn({1: False, 2: False}, SPACE)
    assert learner.head is None
    assert math.isnan(learner.training_loss({}))


@pytest.mark.slow
def test_learns_and_says_how_well() -> None:
    """After answers of both kinds positives score higher, and there are held-out and prequential figures."""
    learner: Learner[int] = Learner(vectors_of)
    for count in range(1, 80):
        learner.learn(labels_of(count), SPACE)
    assert learner.head is not None
    probability = learner.head(VECTORS[80:])
    assert probability[TRUTH[80:]].mean() > probability[~TRUTH[80:]].mean() + 0.3
    assert set(learner.figures) == {
        "accuracy",
        "average_precision",
        "loss",
        "prequential_accuracy",
        "prequential_ece",
    }
    assert 0 < learner.threshold < 1
    assert learner.training_loss(labels_of(79)) < learner.figures["loss"]


@pytest.mark.slow
def test_prequential_figures_never_see_the_answer() -> None:
    """If labels are coin tosses, the prequential accuracy is that of a coin."""
    learner: Learner[int] = Learner(vectors_of)
    coins = (torch.rand(120, generator=torch.Generator().manual_seed(9)) < 0.5).tolist()
    for count in range(1, 121):
        learner.learn({number: coins[number] for number in range(count)}, SPACE)
    assert learner.figures["prequential_accuracy"] == pytest.approx(0.5, abs=0.15)


@pytest.mark.slow
def test_a_restart_knows_nearly_the_same() -> None:
    """Answers that all come at once, as after a restart, give the same head and nearly the same calibration."""
    slow: Learner[int] = Learner(vectors_of)
    for count in range(1, 101):
        slow.learn(labels_of(count), SPACE)
    again: Learner[int] = Learner(vectors_of)
    again.learn(labels_of(100), SPACE)
    assert slow.head is not None and again.head is not None
    assert torch.allclose(slow.head.weights, again.head.weights, atol=1e-4)
    assert torch.allclose(slow.head(VECTORS), again.head(VECTORS), atol=0.08)


def test_another_space_and_answers_taken_back() -> None:
    """With a new space or fewer answers, the head is the same as if it had been so from the start."""
    learner: Learner[int] = Learner(vectors_of)
    learner.learn(labels_of(50), SPACE)
    space = Projection.from_vectors(VECTORS[:60])
    learner.learn(labels_of(40), space)
    fresh: Learner[int] = Learner(vectors_of)
    fresh.learn(labels_of(40), space)
    assert learner.head is not None and fresh.head is not None
    assert learner.head.space.is_same(space)
    assert torch.allclose(learner.head.scores(learner.head.support), fresh.head.scores(fresh.head.support), atol=1e-3)


def test_earlier_positives_are_not_doubted_once_they_have_run_out() -> None:
    """All answers count equally for held-out probabilities, while the head's follow the last answers."""
    positives, negatives = ([number for number in range(120) if TRUTH[number] == kind] for kind in (True, False))
    learner: Learner[int] = Learner(vectors_of)
    learner.learn({number: bool(TRUTH[number]) for number in positives + negatives}, SPACE)
    predicted = [learner.held_out[number] for number in positives + negatives]
    assert sum(predicted) == pytest.approx(len(positives), abs=2)
    assert learner.head is not None
    assert float(learner.head.logits(torch.zeros(1))) < -0.5


def test_held_out_scores_as_probabilities() -> None:
    """A score for one class becomes a probability on its side of 0.5, and a missing score stays missing."""
    scores = torch.tensor([3.0, 2.0, 4.0, torch.nan, 1.0, 0.0, 0.5])
    labels = torch.tensor([True, True, True, False, False, False, False])
    predicted = as_probabilities(scores, labels)
    assert predicted[3].isnan()
    assert (predicted[:3] > 0.5).all() and (predicted[4:] < 0.5).all()


def test_answers_that_the_network_has_learnt_prove_nothing() -> None:
    """Held-out figures and calibration leave out answers that the backbone has learnt."""
    learnt = frozenset(range(60))
    learner: Learner[int] = Learner(vectors_of, learnt=learnt)
    learner.learn(labels_of(120), SPACE)
    assert set(learner.held_out) == set(range(60, 120))
    assert not any(number in learner.asked for number in learnt)
    assert learner.figures["average_precision"] > 0.8
    ignorant: Learner[int] = Learner(vectors_of, learnt=frozenset(range(120)))
    ignorant.learn(labels_of(120), SPACE)
    assert ignorant.figures == {}
    assert ignorant.head is not None and torch.allclose(ignorant.head.curve, line(1.0, 0.0), atol=1e-5)


def learnt_beside_many_others(with_sample: bool) -> tuple[Learner[int], Tensor]:
    """A learner whose answers are mostly positive, in a pool of 2,000 other images, and the vectors of these."""
    others = torch.randn(2000, 16, generator=torch.Generator().manual_seed(6))
    everything = torch.cat([VECTORS, others])
    space = Projection.from_vectors(everything)
    learner: Learner[int] = Learner(lambda names: everything[list(names)])
    labels = {number: True for number in range(120) if TRUTH[number]} | {number: False for number in range(1, 30, 3)}
    pool = PoolSample.from_vectors(everything, space, 0) if with_sample else None
    for count in range(20, len(labels) + 1):
        learner.learn(dict(list(labels.items())[-count:]), space, pool)
    return learner, others


@pytest.mark.slow
def test_the_pool_tells_how_rare_positives_are() -> None:
    """With a sample of the pool, few of thousands of other images are expected to be positive, and few called so."""
    expected, called = {}, {}
    for with_sample in (False, True):
        learner, others = learnt_beside_many_others(with_sample)
        assert learner.head is not None
        probability = learner.head(others)
        expected[with_sample], called[with_sample] = (
            float(probability.sum()),
            int((probability >= learner.threshold).sum()),
        )
    assert expected[True] < 100 and expected[False] > 400
    assert called[True] < called[False]


def test_what_was_reviewed_is_no_evidence_of_what_remains() -> None:
    """Answered and skipped images of the sample do not count as remaining."""
    learner: Learner[int] = Learner(vectors_of)
    learner.learn(labels_of(40), SPACE)
    assert learner.head is not None
    pool = PoolSample(range(60), SPACE.project(VECTORS[:60]), images=120)
    remaining = pool.remaining(learner.head, set(range(45)))
    assert remaining.weight == 2
    assert torch.allclose(remaining.scores, learner.head.scores(SPACE.project(VECTORS[45:60])), atol=1e-5)

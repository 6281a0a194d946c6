"""The questions of other active-learning libraries, on the same embeddings, for `python -m IA.simulate --peers`."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]
Truth = NDArray[np.bool_]
Chooser = Callable[[NDArray[np.int64], Truth], int]
"""Chooses the number of the next image from the numbers of the images asked so far and their labels."""


def _asreview(vectors: Embeddings, seed: int) -> Chooser:
    """ASReview's default model, elas_u4: linear SVM, balanced weights, most probable first."""
    from asreview import ActiveLearningCycle
    from asreview.models.balancers import Balanced
    from asreview.models.classifiers import SVM
    from asreview.models.queriers import Max

    def choose(asked: NDArray[np.int64], labels: Truth) -> int:
        cycle = ActiveLearningCycle(Max(), SVM(loss="squared_hinge", C=0.11, random_state=seed), Balanced(ratio=9.8))
        cycle.fit(vectors[asked], labels.astype(int))
        remaining = np.setdiff1d(np.arange(len(vectors)), asked)
        return int(remaining[cycle.rank(vectors[remaining])[0]])

    return choose


def _modal(make: Callable[[int], object]) -> Callable[[Embeddings, int], Chooser]:
    """The `ActiveLearner` of modAL, most uncertain first."""

    def choose_for(vectors: Embeddings, seed: int) -> Chooser:
        from modAL.models import ActiveLearner

        def choose(asked: NDArray[np.int64], labels: Truth) -> int:
            remaining = np.setdiff1d(np.arange(len(vectors)), asked)
            learner = ActiveLearner(make(seed), X_training=vectors[asked], y_training=labels.astype(int))
            place, _ = learner.query(vectors[remaining])
            return int(remaining[int(place[0])])

        return choose

    return choose_for


def _logistic(seed: int) -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300, random_state=seed)


def _forest(seed: int) -> object:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, random_state=seed)


def _committee(vectors: Embeddings, seed: int) -> Chooser:
    """Query by committee of modAL: five logistic regressions on bootstrap samples, vote entropy."""
    from modAL.models import ActiveLearner, Committee

    def choose(asked: NDArray[np.int64], labels: Truth) -> int:
        remaining = np.setdiff1d(np.arange(len(vectors)), asked)
        members = []
        for number in range(5):
            sampled = _bootstrap(labels, 5 * seed + number)
            answers = labels[sampled].astype(int)
            members.append(ActiveLearner(_logistic(seed), X_training=vectors[asked[sampled]], y_training=answers))
        place, _ = Committee(members).query(vectors[remaining])
        return int(remaining[int(place[0])])

    return choose


def _bootstrap(labels: Truth, seed: int) -> NDArray[np.int64]:
    """Places sampled with replacement, with at least one of each kind."""
    sampled = np.random.default_rng(seed).integers(0, len(labels), len(labels))
    return np.concatenate([sampled, [np.argmax(labels), np.argmin(labels)]])


def _activeml(vectors: Embeddings, seed: int) -> Chooser:
    """scikit-activeml: uncertainty sampling with logistic regression."""
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling

    classifier = SklearnClassifier(_logistic(seed), classes=[0, 1], random_state=seed)
    sampling = UncertaintySampling(method="entropy", random_state=seed)

    def choose(asked: NDArray[np.int64], labels: Truth) -> int:
        known = np.full(len(vectors), np.nan)
        known[asked] = labels
        return int(sampling.query(X=vectors, y=known, clf=classifier)[0])

    return choose


PEERS: dict[str, Callable[[Embeddings, int], Chooser]] = {
    "ASReview elas_u4": _asreview,
    "scikit-activeml uncertainty": _activeml,
    "modAL uncertainty": _modal(_logistic),
    "modAL random forest": _modal(_forest),
    "modAL query by committee": _committee,
}


def course(name: str, vectors: Embeddings, truth: Truth, answers: int, seed: int) -> Iterator[int]:
    """Let a peer ask: random images until both answers have come, then the images that it chooses.

    Args:
        name: one of `PEERS`.
        vectors: (N, D) embeddings; they are centred and brought to length 1, as every peer needs it.
        truth: (N,) the answers.
        answers: how many images at most.
        seed: of the random start, and of the peer.

    Yields:
        The number of each image asked.

    Raises:
        ImportError: the peers are not installed.
    """
    centred = vectors - vectors.mean(0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True).clip(1e-12)
    choose = PEERS[name](centred, seed)
    shuffled = iter(np.random.default_rng(seed).permutation(len(vectors)))
    asked: list[int] = []
    while len(asked) < min(answers, len(vectors)):
        labels = truth[asked]
        known = len(set(labels.tolist())) == 2
        image = choose(np.array(asked), labels) if known else int(next(shuffled))
        asked.append(image)
        yield image

"""The head: from an embedding to the probability of the positive class; torch only."""

from collections.abc import Hashable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from IA.learning.calibration import along, line
from IA.learning.projection import Projection
from IA.learning.regression import kernel_regression, linear_regression

GAMMA = 3.0  # The kernel is k(a, b) = exp(-GAMMA (1 - cos(a, b))) + CONSTANT.
CONSTANT = 0.1  # The constant takes the place of a bias, and is regularised like any other weight.
C = 10.0  # The weight of the answers against the norm of the weights.
KERNEL_ANSWERS = 1000  # Above this many answers the head is linear, so that its cost does not grow with their square.
FOLDS = 5
SHAPES = {  # The number of dimensions of each buffer, by its name in the checkpoint.
    "mean": 1,
    "basis": 2,
    "rooted": 0,
    "support": 2,
    "weights": 1,
    "bias": 0,
    "gamma": 0,
    "curve": 2,
}


class Head(nn.Module):
    """Kernel logistic regression on the projected embedding; above 1,000 answers linear logistic regression.

    Buffers, S support vectors:
        mean (D,), basis (D, K), rooted (), 0 or 1: the space of the pool, see `IA.learning.projection`; `rooted` is its
            root transform, under the name that it has in checkpoints.
        support (S, K), weights (S,), bias (), gamma (): score = sum of weights * exp(-gamma (1 - cos)) + bias;
            with a gamma of 0 the kernel is cos itself, and one support vector is enough.
        curve (Q, 2): points (score, logit of the probability), see `IA.learning.calibration`; at least two, ascending.
    """

    mean: Tensor
    basis: Tensor
    rooted: Tensor
    support: Tensor
    weights: Tensor
    bias: Tensor
    gamma: Tensor
    curve: Tensor

    def __init__(self, space: Projection, support: Tensor, weights: Tensor, bias: Tensor, gamma: float) -> None:
        """Put a head together; see the class for the shapes."""
        super().__init__()
        self.register_buffer("mean", space.mean)
        self.register_buffer("basis", space.basis)
        self.register_buffer("rooted", torch.tensor(float(space.root_transform)))
        self.register_buffer("support", support)
        self.register_buffer("weights", weights)
        self.register_buffer("bias", bias)
        self.register_buffer("gamma", torch.tensor(gamma))
        self.register_buffer("curve", line(1.0, 0.0))

    @classmethod
    def empty(cls, dimension: int, components: int, support: int) -> "Head":
        """A head of zeros, to be filled by `load_state_dict`; it gives every image a probability of 0.5."""
        return cls(
            Projection(torch.zeros(dimension), torch.zeros(dimension, components), root_transform=False),
            support=torch.zeros(support, components),
            weights=torch.zeros(support),
            bias=torch.tensor(0.0),
            gamma=GAMMA,
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> "Head":
        """The head in a checkpoint.

        Args:
            state: the buffers by name; files of earlier versions hold a scale and an offset instead of a curve.

        Raises:
            ValueError: one is missing, of a wrong shape or type, or not finite.
        """
        if "curve" not in state and {"scale", "offset"} <= set(state):
            state = {**state, "curve": line(float(state["scale"]), float(state["offset"]))}
        for name, dimensions in SHAPES.items():
            tensor = state.get(name)
            if not isinstance(tensor, Tensor) or tensor.ndim != dimensions or tensor.dtype != torch.float32:
                raise ValueError(f"the head has no {name} of {dimensions} dimensions")
            if not tensor.isfinite().all():
                raise ValueError(f"{name} of the head is not finite")
        if len(state["curve"]) < 2 or state["curve"].shape[1] != 2 or not (state["curve"].diff(dim=0)[:, 0] > 0).all():
            raise ValueError("the curve of the head is none")
        dimension, components = state["basis"].shape
        head = cls.empty(dimension, components, support=len(state["weights"]))
        head.curve = torch.zeros_like(state["curve"])
        try:
            head.load_state_dict({name: state[name] for name in SHAPES})
        except RuntimeError:
            raise ValueError("the parts of the head do not fit each other") from None
        return head

    @classmethod
    def fit(cls, projected: Tensor, labels: Tensor, space: Projection) -> "Head":
        """Learn from answers.

        Args:
            projected: (n, K) float32, the answered images as `space.project` gives them.
            labels: (n,) bool, True for positive.
            space: of the pool.

        Returns:
            A new head, finite whatever the input; without answers it gives every image a probability of 0.5.
        """
        projected = projected.float().nan_to_num(0.0)
        if len(labels) > KERNEL_ANSWERS:
            constant = torch.full((len(labels), 1), CONSTANT**0.5)
            weights = linear_regression(torch.cat([projected, constant], dim=1), labels, C)  # (K + 1,)
            direction, bias = weights[:-1], weights[-1]
            return cls(space, direction[None], torch.ones(1), bias * CONSTANT**0.5, gamma=0.0)
        weights = kernel_regression(kernel(projected, projected) + CONSTANT, labels, C)  # (n,)
        return cls(space, projected, weights, CONSTANT * weights.sum(), gamma=GAMMA)

    @property
    def space(self) -> Projection:
        """The space in which the head compares images."""
        return Projection(self.mean, self.basis, bool(self.rooted))

    def project(self, embeddings: Tensor) -> Tensor:
        """Bring embeddings (B, D) float32 into `space`: (B, K) float32, each of length 1."""
        return self.space.project(embeddings)

    def scores(self, projected: Tensor) -> Tensor:
        """The evidence for positive, as a logit before calibration.

        Args:
            projected: (B, K) float32, from `project`.

        Returns:
            (B,) float32, finite.
        """
        gamma = float(self.gamma)
        similarity = kernel(projected, self.support, gamma) if gamma else projected @ self.support.T  # (B, S)
        return similarity @ self.weights + self.bias

    def calibrated(self, scores: Tensor) -> Tensor:
        """Scores (B,) as probabilities of the positive class, (B,) float32 in [0, 1]."""
        return torch.sigmoid(self.logits(scores))

    def logits(self, scores: Tensor) -> Tensor:
        """Scores (B,) as logits of the probability of the positive class, (B,) float32."""
        return along(self.curve, scores)

    def probabilities(self, projected: Tensor) -> Tensor:
        """Probability of the positive class, (B,) float32 in [0, 1], of projected embeddings (B, K)."""
        return self.calibrated(self.scores(projected))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Probability of the positive class.

        Args:
            embeddings: (B, D) float32.

        Returns:
            (B,) float32 in [0, 1].
        """
        return self.probabilities(self.project(embeddings))


def kernel(a: Tensor, b: Tensor, gamma: float = GAMMA) -> Tensor:
    """Similarity of vectors of length 1: exp(-gamma (1 - cos)).

    Args:
        a: (A, K) float32 and
        b: (B, K) float32.
        gamma: the larger it is, the less distant vectors count.

    Returns:
        (A, B) float32 in (0, 1].
    """
    return torch.exp(gamma * (a @ b.T - 1))


def cross_fitted_scores(
    projected: Tensor, labels: Tensor, folds: int = FOLDS, groups: Sequence[Hashable] | None = None
) -> Tensor:
    """Score each answer with a head that has not seen it.

    Args:
        projected: (n, K) float32.
        labels: (n,) bool, in the order answered.
        folds: how many heads are fitted.
        groups: (n,) near duplicates have the same group; None: there are none.

    Returns:
        (n,) float32, as `Head.scores` gives them; NaN everywhere if a fold would miss one of the classes.
    """
    labels = labels.bool()
    scores = torch.full((len(labels),), torch.nan)
    if min(int(labels.sum()), int((~labels).sum())) < folds:
        return scores
    fold = folds_of(labels, folds, groups)  # (n,)
    nowhere = Projection(torch.zeros(0), torch.zeros(0, 0), root_transform=False)
    for number in range(folds):
        held_out = fold == number
        head = Head.fit(projected[~held_out], labels[~held_out], nowhere)
        scores[held_out] = head.scores(projected[held_out])
    return scores


def folds_of(labels: Tensor, folds: int, groups: Sequence[Hashable] | None = None) -> Tensor:
    """Deal the answers of either class round the folds in their order, so that a new answer moves no earlier one.

    Args:
        labels: (n,) bool, in the order answered.
        folds: how many.
        groups: (n,) answers with the same group go into the same fold; None: each answer is a group of its own.

    Returns:
        (n,) int64, from 0 to folds - 1.
    """
    fold = torch.where(labels, labels.cumsum(0) - 1, (~labels).cumsum(0) - 1) % folds
    if groups is not None:
        first: dict[Hashable, int] = {}
        places = [first.setdefault(group, place) for place, group in enumerate(groups)]
        fold = fold[torch.tensor(places, dtype=torch.int64)]
    return fold


def validation(scores: Tensor, labels: Tensor) -> dict[str, float]:
    """How good the head is on held-out answers, which are harder than the remaining images of the pool.

    Args:
        scores: (n,) float32, from `cross_fitted_scores`; NaN where an answer has no score.
        labels: (n,) bool.

    Returns:
        `average_precision`, `loss` (log loss, in nat), `threshold` (see `best_threshold`) and `accuracy` (at a
        threshold that was tuned on other answers); empty with fewer than 5 of a class.
    """
    known = ~scores.isnan()
    scores, labels = scores[known], labels[known].bool()
    if min(int(labels.sum()), int((~labels).sum())) < FOLDS:
        return {}
    probability = torch.sigmoid(scores)
    return {
        "accuracy": _cross_tuned_accuracy(probability, labels),
        "average_precision": average_precision(probability, labels),
        "loss": float(binary_cross_entropy_with_logits(scores, labels.float())),
        "threshold": best_threshold(probability, labels),
    }


def average_precision(probability: Tensor, labels: Tensor) -> float:
    """Mean of the precision at each positive, in descending order of probability; equal probabilities go together."""
    positives, called, _ = _cuts(probability, labels)
    found = torch.diff(positives, prepend=torch.zeros(1))
    return float((positives / called * found).sum() / labels.sum())


def best_threshold(probability: Tensor, labels: Tensor, weights: Tensor | None = None) -> float:
    """The threshold on the probability at which F1 is highest.

    Args:
        probability: (n,) float32 in [0, 1].
        labels: (n,) bool, at least one of them True; or float32, the probability that each is positive.
        weights: (n,) float32, how many images each stands for; None: one each.

    Returns:
        The middle between the lowest probability above the cut and the highest below it.
    """
    positives, called, at = _cuts(probability, labels, weights)
    best = int((2 * positives / (called + positives[-1])).argmax())
    below = float(at[best + 1]) if best + 1 < len(at) else 0.0
    return (float(at[best]) + below) / 2


def _cuts(probability: Tensor, labels: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """For each different probability, the highest first: the positives and the images from there up, and itself."""
    at, places = probability.sort(descending=True, stable=True)
    last = torch.ones(len(at), dtype=torch.bool)
    last[:-1] = at[1:] != at[:-1]
    each = torch.ones(len(at), dtype=torch.float64) if weights is None else weights.double()
    positives = (each * labels)[places].cumsum(0).float()
    return positives[last], each[places].cumsum(0).float()[last], at[last]


def _cross_tuned_accuracy(probability: Tensor, labels: Tensor) -> float:
    """Accuracy of one half of the answers at the threshold of the other, and the other way round."""
    even = folds_of(labels, 2) == 0
    right = 0
    for half in (even, ~even):
        threshold = best_threshold(probability[~half], labels[~half])
        right += int(((probability[half] >= threshold) == labels[half]).sum())
    return right / len(labels)

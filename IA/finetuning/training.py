"""Trains a copy of the backbone on the answers, and compares it with the old one on held-out answers."""

import copy
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.transforms import InterpolationMode, v2

from IA.dataset import Preprocessing, batches, normalise
from IA.embedding.embedder import Embedder
from IA.embedding.engine import best_device
from IA.learning.head import Head, average_precision
from IA.learning.projection import Projection
from IA.learning.promotion import Promotion, promotion
from IA.learning.regression import linear_regression
from IA.networks import Backbone

TRAINED, STOPPING, HELD_OUT = 0, 1, 2  # The uses of an answer, see `DividedAnswers`.
SHARES = {STOPPING: 0.16, HELD_OUT: 0.2}
LEAST_HELD_OUT = 5  # This many answers of either class must be held out.
FROZEN = 0.5  # The first half of the weight tensors is not trained: it sees edges and textures, whatever the answers.
LEARNING_RATE = 3e-4
WEIGHT_DECAY = 1e-4
WARM_STEPS = 20
BATCH = 16
EPOCHS = 8
PATIENCE = 3  # Training stops after this many epochs without a better one.
EPOCH_IMAGES = 4000  # If there are more answers, each epoch samples this many of them.
RARER_SHARE = 1 / 3  # The rarer answer is repeated until it makes up this share of an epoch.
PROBE_C = 0.1

Truth = NDArray[np.bool_]
Numbers = NDArray[np.int64]
EpochReport = Callable[[int, float, float], None]


@dataclass(frozen=True)
class DividedAnswers:
    """Answered images, and the use of each.

    Attributes:
        files: the n images.
        labels: (n,) bool, True for positive.
        part: (n,) `TRAINED`, `STOPPING` (decides when training stops) or `HELD_OUT` (decides, at the end, which
            backbone is better, and nothing else).
    """

    files: Sequence[Path]
    labels: Truth
    part: Numbers

    @classmethod
    def from_answers(
        cls,
        files: Sequence[Path],
        labels: Truth,
        random: np.random.Generator,
        groups: Sequence[Hashable] | None = None,
    ) -> "DividedAnswers":
        """Divide the answers of either class at random.

        Args:
            files: the n images.
            labels: (n,) bool, True for positive.
            random: divides them.
            groups: (n,) answers with the same group get the same use; None: each answer is a group of its own.

        Raises:
            ValueError: too few of a class could be held out.
        """
        part = np.full(len(labels), TRAINED)
        for label in (True, False):
            places = random.permutation(np.flatnonzero(labels == label))
            for use, share in SHARES.items():
                some, places = np.split(places, [round(share * np.sum(labels == label))])
                part[some] = use
            if np.sum((part == HELD_OUT) & (labels == label)) < LEAST_HELD_OUT:
                raise ValueError("too few answers of one kind could be held out")
        first: dict[Hashable, int] = {}
        part = part[[first.setdefault(group, place) for place, group in enumerate(groups or range(len(part)))]]
        return cls(files, labels, part)

    def used_for(self, *uses: int) -> Numbers:
        """Places of the answers with these uses."""
        return np.flatnonzero(np.isin(self.part, uses))


@dataclass(frozen=True)
class FineTuned:
    """The outcome of a fine-tuning.

    Attributes:
        embedder: with the new backbone.
        answers: with their uses.
        promotion: the comparison of both backbones on the answers held out, by heads that learnt all others.
    """

    embedder: Embedder
    answers: DividedAnswers
    promotion: Promotion

    @property
    def learnt(self) -> Numbers:
        """Places of the answers that the new backbone has learnt, or that decided when training stopped."""
        return self.answers.used_for(TRAINED, STOPPING)


def fine_tune(
    old: Embedder, answers: DividedAnswers, others: Sequence[Path], report: EpochReport, seed: int = 0
) -> FineTuned:
    """Train the later layers of a copy of the backbone on answers, and compare it with the old one.

    Args:
        old: with the backbone to begin with, which stays as it is.
        answers: the answers.
        others: a few hundred images of the pool, answered or not, which describe both embedding spaces.
        report: called after each epoch with its number, its loss in nat, and the average precision on `STOPPING`
            answers.
        seed: of every random choice.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    vectors = old.vectors(answers.files)
    train = answers.used_for(TRAINED)
    module = copy.deepcopy(old.backbone.module).to(best_device()).eval()
    tuned = Backbone(old.backbone.name, module, old.backbone.preprocessing, old.backbone.dimension)
    Training(tuned, _probe(vectors[train], answers.labels[train]), answers, random).run(report)
    new = Embedder(tuned, old.cores)
    truth = torch.from_numpy(answers.labels[answers.used_for(HELD_OUT)])
    scores = [
        _held_out_scores(answers, vectors, old.vectors(others)),
        _held_out_scores(answers, new.vectors(answers.files), new.vectors(others)),
    ]
    return FineTuned(new, answers, promotion(scores[0], scores[1], truth, random))


class Training:
    """A backbone and a linear layer on it, trained together (after probing: Kumar et al. 2022).

    Everything stays in evaluation mode: batch normalisation keeps the statistics of the pretraining.
    """

    def __init__(
        self, backbone: Backbone, layer: nn.Linear, answers: DividedAnswers, random: np.random.Generator
    ) -> None:
        """`backbone` is trained in place."""
        self._module = backbone.module
        self._preprocessing = backbone.preprocessing
        self._answers = answers
        self._random = random
        self._targets = torch.from_numpy(answers.labels).float()
        weights = list(self._module.parameters())
        frozen = int(FROZEN * len(weights))
        for weight in weights[:frozen]:
            weight.requires_grad_(False)
        self._device = weights[0].device
        self._layer = layer.to(self._device)
        self._optimiser = torch.optim.AdamW(
            [*weights[frozen:], *layer.parameters()], LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )
        self._augment = augmentation(self._preprocessing)

    def run(self, report: EpochReport) -> None:
        """Train until epochs stop getting better; the backbone ends as it was after the best epoch."""
        epochs = [self._sample() for _ in range(EPOCHS)]
        steps = sum(-(-len(epoch) // BATCH) for epoch in epochs)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: min(1.0, (step + 1) / WARM_STEPS) * (1 + np.cos(np.pi * step / steps)) / 2
        )
        best, best_number, state = self._precision(), 0, copy.deepcopy(self._module.state_dict())
        for number, epoch in enumerate(epochs, 1):
            loss = self._train(epoch, schedule)
            precision = self._precision()
            report(number, loss, precision)
            if precision >= best:
                best, best_number, state = precision, number, copy.deepcopy(self._module.state_dict())
            if number - best_number >= PATIENCE:
                break
        self._module.load_state_dict(state)

    def _sample(self) -> Numbers:
        """Places of the answers of one epoch: all of them, the rarer kind repeated."""
        train = self._answers.used_for(TRAINED)
        kinds = [train[self._answers.labels[train] == label] for label in (True, False)]
        size = min(len(train), EPOCH_IMAGES)
        rarer, other = sorted(kinds, key=len)
        repeated = max(round(size * len(rarer) / len(train)), round(RARER_SHARE * size))
        sampled = np.resize(self._random.permutation(rarer), repeated)
        return self._random.permutation(np.concatenate([sampled, self._random.permutation(other)[: size - repeated]]))

    def _train(self, epoch: Numbers, schedule: torch.optim.lr_scheduler.LRScheduler) -> float:
        """One epoch; returns the mean loss."""
        total = 0.0
        files = [self._answers.files[place] for place in epoch]
        for stacks, _ in batches(files, self._preprocessing, BATCH, workers=1):
            images_at_once = sum(len(places) for places, _ in stacks)
            self._optimiser.zero_grad()
            for places, images in stacks:
                varied = torch.stack([self._augment(image) for image in images])
                loss = binary_cross_entropy_with_logits(
                    self._logits(varied), self._targets[epoch[places]].to(self._device), reduction="sum"
                )
                (loss / images_at_once).backward()  # type: ignore[no-untyped-call]
                total += float(loss.detach())
            self._optimiser.step()
            schedule.step()
        return total / len(epoch)

    @torch.inference_mode()
    def _precision(self) -> float:
        """Average precision on the `STOPPING` answers."""
        places = self._answers.used_for(STOPPING)
        logits = torch.zeros(len(places))
        files = [self._answers.files[place] for place in places]
        for stacks, _ in batches(files, self._preprocessing, BATCH, workers=1):
            for some, images in stacks:
                logits[some] = self._logits(images).cpu()
        return average_precision(torch.sigmoid(logits), torch.from_numpy(self._answers.labels[places]))

    def _logits(self, images: Tensor) -> Tensor:
        """Logits (B,) of images (B, 3, H, W) uint8."""
        pixels = normalise(images.to(self._device), self._preprocessing).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self._layer(self._module(pixels))[:, 0]
        return logits


def augmentation(preprocessing: Preprocessing) -> v2.Transform:
    """Vary an image (3, H, W) uint8 as a photographer might: flip, rotation, shift, zoom, colour."""
    margin = [round(255 * value) for value in preprocessing.mean]
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomAffine(15, (0.08, 0.08), (0.8, 1.25), interpolation=InterpolationMode.BILINEAR, fill=margin),
            v2.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.05),
        ]
    )


def _probe(vectors: Tensor, labels: Truth) -> nn.Linear:
    """The linear layer that fits the labels best on embeddings (n, D) as they are."""
    mean, spread = vectors.mean(0), vectors.std(0) + 1e-3
    norm = vectors.shape[1] ** 0.5  # the norm of a typical embedding, so that C means the same whatever D is
    features = torch.cat([(vectors - mean) / (spread * norm), torch.ones(len(vectors), 1)], dim=1)  # (n, D + 1)
    weights = linear_regression(features, torch.from_numpy(labels), PROBE_C * norm)  # (D + 1,)
    layer = nn.Linear(vectors.shape[1], 1)
    with torch.no_grad():
        layer.weight.copy_(weights[None, :-1] / (spread * norm))
        layer.bias.copy_(weights[-1:] - layer.weight @ mean)
    return layer


def _held_out_scores(answers: DividedAnswers, vectors: Tensor, others: Tensor) -> Tensor:
    """Scores (h,) of the held-out answers, by a head that learnt all other answers, in the space of `others`."""
    space = Projection.from_vectors(others[others.any(dim=1)])
    projected = space.project(vectors)
    known = answers.used_for(TRAINED, STOPPING)
    head = Head.fit(projected[known], torch.from_numpy(answers.labels[known]), space)
    return head.scores(projected[answers.used_for(HELD_OUT)])

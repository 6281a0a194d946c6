"""What the files between the processes hold: one record for each file."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from config import ALIKE, DEFAULT_ALIKE, DEFAULT_AUDIT, DEFAULT_AUTO_IDLE_S, kept_settings
from IA.protocol.fields import (
    FINITE,
    MOST,
    NO_FLOATS,
    Floats,
    Ints,
    Record,
    array,
    count,
    flag,
    optional,
    real,
    share,
    stored,
    text,
    typed,
    within,
)

MOST_ALIKE = 100  # a group of near duplicates, which is one question, has at most this many images


BEFORE = {name: setting.before for name, setting in kept_settings().items()}


def _alike(value: Any) -> str:
    if value not in ALIKE:
        raise ValueError("an unknown way to find near duplicates")
    return text(value)


def _idle_s(value: Any) -> float:
    if not 0 <= real(value) < math.inf:
        raise ValueError("a time that nobody can wait")
    return float(value)


@dataclass(frozen=True)
class Settings(Record):
    """What the person chose for this run.

    Attributes:
        datadir: absolute path of the image folder, as the server sees it.
        network: name of the backbone, or a file of weights.
        strategy: what to ask first, one of `IA.strategies.STRATEGIES`.
        positive: what the positive answer is called.
        negative: what the negative answer is called.
        id: tells this run from any other, even from an earlier one in the same place.
        finetune: whether the backbone learns too, auto, on or off.
        run: absolute path of the run directory. If the directory is elsewhere now, somebody moved or copied it.
        follow_links: whether images may lie anywhere that a link in `datadir` leads to.
        audit: share of the questions that are sampled at random, 0 to 1.
        audit_after: while every question is sampled at random, the value that `audit` returns to afterwards. None:
            `audit` stays.
        audit_until: every question is sampled at random until there are so many random answers. None: until there is
            a certificate.
        recall: the certificate says that at least this share of the positives was found.
        confidence: how certain the certificate is.
        alike: whether near duplicates are one question, one of `config.ALIKE`.
        examples: absolute path of a folder of example pictures; "": there are none.
        tile: the grid that cuts up every photo, such as 6x4; "": the images are whole photos.
        prompt: what a person looks for, in words, several phrases separated by commas; "": nobody has said it.
        scores: absolute path of the file that the scores in scores.pickle came from; "": there are none.
        auto_idle: AUTO asks whether a person is there after at least so many seconds without a sign of one; 0: never.
    """

    datadir: str = field(metadata=stored(text))
    network: str = field(metadata=stored(text))
    strategy: str = field(metadata=stored(text))
    positive: str = field(metadata=stored(text))
    negative: str = field(metadata=stored(text))
    id: str = field(metadata=stored(text))
    finetune: str = field(default="auto", metadata=stored(text, BEFORE["finetune"]))
    run: str = field(default="", metadata=stored(text, before=""))
    follow_links: bool = field(default=False, metadata=stored(flag, before=False))
    audit: float = field(default=DEFAULT_AUDIT, metadata=stored(share, BEFORE["audit"]))
    audit_after: float | None = field(default=None, metadata=stored(optional(share), before=None))
    audit_until: int | None = field(default=None, metadata=stored(optional(count), before=None))
    recall: float = field(default=0.95, metadata=stored(share, before=0.95))
    confidence: float = field(default=0.95, metadata=stored(share, before=0.95))
    alike: str = field(default=DEFAULT_ALIKE, metadata=stored(_alike, BEFORE["alike"]))
    examples: str = field(default="", metadata=stored(text, BEFORE["examples"]))
    tile: str = field(default="", metadata=stored(text, BEFORE["tile"]))
    prompt: str = field(default="", metadata=stored(text, BEFORE["prompt"]))
    scores: str = field(default="", metadata=stored(text, BEFORE["scores"]))
    auto_idle: float = field(default=DEFAULT_AUTO_IDLE_S, metadata=stored(_idle_s, BEFORE["auto_idle"]))

    def bounds(self, datadir: Path) -> Path | None:
        """The folder that all images must lie in, on a machine that sees them at `datadir`; None: anywhere."""
        return None if self.follow_links else datadir.resolve()


@dataclass(frozen=True)
class Features(Record):
    """What the pool of images says about the embedding space.

    Attributes:
        backbone: fingerprint of the backbone whose embeddings these are.
        images: how many images the figures rest on.
        mean: (D,) float32, the mean of the embeddings.
        basis: (D * K,) float32, the first K principal directions as columns, row by row.
        rooted: whether the square root of each value of an embedding is taken first.
        sampled: (m,) int32, the numbers of images that were sampled at random from these.
        sample: (m * K,) float32, the sampled images in the space of mean and basis, image by image.
    """

    backbone: str = field(metadata=stored(text))
    images: int = field(metadata=stored(count))
    mean: Floats = field(metadata=array("f", -FINITE, FINITE))
    basis: Floats = field(metadata=array("f", -FINITE, FINITE))
    rooted: bool = field(metadata=stored(flag))
    sampled: Ints = field(metadata=array("i", -MOST, MOST, before=b""))
    sample: Floats = field(metadata=array("f", -FINITE, FINITE, before=b""))

    def check(self) -> None:
        """See `Record`."""
        if not len(self.mean) or not len(self.basis) or len(self.basis) % len(self.mean):
            raise ValueError("mean and basis do not fit each other")
        if len(self.sample) != len(self.sampled) * (len(self.basis) // len(self.mean)):
            raise ValueError("the sample and its numbers do not fit each other")


@dataclass(frozen=True)
class FineTuning(Record):
    """The outcome of the last fine-tuning.

    Attributes:
        base: fingerprint of the first network of the run.
        labels: how many positive and negative answers there were.
        before: average precision on held-out answers with the backbone that it began with.
        after: average precision on the same answers with the new backbone.
        certainty: share of resamples of the held-out answers in which the new backbone is better.
        taken: whether the new backbone replaced backbone.ckpt.
    """

    base: str = field(metadata=stored(text))
    labels: int = field(metadata=stored(count))
    before: float = field(metadata=stored(real))
    after: float = field(metadata=stored(real))
    certainty: float = field(metadata=stored(real))
    taken: bool = field(metadata=stored(flag))


@dataclass(frozen=True)
class Networks(Record):
    """Which network embeds the images, and which one comes behind it.

    Attributes:
        asked: the setting `network` that this is about.
        network: the network in force.
        behind: the network that comes behind it; "": none.
        embedded: how many images that one has embedded.
        images: how many it could embed.
        is_decided: whether it was compared with the network in force, or there is none.
        note: one sentence on it; "": there is nothing to say.
    """

    asked: str = field(metadata=stored(text))
    network: str = field(metadata=stored(text))
    behind: str = field(default="", metadata=stored(text))
    embedded: int = field(default=0, metadata=stored(count))
    images: int = field(default=0, metadata=stored(count))
    is_decided: bool = field(default=False, metadata=stored(flag))
    note: str = field(default="", metadata=stored(text))


@dataclass(frozen=True)
class Duplicates(Record):
    """Which images are near duplicates of one another.

    Attributes:
        first: (N,) int32, for each image the number of the image that represents its group; an image without near
            duplicates represents itself. Every image of a group is a near duplicate of its representative.
    """

    first: Ints = field(metadata=array("i", 0, MOST))

    def check(self) -> None:
        """See `Record`."""
        first = np.asarray(self.first)
        within(first, 0, len(first) - 1)
        if (first[first] != first).any():
            raise ValueError("a group whose first image is in another one")
        if len(first) and np.bincount(first).max() > MOST_ALIKE:
            raise ValueError(f"a group of more than {MOST_ALIKE}")


def _checkpoint(data: Any) -> dict[str, Any] | None:
    checkpoint: dict[str, Any] | None = typed(data, dict, type(None))
    if checkpoint is not None:
        count(checkpoint["generation"])
        count(checkpoint["labels"])
        for name, value in typed(checkpoint["metrics"], dict).items():
            text(name)
            real(value) if type(value) is not int else count(value)
    return checkpoint


@dataclass(frozen=True)
class Predictions(Record):
    """What the model predicts for every image, and the checkpoint behind it.

    Attributes:
        probability: (N,) float32, of positive; NaN for images without a score, so for all before the first checkpoint.
        novelty: (N,) float32, cosine distance to the nearest answered image; NaN for images without an embedding.
        unreadable: (U,) int32, numbers of the images that could not be decoded.
        embedded: how many images have an embedding.
        labels: how many positive and negative answers the figures have learnt from.
        checkpoint: `generation`, `labels`, `threshold` and `metrics` of the checkpoint; None before the first.
        missing: how many images still have no embedding.
        spacing: (N,) float32, cosine distance around each image to the nearest two-hundredth of the pool; NaN for
            images without an embedding. Empty if there is a checkpoint, or if so few images are embedded that nobody
            knows.
        prior: (N,) float32, how well each image fits what a person has said before any answer (examples, prompt,
            scores), over the pool of mean 0 and standard deviation 1; NaN where nothing is known of an image. Empty if
            a person has said nothing.
    """

    probability: Floats = field(metadata=array("f", 0, 1, unknown=True))
    novelty: Floats = field(metadata=array("f", -np.inf, np.inf, unknown=True))
    unreadable: Ints = field(metadata=array("i", 0, MOST))
    embedded: int = field(metadata=stored(count))
    labels: int = field(metadata=stored(count))
    checkpoint: dict[str, Any] | None = field(metadata=stored(_checkpoint))
    missing: int = field(default=0, metadata=stored(count))
    prior: Floats = field(default=NO_FLOATS, metadata=array("f", -FINITE, FINITE, unknown=True, before=b""))
    spacing: Floats = field(default=NO_FLOATS, metadata=array("f", 0, 2, unknown=True, before=b""))

    def check(self) -> None:
        """See `Record`."""
        if len(self.probability) != len(self.novelty):
            raise ValueError("probability and novelty differ in length")
        within(np.asarray(self.unreadable), 0, len(self.probability) - 1)
        if not {len(self.prior), len(self.spacing)} <= {0, len(self.probability)}:
            raise ValueError("probability, prior and spacing differ in length")


@dataclass(frozen=True)
class Ranking(Record):
    """The images to ask next.

    Attributes:
        images: (R,) int32, numbers of the images whose answer the model does not know, best first.
        probability: (R,) float32, of positive; NaN for images without a score.
        labels: how many positive and negative answers the order has learnt from.
        strategy: the name of the strategy that ordered the images.
        checkpoint: generation of the checkpoint behind the order; None before the first.
    """

    images: Ints = field(metadata=array("i", 0, MOST))
    probability: Floats = field(metadata=array("f", 0, 1, unknown=True))
    labels: int = field(metadata=stored(count))
    strategy: str = field(metadata=stored(text))
    checkpoint: int | None = field(metadata=stored(lambda value: typed(value, int, type(None))))

    def check(self) -> None:
        """See `Record`."""
        if len(self.images) != len(self.probability):
            raise ValueError("images and probability differ in length")


@dataclass(frozen=True)
class Scores(Record):
    """Scores of images that a person brought along.

    Attributes:
        images: (S,) int32, numbers of the images that have a score, ascending.
        scores: (S,) float32, as they stood in the person's file; the higher, the more likely positive.
    """

    images: Ints = field(metadata=array("i", 0, MOST))
    scores: Floats = field(metadata=array("f", -FINITE, FINITE))

    def check(self) -> None:
        """See `Record`."""
        if len(self.images) != len(self.scores) or (np.diff(np.asarray(self.images)) <= 0).any():
            raise ValueError("images and scores that do not fit each other")

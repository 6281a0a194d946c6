"""What the model would make of the images that nobody has answered, at any threshold: counts, figures, examples."""

import numpy as np
import numpy.typing as npt

from backend.questions.audit import Audit, between, precision_of
from backend.questions.doubtful import Doubtful, Numbers
from backend.wire.figures import RandomAnswers
from backend.wire.finish import DoubtfulBand, FinishFigures
from IA.protocol.records import Predictions
from IA.text.words import counted

USUAL_THRESHOLD = 0.5  # for a checkpoint that has none of its own
BINS = 50
EXAMPLES = 8
FEWEST_DRAWN = 5  # Fewer random answers above a threshold tell nothing about how right the labels there are.


class UnreviewedImages:
    """The images without an answer, as the model sees them at one moment.

    Attributes:
        images: (n,) int32, numbers of those that can be labelled: they are scored, readable and there.
        probability: (n,) float32, the probability of positive of each of them.
        unscored: how many images without an answer cannot be labelled because they are not scored.
        checkpoint: generation of the checkpoint that the probabilities came from.
        usual_threshold: the threshold of that checkpoint.
    """

    def __init__(self, audit: Audit, predictions: Predictions) -> None:
        """Find them; `predictions` must have come from a checkpoint."""
        checkpoint = predictions.checkpoint or {}
        self._audit = audit
        self._predictions = predictions
        self._all = audit.probability(predictions)
        is_scored = ~np.isnan(self._all)
        self.images = np.flatnonzero(audit.counted.unanswered & is_scored).astype(np.int32)
        self.probability = self._all[self.images]
        self.unscored = int(audit.counted.unanswered.sum()) - len(self.images)
        self.checkpoint: int = checkpoint["generation"]
        threshold = checkpoint.get("threshold")
        self.usual_threshold = threshold if isinstance(threshold, float) else USUAL_THRESHOLD
        self._order = np.argsort(self.probability, kind="stable")

    def figures(self, threshold: float) -> FinishFigures:
        """How many images become positive and negative, how right that would be, and how sure the model is of each.

        `drawn_positive` counts the random answers to images at or above the threshold, and `positive_known` says
        whether that is enough to tell how right the positive labels would be.
        """
        positive = int((self.probability >= threshold).sum())
        division = self._audit.division(self._predictions, threshold)
        drawn = len(self._audit.counted.sample.images)
        return {
            "threshold": threshold,
            "checkpoint": self.checkpoint,
            "positive": positive,
            "negative": len(self.images) - positive,
            "unscored": self.unscored,
            "drawn": drawn,
            "drawn_positive": division.above.sampled,
            "positive_known": not positive or division.above.sampled >= FEWEST_DRAWN,
            "precision": precision_of(division, division.labelled_precision()) if drawn else None,
            "recall": between(division.labelled_recall()) if drawn else None,
            "histogram": np.histogram(self.probability, BINS, (0, 1))[0].tolist(),
        }

    @property
    def random(self) -> RandomAnswers:
        """How many random answers there are, and how many it takes before the model may label the images."""
        return self._audit.random

    def needs(self) -> str | None:
        """What the model waits for before it may label the images, a sentence without its full stop; None: it may."""
        missing = self.random["needed"] - self.random["answered"]
        if missing <= 0:
            return None
        return counted(missing, "more random answer is needed", "more random answers are needed")

    def lacks(self) -> str | None:
        """Why the model may not label the images yet, a sentence without its full stop; None: it may."""
        needs = self.needs()
        return needs and f"Nobody can tell yet how right that would be: {needs}"

    def doubtful(self, band: Doubtful) -> DoubtfulBand:
        """A band, how many images without an answer lie in it, and how many of them are asked next."""
        unanswered = self._audit.counted.unanswered
        return {
            "low": band.low,
            "high": band.high,
            "images": int((band.holds(self._all) & unanswered).sum()),
            "next": int(unanswered[self.order(band)].sum()),
        }

    def order(self, band: Doubtful) -> Numbers:
        """The images of a band that are asked next, answered or not, nearest to the threshold first."""
        return band.to_ask(self._all, self._audit.counted.remaining)

    def examples(self, threshold: float) -> dict[str, list[tuple[int, float]]]:
        """Images and their probabilities: the nearest to the threshold on both sides, and others, evenly spaced."""
        place = int(np.searchsorted(self.probability[self._order], np.float32(threshold)))
        low, high = max(0, place - EXAMPLES // 2), min(place + EXAMPLES // 2, len(self._order))
        ranks = {"above": _evenly(high, len(self._order)), "at": np.arange(low, high), "below": _evenly(0, low)}
        return {
            name: [(int(self.images[at]), float(self.probability[at])) for at in self._order[chosen[::-1]]]
            for name, chosen in ranks.items()
        }


def _evenly(start: int, end: int) -> npt.NDArray[np.intp]:
    """At most `EXAMPLES` whole numbers from `start` to `end` - 1, evenly spaced, both of these among them."""
    return np.unique(np.linspace(start, end - 1, min(EXAMPLES, end - start)).round().astype(np.intp))

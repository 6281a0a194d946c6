"""The explanations that inference has published lately; a page may still show an image that is no longer ranked."""

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from IA.protocol import shown
from IA.protocol.shown import FULL, NEIGHBOURS

KEPT = 1000  # images; an explanation takes some hundred bytes

Near = tuple[tuple[int, float], ...]
"""Numbers of answered images and their similarity, the most similar first."""


@dataclass(frozen=True)
class Explanation:
    """Why the model predicts what it predicts of one image.

    Attributes:
        checkpoint: generation of the checkpoint that is explained.
        shape: height and width of the map; 0 and 0 where there is none.
        values: how much each place speaks for positive, or against it: -1 to 1, row by row.
        positive: the most similar images with a positive answer.
        negative: the most similar ones with a negative answer.
    """

    checkpoint: int
    shape: tuple[int, int]
    values: tuple[float, ...]
    positive: Near
    negative: Near


class ExplanationCache:
    """The newest explanation of each of the images that were explained last."""

    def __init__(self, version_of: Callable[[int], str]) -> None:
        """Begin without an explanation.

        Args:
            version_of: gives the version of the file of an image; raises IndexError where there is no such image.
        """
        self._version_of = version_of
        self._known: OrderedDict[int, tuple[str, Explanation]] = OrderedDict()

    def take(self, published: shown.Explanations) -> None:
        """Keep what inference has published."""
        for image, explanation in _each(published):
            with contextlib.suppress(IndexError):
                self._known[image] = self._version_of(image), explanation
                self._known.move_to_end(image)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def of(self, image: int) -> Explanation | None:
        """The explanation of an image; None where there is none of its file as it is now."""
        version, explanation = self._known.get(image, ("", None))
        return explanation if explanation is not None and version == self._version_of(image) else None


def _each(published: shown.Explanations) -> Iterator[tuple[int, Explanation]]:
    shapes = list(zip(published.shapes[::2], published.shapes[1::2], strict=True))
    ends = list(accumulate(height * width for height, width in shapes))
    near = list(zip(published.neighbours, published.similarity, strict=True))
    for row, (image, shape, end) in enumerate(zip(published.images, shapes, ends, strict=True)):
        values = tuple(round(value / FULL, 2) for value in published.maps[end - shape[0] * shape[1] : end])
        first = 2 * NEIGHBOURS * row
        kinds = (near[first : first + NEIGHBOURS], near[first + NEIGHBOURS : first + 2 * NEIGHBOURS])
        positive, negative = (tuple((other, round(like, 3)) for other, like in kind if other >= 0) for kind in kinds)
        yield image, Explanation(published.checkpoint, shape, values, positive, negative)

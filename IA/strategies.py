"""Which image to ask next: the registry of strategies. To add one, write it here; nothing else needs to change.

A strategy is a function that scores images. The image with the highest score is asked first, and NaN is asked last. The
function is given what its parameters name, for the same images:

| parameter     | what it is given                                                                    |
|---------------|-------------------------------------------------------------------------------------|
| `images`      | (R,) int32, the numbers of the images                                               |
| `probability` | (R,) float32, of positive; NaN where the model has not scored the image             |
| `novelty`     | (R,) float32, distance to the nearest answered image; NaN where not embedded        |
| `prior`       | (R,) float32, similarity to the nearest example; NaN where not embedded, or without |
|               | examples                                                                            |

The command line, the requests and the page take names and meanings from `STRATEGIES`. They do so before there is an
environment, so this module imports the standard library alone.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import floating, int32
    from numpy.typing import NDArray

    Ints = NDArray[int32]
    Floats = NDArray[floating]
    Score = Callable[..., Floats]

GIVEN = frozenset({"images", "probability", "novelty", "prior"})


@dataclass(frozen=True)
class Strategy:
    """One way to choose what to ask next.

    Attributes:
        name: as on the command line.
        meaning: what comes first and what that is good for, in a few words for help and menus.
        asks_for: which of `GIVEN` the function is given.
        score: the function.
    """

    name: str
    meaning: str
    asks_for: tuple[str, ...]
    score: "Score"


STRATEGIES: dict[str, Strategy] = {}


def strategy(meaning: str) -> "Callable[[Score], Score]":
    """Register the function below under its own name.

    Raises:
        ValueError: the function asks for something that nobody gives.
    """

    def register(score: "Score") -> "Score":
        asks_for = tuple(inspect.signature(score).parameters)
        if unknown := set(asks_for) - GIVEN:
            raise ValueError(f"{score.__name__} asks for {', '.join(sorted(unknown))}, which no strategy is given.")
        STRATEGIES[score.__name__] = Strategy(score.__name__, meaning, asks_for, score)
        return score

    return register


@strategy("most probable first: finds positives")
def max_prob(probability: "Floats") -> "Floats":
    """The most probable positives first: to find positives that are rare."""
    return probability


@strategy("most uncertain first: improves the model")
def entropy(probability: "Floats") -> "Floats":
    """The most uncertain first: to improve the model, where both answers are frequent."""
    return -abs(probability - 0.5)  # the entropy of two classes falls with this distance


@strategy("least probable first: checks negatives")
def min_prob(probability: "Floats") -> "Floats":
    """The most probable negatives first: to find exceptions among positives, or to confirm what remains."""
    return -probability


@strategy("most certain first: checks the model")
def min_entropy(probability: "Floats") -> "Floats":
    """The most certain first, of either kind: to check quickly what the model believes it knows."""
    return abs(probability - 0.5)


@strategy("at random")
def random(images: "Ints") -> "Floats":
    """In a shuffled order: for an unbiased sample, such as a test set or an estimate of how many positives exist."""
    return images * 0.0  # all scores are equal: the shuffle that breaks ties decides

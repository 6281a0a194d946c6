"""The order in which images are asked."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from IA.ranking import Floats, Known, order
from IA.strategies import STRATEGIES, strategy

PROBABILITY = np.array([0.5, 0.9, 0.1, 0.45, np.nan], np.float32)
NOTHING = np.full(5, np.nan, np.float32)
NONE_OUT = np.zeros(5, np.bool_)

floats = st.one_of(st.just(float("nan")), st.floats(0, 1, width=32))


def test_the_names_are_known_before_there_is_an_environment() -> None:
    """Whoever reads the registry needs no library."""
    code = "import sys; from IA.strategies import STRATEGIES; sys.exit(not STRATEGIES or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_strategy_is_given_what_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one may use any of the scores, and gives way to farthest-first while one of them is not known."""
    monkeypatch.setattr("IA.strategies.STRATEGIES", registry := dict(STRATEGIES))
    monkeypatch.setattr("IA.ranking.STRATEGIES", registry)
    novelty, prior = np.linspace(0, 1, 5, dtype=np.float32), np.array([0.9, 0.8, 0.1, 0, 0.5], np.float32)

    @strategy("most alike and most novel first")
    def odd(prior: Floats, novelty: Floats, images: Floats) -> Floats:
        return np.where(images == 3, np.float32(9), prior + 2 * novelty)

    assert registry["odd"].asks_for == ("prior", "novelty", "images")
    assert order(Known(NOTHING, novelty, prior), "odd", 0, np.arange(5) == 1).tolist() == [3, 4, 2, 0]
    assert order(Known(PROBABILITY, novelty, prior), "odd", 0, NONE_OUT).tolist() == [3, 1, 2, 0, 4]
    assert order(Known(NOTHING, novelty), "odd", 0, NONE_OUT).tolist() == [4, 3, 2, 1, 0]


def test_a_strategy_that_asks_for_what_nobody_gives_is_refused() -> None:
    """Its author is told at once."""
    with pytest.raises(ValueError, match="asks for likelihood, which no strategy is given"):

        @strategy("most likely first")
        def likely(likelihood: Floats) -> Floats:
            return likelihood

    assert "likely" not in STRATEGIES


@pytest.mark.parametrize(
    ("strategy", "first_to_last"),
    [
        ("max_prob", [1, 0, 3, 2, 4]),
        ("min_prob", [2, 3, 0, 1, 4]),
        ("entropy", [0, 3, 1, 2, 4]),
        ("min_entropy", [2, 1, 3, 0, 4]),
    ],
)
def test_each_strategy_has_its_order(strategy: str, first_to_last: list[int]) -> None:
    """The images come as the strategy says, the one that is not scored last."""
    probability = PROBABILITY.copy()
    probability[2] = np.float32(0.099)  # a little more certain than 0.9
    assert order(Known(probability, NOTHING), strategy, 0, NONE_OUT).tolist() == first_to_last


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"random"}))
def test_before_a_model_the_most_novel_come_first(strategy: str) -> None:
    """Without any probability, farthest-first decides, and what is not embedded comes last."""
    novelty = np.array([0.1, np.nan, 0.7, 0.0, 0.3], np.float32)
    assert order(Known(NOTHING, novelty), strategy, 0, NONE_OUT).tolist() == [2, 4, 0, 3, 1]


def test_random_ignores_probability_and_novelty() -> None:
    """Its order depends on the seed alone, with a model and without."""
    novelty = np.linspace(0, 1, 200, dtype=np.float32)
    none, nothing_out = np.full(200, np.nan, np.float32), np.zeros(200, np.bool_)
    with_model = order(Known(novelty, novelty), "random", 3, nothing_out)
    assert with_model.tolist() == order(Known(none, novelty), "random", 3, nothing_out).tolist()
    assert with_model.tolist() != order(Known(novelty, novelty), "random", 4, nothing_out).tolist()
    assert abs(np.corrcoef(with_model, np.arange(200))[0, 1]) < 0.3


@given(
    st.integers(0, 60).flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.float32, n, elements=floats),
            hnp.arrays(np.float32, n, elements=floats),
            hnp.arrays(np.bool_, n),
        )
    ),
    st.sampled_from(sorted(STRATEGIES)),
    st.integers(-(2**70), 2**70),
)
def test_order_is_a_permutation_of_what_is_not_left_out(
    arrays: tuple[Floats, Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]], strategy: str, seed: int
) -> None:
    """Each image once, none that is left out, scored before not scored, and the same at every call."""
    probability, novelty, leave_out = arrays
    images = order(Known(probability, novelty), strategy, seed, leave_out)
    assert images.dtype == np.int32
    assert sorted(images.tolist()) == np.flatnonzero(~leave_out).tolist()
    assert images.tolist() == order(Known(probability, novelty), strategy, seed, leave_out).tolist()
    if not np.isnan(probability).all() and {"probability", "images"}.issuperset(STRATEGIES[strategy].asks_for):
        scored = ~np.isnan(probability[images])
        assert not (scored[1:] & ~scored[:-1]).any()
    if strategy == "max_prob" and not np.isnan(probability).any():
        assert (np.diff(probability[images]) <= 0).all()


def test_ties_are_shuffled_and_stay_as_images_are_added() -> None:
    """Equal images come in an order that is not their number's, and that new images do not disturb."""
    few, many = np.full(100, 0.5, np.float32), np.full(150, 0.5, np.float32)
    before = order(Known(few, few), "max_prob", 0, np.zeros(100, np.bool_))
    after = order(Known(many, many), "max_prob", 0, np.zeros(150, np.bool_))
    assert before.tolist() != list(range(100))
    assert before.tolist() == after[after < 100].tolist()


def test_what_does_not_fit_is_refused() -> None:
    """Arrays of different lengths and unknown strategies are mistakes of the caller."""
    with pytest.raises(ValueError, match="Figures for 4 and 5 images"):
        order(Known(PROBABILITY, NOTHING[:4]), "max_prob", 0, NONE_OUT)
    with pytest.raises(ValueError, match="max_prob, entropy"):
        order(Known(PROBABILITY, NOTHING), "best", 0, NONE_OUT)

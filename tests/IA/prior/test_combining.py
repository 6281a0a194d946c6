"""Numbers of several sources become one number for each image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from IA.prior.combining import FURTHEST, as_evidence, combined, standardised

NAN = np.nan

floats = st.one_of(st.just(NAN), st.floats(-1e6, 1e6, width=32))


def f32(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """An array of float32."""
    return np.array(values, np.float32)


def test_standardised() -> None:
    """What is known gets mean 0 and standard deviation 1, and what is unknown stays unknown."""
    found = standardised(f32(1, NAN, 3))
    np.testing.assert_allclose(found, [-1, NAN, 1], atol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("values", [(), (NAN, NAN), (7, 7, NAN)])
def test_nothing_to_tell_apart(values: tuple[float, ...]) -> None:
    """Where all known values are the same, each is 0; without any value nothing is known."""
    np.testing.assert_array_equal(standardised(f32(*values)), f32(*values) * 0)


def test_no_image_counts_for_ever() -> None:
    """One value far from all others is cut at a few standard deviations."""
    assert standardised(np.append(np.zeros(10_000, np.float32), f32(1e9))).max() == FURTHEST


def test_sources_count_alike_whatever_their_scale() -> None:
    """A source in thousands counts as much as one in thousandths."""
    large, small = f32(1000, 2000, 3000, 4000), f32(0.004, 0.001, 0.003, 0.002)
    np.testing.assert_allclose(combined([large, small]), combined([large / 1e6, small * 1e6]), atol=1e-5)


def test_a_source_that_does_not_know_an_image() -> None:
    """The other sources speak for it; an image that no source knows stays unknown."""
    found = combined([f32(1, 2, 3, NAN, NAN), f32(3, 2, 1, 9, NAN)])
    assert np.isnan(found).tolist() == [False] * 4 + [True]
    assert np.argmax(found[:4]) == 3


@given(
    st.integers(1, 30).flatmap(lambda n: st.lists(hnp.arrays(np.float32, n, elements=floats), min_size=1, max_size=3))
)
def test_any_sources(sources: list[np.ndarray[tuple[int], np.dtype[np.float32]]]) -> None:
    """The result is finite and standardised where any source knows an image, and NaN elsewhere."""
    found = combined(sources)
    known = ~np.isnan(np.stack(sources)).all(0)
    assert (np.isfinite(found) == known).all()
    if known.any():
        assert found[known].mean() == pytest.approx(0, abs=1e-2)
        assert found[known].std() < 1.01


def test_probabilities_are_evidence_by_their_logits() -> None:
    """From 0 to 1, .5 says nothing, and .99 says much more than .9; 0 and 1 stay finite."""
    zero, low, half, high, higher, one = as_evidence(f32(0, 0.1, 0.5, 0.9, 0.99, 1))
    assert half == pytest.approx(0, abs=1e-6)
    assert low == pytest.approx(-high, abs=1e-5)
    assert higher > 2 * high
    assert np.isfinite([zero, one]).all() and zero < low and one > higher


@pytest.mark.parametrize("values", [(), (0.5, 1.5), (-0.1, 0.5), (3, 70, 100)])
def test_other_scores_stay(values: tuple[float, ...]) -> None:
    """Numbers that are no probabilities stay as they are."""
    np.testing.assert_array_equal(as_evidence(f32(*values)), f32(*values))

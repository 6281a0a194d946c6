"""How suspicious an answer is: by what the model says without it, and by haste."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.store.figures.label_errors import AnswerEvidence, SuspectedError, suspected_errors
from backend.store.sources import Source
from backend.store.table import DRAWN, NOT_DRAWN, SELECTED, Label
from IA.statistics.label_errors import PACE_FROM


def answer(
    seq: int,
    label: Label = "positive",
    source: Source = "key",
    client: str = "me",
    shown_ms: int | None = None,
    is_alone: bool = True,
    audit: int = NOT_DRAWN,
    reviewed: bool = False,
) -> AnswerEvidence:
    """A standing answer to the image of its own number."""
    return AnswerEvidence(seq, str(seq), label, source, client, shown_ms, is_alone, audit, reviewed)


def found(answers: list[AnswerEvidence], held_out: dict[str, float], now: dict[str, float] | None = None) -> list[int]:
    """Numbers of the slips, in order."""
    return [slip.seq for slip in told(answers, held_out, now)]


def told(
    answers: list[AnswerEvidence], held_out: dict[str, float], now: dict[str, float] | None = None
) -> list[SuspectedError]:
    """The slips; `now`: what the model says now, by path."""
    return suspected_errors(answers, held_out, lambda path: (now or {}).get(path))


def usual(*others: AnswerEvidence) -> list[AnswerEvidence]:
    """Answers of a person of whom is known how fast they are: 1.00 s, 1.01 s and so on, none of them doubted."""
    return [*others, *(answer(100 + number, shown_ms=1000 + 10 * number) for number in range(PACE_FROM))]


def test_what_contradicts_the_model_most_comes_first() -> None:
    """Either label is doubted by what speaks against it, from even odds on; among equals the newest comes first."""
    answers = [answer(5), answer(4, "negative"), answer(3), answer(2, "negative"), answer(1)]
    assert found(answers, {"1": 0.4, "2": 0.9, "3": 0.51, "4": 0.49, "5": 0.02}) == [5, 2, 1]
    assert found(answers, {"5": 0.2, "3": 0.2, "1": 0.2}) == [5, 3, 1]
    [slip] = told([answer(1, "negative")], {"1": 0.97})
    assert (slip.path, slip.held_out, slip.why) == ("1", 0.97, "model")
    assert slip.error_score == pytest.approx(0.97)


def test_what_is_no_slip() -> None:
    """Skips, answers that were confirmed, and those of which no model without them is known are left alone."""
    answers = [answer(4, "skipped"), answer(3, reviewed=True), answer(2), answer(1)]
    assert found(answers, {"4": 0.0, "3": 0.0, "1": 0.0}) == [1]


def test_an_answer_drawn_at_random() -> None:
    """What the model says now counts while it has not learnt the answer, and not after it has."""
    answers = [answer(3, audit=SELECTED), answer(2, audit=DRAWN), answer(1)]
    now = {"1": 0.1, "2": 0.1, "3": 0.1}
    assert found(answers, {}, now) == [2]
    assert found(answers, {"2": 0.1, "3": 0.2}, {}) == [3]


def test_haste() -> None:
    """A fast answer comes before a slow one of the same doubt, and may come up for its haste alone."""
    fast, slow = answer(2, shown_ms=300), answer(1, shown_ms=5000)
    assert found(usual(slow, fast), {"1": 0.3, "2": 0.3}) == [2, 1]
    [slip] = told(usual(slow, fast), {"1": 0.55, "2": 0.55})
    assert (slip.seq, slip.why) == (2, "fast")
    assert 0.5 < slip.error_score < 0.7


@pytest.mark.parametrize(
    "unlike",
    [
        answer(2, source="timeout", shown_ms=300),
        answer(2, client="another", shown_ms=300),
        answer(2, "negative", shown_ms=300),
        answer(2, is_alone=False, shown_ms=300),
        answer(2),
    ],
    ids=["timeout", "another person", "another label", "in a grid", "no time"],
)
def test_what_says_nothing_of_haste(unlike: AnswerEvidence) -> None:
    """Only the time of a key press is compared, with times of the same person and label."""
    held_out = {"2": 0.55 if unlike.label == "positive" else 0.45}
    assert found(usual(unlike), held_out) == []
    assert found(usual(answer(2, shown_ms=300)), {"2": 0.55}) == [2]


def test_too_few_to_know_what_is_fast() -> None:
    """With fewer answers than it takes, the model alone speaks."""
    assert found(usual(answer(2, shown_ms=300))[:PACE_FROM], {"2": 0.55}) == [2]
    assert found(usual(answer(2, shown_ms=300))[: PACE_FROM - 1], {"2": 0.55}) == []


@given(
    answered=st.lists(
        st.tuples(
            st.sampled_from(["positive", "negative", "skipped"]),
            st.none() | st.sampled_from([0.0, 1.0]) | st.floats(0, 1),
            st.none() | st.integers(0, 2**53),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_any_answers(answered: list[tuple[Label, float | None, int | None, bool]]) -> None:
    """Each is told once at most, in descending order, and settled or unknown ones never."""
    answers = [
        answer(seq, label, shown_ms=shown_ms, reviewed=reviewed)
        for seq, (label, _, shown_ms, reviewed) in enumerate(answered)
    ]
    held_out = {str(seq): said for seq, (_, said, _, _) in enumerate(answered) if said is not None}
    all_told = told(answers, held_out)
    assert len({slip.seq for slip in all_told}) == len(all_told)
    assert [slip.error_score for slip in all_told] == sorted((slip.error_score for slip in all_told), reverse=True)
    assert all(0.5 <= slip.error_score <= 1 and slip.held_out == held_out[slip.path] for slip in all_told)
    assert not any(answers[slip.seq].reviewed or answers[slip.seq].label == "skipped" for slip in all_told)

"""Near duplicates are one question: handed out, answered, drawn and counted once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.questions.leases import LEASE_S
from backend.questions.queue import Queue
from IA.duplicates.groups import DuplicateGroups, ImageState, without
from IA.statistics.audit import ScreeningState
from tests.backend.questions.test_draws import Work, answered, draw, drawing
from tests.backend.questions.test_queue import Clock, images, ranking

STATES = st.sampled_from(
    [0, ImageState.GONE, ImageState.UNREADABLE]
    + [
        ImageState.ANSWERED | label | drawn | gone
        for label in (ImageState(0), ImageState.POSITIVE, ImageState.NEGATIVE)
        for drawn in (ImageState(0), ImageState.DRAWN)
        for gone in (ImageState(0), ImageState.GONE)
    ]
).map(int)


def division(*groups: list[int], size: int) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    """A division in which these images stand together, under the number of the first named."""
    first = np.arange(size, dtype=np.int32)
    for group in groups:
        first[group] = group[0]
    return first


def grouped(*groups: list[int], size: int = 6, share: float = 0.0, clock: Clock | None = None) -> Queue:
    """A queue of so many images, ranked by their numbers."""
    queue = drawing(size, share, clock)
    queue.rank(ranking(*range(size)))
    queue.group(division(*groups, size=size))
    return queue


def test_one_question() -> None:
    """The best of a group is shown, the others are told, and nobody else is asked them meanwhile."""
    clock = Clock()
    queue = grouped([3, 1, 4], clock=clock)
    assert images(queue, "a", 3) == [0, 1, 2]
    assert queue.near_duplicates(1, "a") == [3, 4]
    assert (queue.near_duplicates(0, "a"), queue.near_duplicates(3, "a"), queue.near_duplicates(1, "b")) == ([], [], [])
    assert images(queue, "b", 9) == [5]
    queue.rank(ranking(4, 3, 2, 1, 0, 5))
    assert images(queue, "a", 3) == [1, 2, 0]  # the same one is shown as before
    clock.now_s += LEASE_S + 1
    assert images(queue, "b", 9) == [4, 2, 0, 5]
    assert (queue.near_duplicates(4, "b"), queue.left, queue.states.copies) == ([1, 3], 6, 2)


def test_what_is_left_of_a_group() -> None:
    """Answered alone, one leaves the others as a question of their own, though no ranking names them."""
    queue = grouped([3, 1, 4])
    images(queue, "a", 2)
    queue.answer(1, "negative")
    assert images(queue, "a", 9) == [0, 2, 3, 5]
    assert queue.near_duplicates(3, "a") == [4]
    queue.rank(ranking(0))
    images_left = images(queue, "a", 9)
    assert set(images_left) == {0, 2, 3, 5}
    assert queue.counted().sample.is_open.sum() == 3
    assert queue.counted().answered == 1


def test_split() -> None:
    """From then on each is asked alone, also what comes to stand with them later."""
    queue = grouped([3, 1, 4])
    images(queue, "a", 2)
    queue.group(without(division([3, 1, 4], size=6), [1]))
    assert queue.near_duplicates(1, "a") == []
    assert images(queue, "b", 9) == [2, 3, 4, 5]
    assert without(division([3, 1, 4], [0, 5], size=6), [4, 77]).tolist() == [0, 1, 2, 3, 4, 0]


def test_taken_back() -> None:
    """The whole question is in the hands of whoever takes it back."""
    queue = grouped([1, 2])
    assert images(queue, "a", 2) == [0, 1]
    for image in (1, 2):
        queue.answer(image, "positive")
    for image in (1, 2):
        queue.answer(image, None)
    queue.hold(1, "a")
    assert queue.near_duplicates(1, "a") == [2]
    assert images(queue, "b", 9) == [3, 4, 5]


def test_images_that_are_gone_are_not_told() -> None:
    """A group shows what is there: another one where the one that stands for it is gone."""
    queue = grouped([1, 2, 4], share=1.0)
    queue.mark(1, ImageState.GONE, True)
    queue.mark(4, ImageState.UNREADABLE, True)
    order = images(queue, "a", 9)
    assert sorted(order) == [0, 2, 3, 5]
    assert queue.near_duplicates(2, "a") == []
    assert queue.states.among(2, [1, 4, 2, 0, 99]) == []
    assert queue.question(2, "a").is_sampled


def test_drawn_once() -> None:
    """A group is drawn at the place of the image that stands for it, however many are in it."""
    counts = np.zeros(2)
    for seed in range(200):
        queue = drawing(10, 1.0, seed=seed)
        queue.group(division([0, 2, 3, 4, 5, 6, 7, 8], size=10))
        order = images(queue, "a", 10)
        assert sorted(order) == [0, 1, 9]
        counts += order[0] == 0, order[0] == 1
    assert 45 < counts[0] < 90  # 67 ± 7, and not the 160 that eight of ten would be
    assert 45 < counts[1] < 90


def test_all_of_a_group_are_reached() -> None:
    """When the model comes to one image of a group that was drawn, its answer and all copies of it may be learnt."""
    queue = grouped([2, 4])
    queue.rank(ranking(0, 4, 1, 2, 3, 5))
    for image in (2, 4):
        queue.answer(image, "negative", is_sampled=True)
    assert images(queue, "a", 9) == [0, 1, 3, 5]
    assert answered(queue, 0, "negative") == []
    assert set(answered(queue, 1, "negative")) == {2, 4}


def test_a_copy_that_the_model_asks_for_takes_its_group_out_of_the_sample() -> None:
    """One of two was drawn before anybody knew that they are alike: asked for by the model, both may be learnt."""
    queue = grouped(size=6, share=1.0)
    first = draw(queue)
    other = (first + 1) % 6
    queue.share = 0.0
    queue.group(division([first, other], size=6))
    assert queue.counted().sample.images.tolist() == [first]
    assert other in images(queue, "a", 9)
    assert first in answered(queue, other, "positive")
    counted = queue.counted()
    assert (counted.sample.images.tolist(), counted.answered, counted.positives) == ([], 1, 1)


@given(st.lists(st.tuples(STATES, st.integers(0, 5)), min_size=1, max_size=12))
@settings(deadline=None)
def test_states_of_units(course: list[tuple[int, int]]) -> None:
    """All at once or one at a time, the same is known of each unit."""
    closed = np.array([state for state, _ in course], np.uint8)
    names: dict[int, int] = {}
    first = np.array([names.setdefault(name, image) for image, (_, name) in enumerate(course)], np.int32)
    units = DuplicateGroups(first)
    states = units.states(closed)
    for image in range(len(course)):
        members = units.members(units.of(image))
        assert image in members
        if first[image] != image:
            assert states[image] == ImageState.COPY
        elif len(members) == 1:
            assert states[image] == closed[image]
        else:
            assert states[image] == DuplicateGroups.together(closed[members].tolist())
    assert units.copies == int((first != np.arange(len(first))).sum())


# --- the sample is one of groups --------------------------------------------------------------------------------------


class GroupedWork(Work):
    """The same work where a third of the images are copies, of which some become known late, or are split."""

    def __init__(self, seed: int, size: int, prevalence: float) -> None:
        """Copies of an image show the same; large groups are richer in positives than small ones."""
        super().__init__(seed, size, prevalence)
        self.first = np.arange(size, dtype=np.int32)
        for image in range(size // 3, 2 * size // 3):
            self.first[image] = self.random.integers(0, size // 9)
        self.truth = self.truth[self.first]
        richer = self.random.random(size) < 3 * prevalence
        self.truth |= richer[self.first] & (np.bincount(self.first, minlength=size)[self.first] > 3)
        self.group = self.group[self.first]
        self.known = 0
        self.learn_of_copies()

    def learn_of_copies(self) -> None:
        """A few more are embedded."""
        self.known = min(len(self.first), self.known + 40)
        known = np.arange(len(self.first), dtype=np.int32)
        known[: self.known] = self.first[: self.known]
        self.queue.group(known)

    def store(self, image: int, client: str, is_sampled: bool) -> None:
        """The answer is for the copies, too, unless the person does not say so."""
        alike = self.queue.near_duplicates(image, "a") + self.queue.near_duplicates(image, "b")
        for each in [image, *(alike if self.random.random() < 0.9 else [])]:
            if self.queue.states.is_open(each):
                super().store(each, client, is_sampled)
        if self.random.random() < 0.1:
            self.learn_of_copies()

    @property
    def positives(self) -> int:
        """How many units, as they are known now, show what is looked for."""
        units = {self.queue.states.members(image)[0]: image for image in range(len(self.first))}
        return int(self.truth[list(units.values())].sum())


@pytest.fixture(scope="module")
def looks() -> list[tuple[ScreeningState, int]]:
    """What the audit says in 200 pieces of work, and how many units are positive."""
    seen = []
    for seed in range(200):
        work = GroupedWork(seed, 180, (0.03, 0.1, 0.3)[seed % 3])
        while work.queue.left > 60:
            work.answer()
        seen.append((work.standing, work.positives))
    return seen


@pytest.mark.slow
def test_intervals_cover_the_truth_of_units(looks: list[tuple[ScreeningState, int]]) -> None:
    """The interval of the number of positive units holds the truth in at least 93 % of the work."""
    inside = [low <= truth <= high for standing, truth in looks for low, high in [standing.positives()]]
    assert np.mean(inside) >= 0.93
    assert np.mean([standing.remaining.sampled for standing, _ in looks]) > 8


@pytest.mark.slow
def test_the_sample_favours_no_large_group(looks: list[tuple[ScreeningState, int]]) -> None:
    """As many positives are drawn as there must be: groups, large or small, are drawn alike."""
    deviations = []
    for standing, truth in looks:
        rest, positives = standing.remaining, truth - standing.found
        if 0 < rest.sampled < rest.images and 0 < positives < rest.images:
            mean = rest.sampled * positives / rest.images
            finite = (rest.images - rest.sampled) / (rest.images - 1)
            deviations.append((rest.positives - mean) / np.sqrt(mean * (1 - positives / rest.images) * finite))
    assert len(deviations) > 100
    assert abs(np.mean(deviations)) < 0.3

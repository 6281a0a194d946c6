"""Questions drawn at random: what the queue draws is a random sample of what the model has not asked for."""

import random

import numpy as np
import pytest

from backend.questions.leases import LEASE_S
from backend.questions.queue import Queue
from backend.store.table import Label
from IA.duplicates.groups import ImageState
from IA.protocol.records import Ranking
from IA.statistics.audit import ScreeningState
from tests.backend.questions.test_queue import Clock, images, queue_of, ranking


def drawing(size: int, share: float, clock: Clock | None = None, seed: int = 0) -> Queue:
    """A queue of images 0 to size - 1 that draws a share of them."""
    queue = Queue(seed, clock or Clock(), share, random.Random(seed).random)
    for image in range(size):
        queue.mark(image, ImageState.GONE, False)
    return queue


def answered(queue: Queue, image: int, label: Label, is_sampled: bool = False, client: str = "a") -> list[int]:
    """Answer an image; the drawn and answered ones that the model has selected with it."""
    passed = queue.question(image, client).passed
    queue.answer(image, label, is_sampled)
    return [other for other in passed if queue.states.has(other, ImageState.DRAWN)]


def draw(queue: Queue, client: str = "a") -> int:
    """Have the next question drawn, answer it as negative, and say which it is."""
    share, queue.share = queue.share, 1.0
    [(image, told)] = queue.next(client, 1)
    assert queue.question(image, client).is_sampled
    assert told is None
    queue.answer(image, "negative", is_sampled=True)
    queue.share = share
    return image


@pytest.mark.slow
def test_the_share_is_drawn() -> None:
    """Of the answers so many were drawn, however often the page asks and however many images it asks for."""
    queue = drawing(20_000, 0.1)
    queue.rank(ranking(*range(20_000)))
    drawn = 0
    for turn in range(3000):
        for _ in range(1 + turn % 3):
            [image, *_] = images(queue, "a", 16)
        is_sampled = queue.question(image, "a").is_sampled
        drawn += is_sampled
        queue.answer(image, "negative", is_sampled)
    assert 240 < drawn < 360  # 300 ± 16


def test_a_page_that_keeps_what_it_has_is_asked_all_that_was_drawn() -> None:
    """What was drawn stays in every answer to the client until it is answered, though others are answered first."""
    queue = drawing(500, 0.4)
    queue.rank(ranking(*range(500)))
    asked = images(queue, "a", 16)
    drawn = [image for image in asked if queue.question(image, "a").is_sampled]
    assert 0 < len(drawn) < 16
    for image in asked:
        if image not in drawn:
            queue.answer(image, "negative")
    assert images(queue, "a", 16)[: len(drawn)] == drawn
    assert not set(drawn) & set(images(queue, "b", 100))


def test_all_or_none() -> None:
    """With a share of 1 everything is drawn, in random order; with 0 nothing is."""
    queue = drawing(100, 1.0)
    queue.rank(ranking(*range(100)))
    order = images(queue, "a", 100)
    assert sorted(order) == list(range(100))
    assert order != list(range(100))
    assert all(queue.question(image, "a").is_sampled for image in order)
    queue = drawing(100, 0.0)
    queue.rank(ranking(*range(100)))
    assert images(queue, "a", 100) == list(range(100))
    assert not any(queue.question(image, "a").is_sampled for image in range(100))


def test_a_change_of_the_share_strands_nothing() -> None:
    """What was drawn and is not answered comes all the same when nothing else is left."""
    queue = drawing(5, 1.0)
    queue.rank(ranking(*range(5)))
    images(queue, "a", 5)
    queue.share = 0.0
    assert sorted(images(queue, "a", 5)) == list(range(5))


def test_the_same_order_after_a_restart() -> None:
    """The order in which images are drawn rests on their numbers alone."""
    assert images(drawing(300, 1.0), "a", 300) == images(drawing(300, 1.0), "a", 300)


def test_reached_when_passed() -> None:
    """A drawn image is reached when one behind it in the ranking is answered; skipping is an answer."""
    queue = drawing(6, 0.0)
    first, second = draw(queue), draw(queue)
    others = [image for image in range(6) if image not in (first, second)]
    queue.rank(ranking(others[0], first, others[1], second, others[2], others[3]))
    assert images(queue, "a", 4) == others
    assert answered(queue, others[0], "negative") == []
    assert answered(queue, others[1], "skipped") == [first]
    assert answered(queue, others[1], "positive") == []  # a correction
    assert answered(queue, others[2], "positive") == [second]


def test_reached_by_what_is_asked_first() -> None:
    """What goes before the ranking is the model's choice too: a drawn image is reached there as well."""
    queue = drawing(20, 0.0)
    queue.rank(ranking(*range(20)))
    drawn = draw(queue)
    first, second = [image for image in (7, 8, 9) if image != drawn][:2]
    queue.ask_first(np.array([first, drawn, second], np.int32).data)
    assert images(queue, "a", 2) == [first, second]
    assert answered(queue, first, "negative") == []
    assert answered(queue, second, "negative") == [drawn]


def test_not_reached_by_what_is_never_answered() -> None:
    """What was handed out and not answered does not count: a new ranking begins anew."""
    queue = drawing(4, 0.0)
    drawn = draw(queue)
    others = [image for image in range(4) if image != drawn]
    queue.rank(ranking(drawn, *others))
    assert images(queue, "a", 3) == others
    queue.rank(ranking(*others, drawn))
    assert images(queue, "a", 3) == others
    assert [answered(queue, image, "negative") for image in others] == [[]] * 3


def test_two_people_pass_each_others_draws() -> None:
    """What is drawn for one is not asked of another, who passes it."""
    queue = drawing(5, 1.0)
    [drawn] = images(queue, "a", 1)
    queue.share = 0.0
    others = [image for image in range(5) if image != drawn]
    queue.rank(ranking(drawn, *others))
    assert images(queue, "b", 5) == others
    queue.answer(drawn, "positive", is_sampled=True)
    assert answered(queue, others[0], "negative") == [drawn]


def test_a_lease_that_is_lost() -> None:
    """After a minute what was drawn for one may be asked of another, and is an ordinary question then."""
    clock = Clock()
    queue = drawing(3, 1.0, clock)
    [drawn] = images(queue, "a", 1)
    queue.share = 0.0
    queue.rank(ranking(drawn))
    clock.now_s += LEASE_S + 1
    assert images(queue, "b", 1) == [drawn]
    assert not queue.question(drawn, "a").is_sampled
    assert not queue.question(drawn, "b").is_sampled


def test_an_answer_taken_back_is_drawn_again() -> None:
    """It stays what it was in the hands of its client, and is the first to be drawn for anybody later."""
    clock = Clock()
    queue = drawing(50, 0.0, clock)
    drawn = [draw(queue) for _ in range(5)]
    assert len(queue.counted().sample.images) == 5
    queue.answer(drawn[2], None)
    queue.hold(drawn[2], "a", is_sampled=True)
    assert queue.question(drawn[2], "a").is_sampled
    assert (
        queue.counted().sample.images.tolist() == drawn[:2]
    )  # what lies behind the gap is no sample until it is filled
    clock.now_s += LEASE_S + 1
    assert draw(queue, "b") == drawn[2]
    assert queue.counted().sample.images.tolist() == drawn


def test_new_images_leave_gaps() -> None:
    """A new image may lie among those that were drawn: the sample ends there until it is answered."""
    queue = drawing(40, 0.0)
    for _ in range(30):
        draw(queue)
    for image in range(40, 80):
        queue.mark(image, ImageState.GONE, False)
    sample = len(queue.counted().sample.images)
    assert sample < 30
    while queue.left:
        draw(queue)
    assert len(queue.counted().sample.images) == 80


def test_what_is_counted() -> None:
    """Skipped, gone and reached ones are no part of the sample; the others count by their label."""
    queue = drawing(10, 0.0)
    drawn = [draw(queue) for _ in range(5)]
    queue.answer(drawn[0], "positive", is_sampled=True)
    queue.answer(drawn[1], "skipped", is_sampled=True)
    queue.answer(drawn[2], "positive", is_sampled=False)
    queue.mark(drawn[3], ImageState.GONE, True)
    counted = queue.counted()
    sample = counted.sample
    assert (counted.answered, counted.positives, int(sample.is_open.sum())) == (4, 2, 5)
    assert dict(zip(sample.images.tolist(), sample.is_positive.tolist(), strict=True)) == {
        drawn[0]: True,
        drawn[4]: False,
    }


def test_the_pictures_of_what_is_drawn_come_next() -> None:
    """The head of the queue has what is drawn, too, that it may be ready when it is asked for."""
    queue = drawing(100, 1.0)
    queue.rank(ranking(*range(100)))
    assert queue.head(10) == images(queue, "a", 10)
    queue.share = 0.02
    assert queue.head(10)[1:] == [image for image in range(10) if image != queue.head(1)[0]][:9]


def test_without_a_ranking_what_is_drawn_lies_at_the_other_end() -> None:
    """Questions that nothing ranks do not reach what is drawn."""
    queue = drawing(100, 0.1)
    drawn = {draw(queue) for _ in range(10)}
    for _ in range(60):
        [image] = images(queue, "a", 1)
        reached = answered(queue, image, "negative", queue.question(image, "a").is_sampled)
        assert not drawn & set(reached)
    assert len(queue.counted().sample.images) >= 10


# --- the sample is one ------------------------------------------------------------------------------------------------


SHARE = 0.3


class Work:
    """Two people, a model that learns from what it asks for, and the queue."""

    def __init__(self, seed: int, size: int, prevalence: float) -> None:
        """Positives lie in some of twenty groups; the model finds out which."""
        self.random = np.random.default_rng(seed)
        self.group = self.random.integers(0, 20, size)
        odds = prevalence * self.random.exponential(1, 20)
        self.truth = self.random.random(size) < odds[self.group]
        self.queue = drawing(size, SHARE, seed=seed)
        self.asked: set[int] = set()  # what the model has learnt
        self.drawn: set[int] = set()
        self.waiting: dict[str, list[int]] = {"a": [], "b": []}
        self.rank()

    def rank(self) -> None:
        """Order what the model has not learnt by what it knows of the groups."""
        positive, seen = np.ones(20), np.full(20, 2.0)
        for image in self.asked:
            positive[self.group[image]] += self.truth[image]
            seen[self.group[image]] += 1
        score = (positive / seen)[self.group] + 0.01 * self.random.random(len(self.group))
        order = [image for image in np.argsort(-score).tolist() if image not in self.asked]
        self.queue.rank(Ranking(np.array(order, np.int32).data, np.zeros(len(order), np.float32).data, 0, "", 1))

    def answer(self) -> None:
        """One of the two answers the next image; now and then an answer is taken back and given again."""
        client = "ab"[int(self.random.random() < 0.3)]
        if not self.waiting[client]:
            self.waiting[client] = images(self.queue, client, 6)
        if not self.waiting[client]:
            return
        image = self.waiting[client].pop(0)
        self.store(image, client, self.queue.question(image, client).is_sampled)
        if self.random.random() < 0.05:
            was_drawn = image in self.drawn
            self.queue.answer(image, None)
            self.queue.hold(image, client, was_drawn)
            self.store(image, client, was_drawn)
        if len(self.asked) % 5 == 0:
            self.rank()

    def store(self, image: int, client: str, is_sampled: bool) -> None:
        """What the server does with an answer."""
        label: Label = "positive" if self.truth[image] else "negative"
        passed = answered(self.queue, image, label, is_sampled, client)
        (self.drawn if is_sampled else self.asked).add(image)
        for reached in self.drawn & set(passed):
            self.queue.answer(reached, "positive" if self.truth[reached] else "negative")
            self.drawn.remove(reached)
            self.asked.add(reached)

    @property
    def standing(self) -> ScreeningState:
        """What the audit says."""
        counted = self.queue.counted()
        return counted.sample.screening(counted.positives)


@pytest.fixture(scope="module")
def looks() -> dict[int, list[tuple[ScreeningState, int]]]:
    """What the audit says after so many answers, and how many positives there are: 200 pieces of work."""
    found: dict[int, list[tuple[ScreeningState, int]]] = {60: [], 120: [], 180: [], 210: []}
    for seed in range(200):
        work = Work(seed, 240, (0.03, 0.1, 0.3)[seed % 3])
        for look, seen in found.items():
            while len(work.asked | work.drawn) < look:
                work.answer()
            seen.append((work.standing, int(work.truth.sum())))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("look", [60, 120, 180, 210])
def test_intervals_cover_the_truth(looks: dict[int, list[tuple[ScreeningState, int]]], look: int) -> None:
    """The interval of the number of positives holds the truth in at least 93 % of the work."""
    seen = looks[look]
    inside = [low <= truth <= high for standing, truth in seen for low, high in [standing.positives()]]
    assert np.mean(inside) >= 0.93
    assert np.mean([standing.remaining.sampled for standing, _ in seen]) > 10  # and there is a sample


@pytest.mark.slow
@pytest.mark.parametrize("look", [60, 120, 180, 210])
def test_the_sample_favours_nothing(looks: dict[int, list[tuple[ScreeningState, int]]], look: int) -> None:
    """On average as many positives are in it as in the rest; half a deviation too many if draws are never reached."""
    deviations = []
    for standing, truth in looks[look]:
        rest, positives = standing.remaining, truth - standing.found
        if 0 < rest.sampled < rest.images and 0 < positives < rest.images:
            mean = rest.sampled * positives / rest.images
            finite = (rest.images - rest.sampled) / (rest.images - 1)
            deviations.append((rest.positives - mean) / np.sqrt(mean * (1 - positives / rest.images) * finite))
    assert len(deviations) > 150
    assert abs(np.mean(deviations)) < 0.25


def test_the_model_finds_more_than_chance() -> None:
    """Else the test above would say nothing: what the model asks for is no sample of what there is."""
    shares = []
    for seed in range(30):
        work = Work(seed, 240, 0.1)
        while len(work.asked | work.drawn) < 60:
            work.answer()
        shares.append(work.truth[list(work.asked)].mean() / max(work.truth.mean(), 1 / 240))
    assert np.mean(shares) > 1.3


@pytest.mark.parametrize("client", ["a", "b"])
def test_queue_of_has_no_draws(client: str) -> None:
    """A queue draws nothing unless it is told to."""
    queue = queue_of(50)
    assert not any(queue.question(image, client).is_sampled for image in images(queue, client, 50))

"""What to ask next: ranked first, each to one person at a time."""

import numpy as np

from backend.questions.leases import FORGET_FROM, LEASE_S
from backend.questions.queue import Queue
from IA.duplicates.groups import ImageState
from IA.protocol.records import Ranking


class Clock:
    """A clock that a test turns."""

    now_s = 100.0

    def __call__(self) -> float:
        """The time as the test has set it."""
        return self.now_s


def ranking(*images: int) -> Ranking:
    """A ranking of these images, with falling probabilities."""
    probability = np.linspace(0.9, 0.1, len(images), dtype=np.float32)
    return Ranking(np.array(images, np.int32).data, probability.data, 0, "max_prob", 1)


def queue_of(size: int, clock: Clock | None = None) -> Queue:
    """A queue of images 0 to size - 1."""
    queue = Queue(clock=clock or Clock())
    for image in range(size):
        queue.mark(image, ImageState.GONE, False)
    return queue


def images(queue: Queue, client: str, count: int) -> list[int]:
    """Numbers handed out."""
    return [image for image, _ in queue.next(client, count)]


def test_shuffled_before_the_first_ranking() -> None:
    """Without a ranking every image is asked once, in an order that is not that of the folder."""
    order = images(queue_of(200), "a", 200)
    assert sorted(order) == list(range(200))
    assert order != list(range(200))
    assert np.corrcoef(order, range(200))[0, 1] < 0.3


def test_ranked_first() -> None:
    """A ranking is followed; what it does not know comes after it."""
    queue = queue_of(6)
    queue.rank(ranking(4, 2, 0))
    order = images(queue, "a", 6)
    assert order[:3] == [4, 2, 0]
    assert sorted(order[3:]) == [1, 3, 5]


def test_closed_images_are_left_out() -> None:
    """Answered, removed and unreadable images are not asked, and come back when opened again for each reason."""
    queue = queue_of(4)
    queue.rank(ranking(0, 1, 2, 3))
    queue.mark(0, ImageState.ANSWERED, True)
    queue.mark(1, ImageState.GONE, True)
    queue.mark(1, ImageState.UNREADABLE, True)
    assert (images(queue, "a", 4), queue.left) == ([2, 3], 2)
    queue.mark(0, ImageState.ANSWERED, False)
    queue.mark(1, ImageState.GONE, False)
    assert (images(queue, "a", 4), queue.left) == ([0, 2, 3], 3)
    queue.mark(1, ImageState.UNREADABLE, False)
    assert images(queue, "a", 4) == [0, 1, 2, 3]


def test_one_person_an_image() -> None:
    """An image handed to one client is not handed to another for a minute; the same client gets it again."""
    clock = Clock()
    queue = queue_of(4, clock)
    queue.rank(ranking(0, 1, 2, 3))
    assert images(queue, "a", 2) == [0, 1]
    assert images(queue, "b", 4) == [2, 3]
    assert images(queue, "a", 2) == [0, 1]
    clock.now_s += LEASE_S + 1
    assert images(queue, "b", 2) == [0, 1]


def test_an_answer_taken_back_stays_with_its_client() -> None:
    """An image whose answer is taken back is in the hands of who sees it again, for a minute from then on."""
    clock = Clock()
    queue = queue_of(3, clock)
    queue.rank(ranking(0, 1, 2))
    assert images(queue, "a", 1) == [0]
    for answered in (True, False):
        queue.mark(0, ImageState.ANSWERED, answered)
    assert images(queue, "b", 1) == [1]
    clock.now_s += LEASE_S - 1
    queue.hold(0, "a")
    clock.now_s += 2
    assert images(queue, "b", 3) == [1, 2]
    queue.hold(1, "a")
    assert images(queue, "a", 3) == [0]


def test_old_leases_are_forgotten() -> None:
    """Leases of answered images go when they are over: memory does not grow with the answers."""
    clock = Clock()
    queue = queue_of(3 * FORGET_FROM, clock)
    for _ in range(300):
        for image in images(queue, "a", 100):
            queue.mark(image, ImageState.ANSWERED, True)
        clock.now_s += 1
    assert len(queue.leases) <= FORGET_FROM


def test_the_probability_shown_is_remembered() -> None:
    """The probability that goes with an answer is the one the client was shown, not a later one."""
    queue = queue_of(3)
    queue.rank(ranking(2, 1, 0))
    [(image, shown)] = queue.next("a", 1)
    queue.score(np.array([0.1, 0.2, 0.3], np.float32).data)
    queue.rank(ranking(0, 1, 2))
    assert shown is not None
    assert queue.question(image, "a").predicted.probability == shown
    assert round(queue.question(image, "b").predicted.probability or 0, 6) == 0.3
    assert queue.question(99, "b").predicted == (None, None)


def test_nothing_left() -> None:
    """When all is answered, nothing is handed out."""
    queue = queue_of(3)
    for image in range(3):
        queue.mark(image, ImageState.ANSWERED, True)
    assert (queue.next("a", 8), queue.left) == ([], 0)


def test_a_stale_ranking_names_unknown_images() -> None:
    """A ranking that names images which this server does not know yet does no harm."""
    queue = queue_of(2)
    queue.rank(ranking(7, 1, 0))
    assert images(queue, "a", 8) == [1, 0]


def test_what_is_to_be_asked_first() -> None:
    """A band goes before any ranking, in its own order and each image once; what is answered or unknown is left out."""
    queue = queue_of(6)
    queue.rank(ranking(0, 1, 2, 3))
    queue.ask_first(np.array([4, 9, 3, 1], np.int32).data)
    queue.mark(1, ImageState.ANSWERED, True)
    assert images(queue, "a", 6) == [4, 3, 0, 2, 5]
    assert queue.head(3) == [4, 3, 0]
    queue.rank(ranking(2, 0))
    assert images(queue, "a", 2) == [4, 3]
    queue.ask_first(np.array([5], np.int32).data)
    assert images(queue, "a", 2) == [5, 2]


def test_what_is_asked_first_is_counted() -> None:
    """How many of them are left, of those that were to be asked then; answered at last there are none."""
    queue = queue_of(6)
    assert queue.asked_first == (0, 0)
    queue.answer(4, "positive")
    queue.ask_first(np.array([4, 9, 3, 1], np.int32).data)
    assert queue.asked_first == (2, 2)
    queue.answer(3, "negative")
    queue.answer(0, "negative")
    assert queue.asked_first == (1, 2)
    images(queue, "a", 4)
    queue.answer(1, "positive")
    assert queue.asked_first == (0, 2)
    queue.answer(3, None)
    assert queue.asked_first == (1, 2)


def test_who_goes_hands_back() -> None:
    """Others are given at once what was in the hands of who has gone, but not what was drawn for them."""
    queue = queue_of(6)
    queue.rank(ranking(0, 1, 2, 3, 4, 5))
    assert images(queue, "a", 2) == [0, 1]
    assert images(queue, "b", 1) == [2]
    queue.release("a")
    assert images(queue, "c", 3) == [0, 1, 3]
    queue.share = 1.0
    [drawn] = images(queue, "d", 1)
    queue.share = 0.0
    queue.release("d")
    assert queue.question(drawn, "d").is_sampled
    assert drawn not in images(queue, "e", 6)


def test_what_was_said_outlives_who_goes() -> None:
    """An answer that is taken back has the probability that its client had been told."""
    queue = queue_of(2)
    queue.rank(ranking(0, 1))
    [(image, shown)] = queue.next("a", 1)
    queue.answer(image, "positive")
    queue.release("a")
    assert queue.question(image, "a").predicted.probability == shown

"""How many answers a second, how soon each is acknowledged, and whether an image goes to one person only.

The server is the real one, started as a person starts it with `--no-ai`, its run on the disk; the annotators are a
process apart (tests/faults/crowds/annotators.py), their event streams open. Scale 1 takes 8 minutes here.
"""

import contextlib
import os
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from backend.store.schema import DATABASE
from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS, RANKING
from IA.protocol.records import Predictions, Ranking
from tests.faults.crowds.annotators import Outcome, Task, annotate
from tests.faults.report import Row
from tests.processes.suite import Suite, running
from tests.serving import until

IMAGES = 200_000
MANY_IMAGES = 1_000_000
STORED = 100_000
PER_FOLDER = 1000
PER_FILE = 50_000  # links to one file; ext4 allows 65,000
LISTING_S = 600.0
HELD_S = 60.0  # that long an image is in one person's hands
WARM_S = 2.0
ROUNDS = 5  # of each of two that are compared, in turn


@dataclass(frozen=True)
class Speed:
    """A bar: so many annotators at once.

    Attributes:
        annotators: each with a connection and an event stream.
        per_s: answers that must be acknowledged in a second.
        p99_ms: in which 99 of 100 of them must be.
    """

    annotators: int
    per_s: float
    p99_ms: float


SPEEDS = (Speed(8, 1000, 25.0), Speed(32, 2000, 50.0))


def rows(scale: float) -> Iterator[Row]:
    """All figures of this part."""
    with tempfile.TemporaryDirectory() as place:
        images = make_images(Path(place) / "images", max(4000, round(IMAGES * scale)))
        yield from _speeds(Path(place), images, scale)
        yield from _full_and_empty(Path(place), images, scale)
        yield from _one_person_an_image(Path(place), images, scale)
    with tempfile.TemporaryDirectory() as place:
        yield from _rankings(Path(place), max(20_000, round(MANY_IMAGES * scale)), scale)


# --- figures ----------------------------------------------------------------------------------------------------------


def _speeds(place: Path, images: "Images", scale: float) -> Iterator[Row]:
    """Single answers of 8 and of 32, batches, and whether all of them are on the disk."""
    outcomes = []
    with serving(place / "speed", images) as server:
        for speed in SPEEDS:
            outcomes.append(server.annotate(speed.annotators, WARM_S * min(scale, 1)))
            outcome = server.annotate(speed.annotators, 30 * scale)
            outcomes.append(outcome)
            yield Row(
                f"single answers, {speed.annotators} annotators, {outcome.seconds:.0f} s, {file_system(place)}",
                f">= {speed.per_s:,.0f} durable/s, p99 < {speed.p99_ms:.0f} ms",
                told(outcome),
                outcome.per_s >= speed.per_s and outcome.latency_ms(0.99) < speed.p99_ms and not outcome.refused,
            )
        outcome = server.annotate(8, 10 * scale, work="batch", count=100)
        outcomes.append(outcome)
        yield Row(
            f"answers in batches of 100, as the page sends what waited, 8 annotators, {outcome.seconds:.0f} s",
            f">= {SPEEDS[0].per_s:,.0f} durable/s",
            told(outcome),
            outcome.per_s >= SPEEDS[0].per_s and not outcome.refused,
        )
    given = {id: image for outcome in outcomes for id, image, _ in outcome.acknowledged}
    stored = stored_answers(place / "speed")
    lost, extra = len(given.keys() - stored.keys()), len(stored) - len(given)
    yield Row(
        f"{len(given):,} answers acknowledged to up to 32 annotators at once",
        "each stored once",
        f"{lost} lost, {extra} that nobody was told of",
        lost == 0 and extra == 0,
    )


def _full_and_empty(place: Path, images: "Images", scale: float) -> Iterator[Row]:
    """The same annotators in turn on a run with many answers and on one with none."""
    stored = max(2000, round(STORED * scale))
    with serving(place / "empty", images) as empty, serving(place / "full", images) as full:
        full.fill(stored)
        p99s: dict[Server, list[float]] = {empty: [], full: []}
        for server in p99s:
            server.annotate(8, WARM_S * min(scale, 1))
        for number in range(ROUNDS):
            for server in (empty, full) if number % 2 else (full, empty):
                p99s[server].append(server.annotate(8, max(1.0, 6 * scale)).latency_ms(0.99))
    ratios = [full_ms / empty_ms for empty_ms, full_ms in zip(p99s[empty], p99s[full], strict=True)]
    ratio = statistics.median(ratios)
    yield Row(
        f"p99 with {stored:,} answers stored against an empty run, 8 annotators, {ROUNDS} rounds each in turn",
        "<= 1.3 times",
        f"{ratio:.2f} times (median; {min(ratios):.2f} to {max(ratios):.2f}): {statistics.median(p99s[full]):.1f} ms "
        f"against {statistics.median(p99s[empty]):.1f} ms",
        ratio <= 1.3,
    )


def _one_person_an_image(place: Path, images: "Images", scale: float) -> Iterator[Row]:
    """32 ask for images and answer them, while rankings arrive."""
    with serving(place / "queue", images) as server, publishing(server.run, images.count):
        outcome = server.annotate(32, (HELD_S + 10) * scale, work="queue")
    found = doubles(outcome)
    yield Row(
        f"{len(outcome.handed):,} images handed to 32 clients that ask at once, {outcome.seconds:.0f} s, a ranking a "
        "second",
        f"0 handed to two clients within {HELD_S:.0f} s",
        f"{found}; answers {outcome.per_s:,.0f}/s",
        found == 0 and not outcome.refused,
    )


def _rankings(place: Path, count: int, scale: float) -> Iterator[Row]:
    """Answers while a ranking of a million images arrives each second."""
    with serving(place / "run", make_images(place / "images", count)) as server:
        server.annotate(8, WARM_S * min(scale, 1), work="queue")
        before = server.annotate(8, max(2.0, 15 * scale), work="queue")
        with publishing(server.run, count) as published:
            outcome = server.annotate(8, max(3.0, 30 * scale), work="queue")
            until(lambda: (server.status()["ranking"] or {"generation": 0})["generation"] >= published[-1])
        asked_ms = sorted(1000 * (came_s - asked_s) for _, _, asked_s, came_s in outcome.handed)
        yield Row(
            f"{len(published)} rankings and predictions of {count:,} images arrive, one a second, while 8 annotators "
            f"ask for images and answer, {outcome.seconds:.0f} s",
            "p99 of an answer < 50 ms",
            f"{told(outcome)}; without rankings p99 {before.latency_ms(0.99):.1f} ms; asking for 8 images p99 "
            f"{asked_ms[int(0.99 * len(asked_ms))]:.1f} ms",
            outcome.latency_ms(0.99) < 50 and len(published) >= 0.5 * outcome.seconds and not outcome.refused,
        )


def told(outcome: Outcome) -> str:
    """Speed and latencies in one line."""
    share = 100 * outcome.busy
    refused = f"; refused: {outcome.refused[0]}" if outcome.refused else ""
    return (
        f"{outcome.per_s:,.0f}/s; p50 {outcome.latency_ms(0.5):.1f}, p99 {outcome.latency_ms(0.99):.1f}, longest "
        f"{outcome.latency_ms(1):.0f} ms; the annotators took {share:.0f} % of a core{refused}"
    )


def doubles(outcome: Outcome) -> int:
    """How often an image certainly was handed out while another client had it.

    A lease begins after its image was asked for and before it came: what came to one client sooner than `HELD_S` after
    another asked for it was given to both.
    """
    asked: dict[int, dict[str, float]] = {}
    found = 0
    for client, image, asked_s, came_s in sorted(outcome.handed, key=lambda handed: handed[3]):
        others = asked.setdefault(image, {})
        found += any(other != client and came_s < other_s + HELD_S for other, other_s in others.items())
        others[client] = asked_s
    return found


def stored_answers(run: Path) -> dict[str, str]:
    """Id and label of every answer on the disk."""
    with contextlib.closing(sqlite3.connect(run / DATABASE)) as connection:
        return dict(connection.execute("SELECT id, label FROM answers"))


# --- what is measured -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Images:
    """A folder of so many images."""

    folder: Path
    count: int


class Server:
    """A running server, and the number of the image that is answered next."""

    def __init__(self, suite: Suite, images: Images) -> None:
        self._suite = suite
        self._images = images.count
        self._next = 0

    @property
    def run(self) -> Path:
        """Its run directory."""
        return self._suite.run

    def status(self) -> dict[str, dict[str, int]]:
        """What the page is told."""
        return self._suite.status()  # type: ignore[return-value]

    def annotate(self, annotators: int, seconds: float, **more: object) -> Outcome:
        """So many answer for so long, from where the last ones ended."""
        token = httpx.URL(self._suite.link).params["token"]
        given = {"first": self._next, "images": self._images, "streams": annotators} | more
        outcome = annotate(Task(self._suite.port, token, annotators, seconds, **given))  # type: ignore[arg-type]
        self._next += outcome.sent
        return outcome

    def fill(self, answers: int) -> None:
        """Give so many answers, in batches."""
        while self._next < answers:
            self.annotate(8, 0.5, work="batch", count=min(100, answers - self._next))


@contextlib.contextmanager
def serving(run: Path, images: Images) -> Iterator[Server]:
    """A server that has listed all images."""
    with running(run, images.folder, "--no-ai") as suite:
        until(lambda: not suite.status()["listing"], LISTING_S)
        yield Server(suite, images)


@contextlib.contextmanager
def publishing(run: Path, count: int) -> Iterator[Sequence[int]]:
    """Rankings and predictions of all images, one each second, in an order of their own each; yields generations."""
    ended = threading.Event()
    generations: list[int] = []
    random = np.random.default_rng(0)
    none = np.zeros(0, np.int32)

    def publish() -> None:
        while not ended.is_set():
            due_s = time.monotonic() + 1
            images, probability = random.permutation(count).astype(np.int32), random.random(count, np.float32)
            pickle_file.publish(run, PREDICTIONS, Predictions(probability, probability, none, count, 2, None))
            ranking = Ranking(images, probability[images], 2, "random", None)
            generations.append(pickle_file.publish(run, RANKING, ranking))
            ended.wait(due_s - time.monotonic())

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        until(lambda: generations)
        yield generations
    finally:
        ended.set()
        thread.join()


def make_images(folder: Path, count: int) -> Images:
    """So many names, most of them links to a few small pictures."""
    source = folder / "source.tmp"
    for number in range(count):
        inside = folder / f"part-{number // PER_FOLDER:04d}"
        if number % PER_FOLDER == 0:
            inside.mkdir(parents=True)
        if number % PER_FILE == 0:
            source.unlink(missing_ok=True)
            Image.new("RGB", (64, 48), (number // PER_FILE % 256, 90, 120)).save(source, "JPEG")
        os.link(source, f"{inside}/{number:07d}.jpg")
    source.unlink()
    return Images(folder, count)


def file_system(path: Path) -> str:
    """Its kind, as `stat` calls it: an fsync costs nothing on some."""
    command = ["stat", "--file-system", "--format=%T", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

"""Whether anything grows: the whole suite with one simulated annotator, and what each process takes meanwhile.

Scale 1 is 20 minutes here, and two more for the start.

What may grow with the data has ended before the clock starts: all images are embedded and answered, so embeddings,
kernel columns and pictures are there; TensorBoard has as many points as it keeps of each curve; the history of the
answers is longer than the 2 MB of it that SQLite keeps in memory. From then on the annotator takes answers back, asks
for these images again, looks at them and answers by their known label, or changes an answer: each is learnt, scored and
ranked. Only the history grows, in labels.sqlite3.

Memory is what a process has for itself: anonymous pages, and what of them is swapped out (smaps_rollup). Its slope is
that of Theil and Sen through the least of each twentieth of the time after the first quarter: what is taken for a
moment and given back is no leak. The interval is Sen's, of 95 %.
"""

import contextlib
import itertools
import math
import random
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from IA.process.loop import LOG_BYTES
from tests.faults.report import Row
from tests.processes.suite import Suite, running
from tests.serving import until

MINUTES = 20.0
IMAGES = 240  # below the 500 answers from which the network itself learns
WARM_SHARE = 0.25
SPANS = 20
SAMPLE_S = 2.0
PACE_S = 0.7  # of an answer, on average
HISTORY = 40_000  # answers, 12 MB: SQLite keeps 2 MB of them, and has copied its log into the file several times
KEPT_POINTS = 1100  # TensorBoard keeps 1,000 of each curve
CURVES = {
    "trainer": (
        *("labels/count", "labels/positive", "training/loss", "training/fit_ms", "validation/accuracy"),
        *("validation/average_precision", "validation/loss", "validation/prequential_accuracy"),
        "validation/prequential_ece",
    ),
    "inference": ("latency/answer_to_predictions_s",),
}
SLOPE_MB_PER_H = 1.0
LOGS_KEPT = 3  # of each loop, LOG_BYTES each
NAMES = {
    "backend.supervisor": "supervisor",
    "backend.processes.reaper": "reaper",
    "backend": "server",
    "IA.training": "trainer",
    "IA.inference": "inference",
    "IA.selector": "selector",
    "backend.processes.tensorboard": "TensorBoard",
}
MARKS = {
    "resource_tracker": "resource tracker",
    "--multiprocessing-fork": "preview worker",
    "tensorboard_data_server": "TensorBoard's data server",
}


@dataclass
class Series:
    """What one process took, sample by sample."""

    at_h: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Slope:
    """A slope with its interval of 95 %."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.2f} MB/h ({self.low:+.2f} to {self.high:+.2f})"


def rows(scale: float) -> Iterator[Row]:
    """All figures of this part."""
    minutes = MINUTES * scale
    with tempfile.TemporaryDirectory() as place:
        folder, run = make_images(Path(place) / "images"), Path(place) / "run"
        fill_curves(run / "tensorboard")
        with running(run, folder) as suite, Annotator(suite) as annotator:
            annotator.answer_all()
            processes = {pid: name_of(pid) for pid in [suite.process.pid, *suite.processes()]}
            sizes = sizes_of(run)
            taken, answers = watch(processes, minutes, annotator)
            now = {suite.process.pid, *suite.processes()}
            gone = sorted(processes[pid] for pid in processes.keys() - now if processes[pid] in NAMES.values())
            grown = {path: size - sizes.get(path, 0) for path, size in sizes_of(run).items()}
        what = f"{minutes:.1f} min, of which {WARM_SHARE:.0%} warm up, an answer in {60 * minutes / answers:.1f} s"
        for pid, series in taken.items():
            yield _row(f"{processes[pid]}, {what}", series)
        yield Row(
            f"processes after {what}",
            f"none of the loops ended, at most {len(processes)} processes",
            f"{', '.join(gone) or 'none'} ended, {len(now)} processes",
            not gone and len(now) <= len(processes),
        )
        yield from _files(run, grown, minutes)


def _row(what: str, series: Series) -> Row:
    slope = slope_of(series.at_h, series.memory_mb)
    descriptors, threads = range_of(series.descriptors), range_of(series.threads)
    return Row(
        what,
        f"< {SLOPE_MB_PER_H:.0f} MB/h, descriptors and threads constant",
        f"{slope}, {series.memory_mb[-1]:.1f} MB at the end; descriptors {told(descriptors)}, threads {told(threads)}",
        slope.value < SLOPE_MB_PER_H and len(set(descriptors)) == 1 and len(set(threads)) == 1,
    )


def _files(run: Path, grown: dict[Path, int], minutes: float) -> Iterator[Row]:
    """Logs and event files; the answers themselves are kept for good."""
    logs = sorted((run / "logs").iterdir())
    total = sum(path.stat().st_size for path in logs)
    names = {path.name.partition(".")[0] for path in logs}
    hourly = 60 / minutes / 1e6
    yield Row(
        f"logs of {len(names)} processes, rotated at {LOG_BYTES / 1e6:.0f} MB",
        f"<= {LOGS_KEPT * LOG_BYTES * len(names) / 1e6:.0f} MB",
        f"{total / 1e6:.2f} MB; {sum(size for path, size in grown.items() if path in logs) * hourly:.2f} MB/h",
        total <= LOGS_KEPT * LOG_BYTES * len(names),
    )
    events = sum(size for path, size in grown.items() if path.is_relative_to(run / "tensorboard"))
    yield Row(
        "event files of TensorBoard at that pace",
        "< 10 MB/h",
        f"{events * hourly:.2f} MB/h",
        events * hourly < 10,
    )


# --- what a process takes ---------------------------------------------------------------------------------------------


def watch(processes: dict[int, str], minutes: float, annotator: "Annotator") -> tuple[dict[int, Series], int]:
    """Let the annotator work, and look at the processes; gives what they took after the warm-up, and the answers."""
    taken = {pid: Series() for pid in processes}
    began_s = time.monotonic()
    began = annotator.answers
    annotator.begin()
    while (at_s := time.monotonic() - began_s) < 60 * minutes:
        annotator.check()
        if at_s > 60 * minutes * WARM_SHARE:
            for pid, series in taken.items():
                with contextlib.suppress(OSError):  # it has ended: a row of its own says so
                    look(pid, series, at_s / 3600)
        time.sleep(min(SAMPLE_S, minutes))  # between two samples
    return {pid: series for pid, series in taken.items() if series.at_h}, max(1, annotator.answers - began)


def look(pid: int, series: Series, at_h: float) -> None:
    """One sample. Raises OSError where the process has ended."""
    process = Path(f"/proc/{pid}")
    lines = dict(line.split(":", 1) for line in (process / "smaps_rollup").read_text().splitlines()[1:])
    series.memory_mb.append(sum(int(lines[name].split()[0]) for name in ("Anonymous", "Swap")) / 1024)
    series.descriptors.append(len(list((process / "fd").iterdir())))
    series.threads.append(len(list((process / "task").iterdir())))
    series.at_h.append(at_h)


def name_of(pid: int) -> str:
    """What a person calls the process."""
    arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    module = arguments[arguments.index("-m") + 1] if "-m" in arguments else ""
    if module in NAMES:
        return NAMES[module]
    known = [name for mark, name in MARKS.items() if any(mark in argument for argument in arguments)]
    return next(iter(known), module or Path(arguments[0]).name)


def least(at_h: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """The least of each span of time, and when that was."""
    first, last = at_h[0], at_h[-1] + 1e-9
    spans: dict[int, tuple[float, float]] = {}
    for at, value in zip(at_h, values, strict=True):
        span = int(SPANS * (at - first) / (last - first))
        spans[span] = min(spans.get(span, (at, value)), (at, value), key=lambda entry: entry[1])
    return list(spans.values())


def slope_of(at_h: Sequence[float], values: Sequence[float]) -> Slope:
    """The slope of Theil (1950), with the interval of Sen (1968)."""
    points = least(at_h, values)
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(points, 2) if b[0] > a[0])
    if not slopes:
        return Slope(math.nan, math.nan, math.nan)
    half = 1.96 * math.sqrt(len(points) * (len(points) - 1) * (2 * len(points) + 5) / 18)
    low, high = max(0, round((len(slopes) - half) / 2)), min(len(slopes) - 1, round((len(slopes) + half) / 2))
    return Slope(statistics.median(slopes), slopes[low], slopes[high])


def range_of(counts: Sequence[int]) -> tuple[int, int]:
    """The least at the beginning and at the end: what is open for a moment does not count."""
    third = max(1, len(counts) // 3)
    return min(counts[:third]), min(counts[-third:])


def told(ends: tuple[int, int]) -> str:
    """Two counts in words."""
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def sizes_of(run: Path) -> dict[Path, int]:
    """How long every file of the run is."""
    sizes = {}
    for path in run.rglob("*"):
        with contextlib.suppress(OSError):  # a temporary file is gone
            sizes[path] = path.stat().st_size
    return sizes


# --- what they have to do ---------------------------------------------------------------------------------------------


class Annotator:
    """A person at the page: looks, answers by the known label, at times wrongly, takes back, reads the figures."""

    def __init__(self, suite: Suite) -> None:
        self.answers = 0
        self._suite = suite
        self._random = random.Random(0)
        self._stop = threading.Event()
        self._trouble: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in (self._work, self._listen)]

    def __enter__(self) -> "Annotator":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def answer_all(self) -> None:
        """Answer every image, and wait until all of it is learnt."""
        until(lambda: self._suite.status()["images"] == IMAGES, 60)
        until(self._suite.all_run, 120)
        until(lambda: self._embedded() == IMAGES, 600)
        for _ in range(HISTORY // IMAGES):
            for first in range(0, IMAGES, IMAGES // 3):
                some = range(first, first + IMAGES // 3)
                entry = {"label": "skipped", "client": "me", "group": str(uuid.uuid4())}
                self._post("/api/annotations/batch", {"annotations": [entry | {"image": image} for image in some]})
                self._post("/api/undo", {"client": "me"})
        while images := self._ask(50):
            for image in images:
                self._answer(image)
        status = self._suite.status()
        until(lambda: self._suite.learnt() == sum(int(str(status[name])) for name in ("positives", "negatives")), 120)

    def begin(self) -> None:
        """Go on at a person's pace, in threads."""
        for thread in self._threads:
            thread.start()

    def check(self) -> None:
        """Fail where the annotator has."""
        if self._trouble:
            raise self._trouble[0]

    def _run(self, work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001 - told by `check`
            self._trouble.append(error)

    def _work(self) -> None:
        for step in itertools.count(1):
            if self._stop.wait(min(self._random.expovariate(1 / PACE_S), 4 * PACE_S)):
                return
            images = self._ask(8)
            if not images or step % 10 == 0:
                for _ in range(self._random.randrange(1, 12)):
                    self._post("/api/undo", {"client": "me"})
            for image in images[:1]:
                self._answer(image)
            if step % 15 == 0:
                [record] = self._get("/api/annotations", limit=1, offset=self._random.randrange(IMAGES // 2))[
                    "annotations"
                ]
                self._answer(record)
            if step % 10 == 0:
                self._get("/api/statistics")
                self._suite.client.get("/tensorboard/data/runs").raise_for_status()

    def _listen(self) -> None:
        """The page's event stream; the page is loaded anew every minute."""
        client = self._suite.client
        while not self._stop.is_set():
            ends_s = time.monotonic() + 60
            client.get("/").raise_for_status()
            with client.stream("GET", "/api/events") as stream:
                for _ in stream.iter_lines():
                    if self._stop.is_set() or time.monotonic() > ends_s:
                        break

    def _embedded(self) -> int:
        embedding = self._suite.status()["embedding"]
        return embedding["done"] if isinstance(embedding, dict) else 0

    def _ask(self, count: int) -> list[dict[str, object]]:
        images: list[dict[str, object]] = self._get("/api/queue", count=count, client="me")["images"]
        for image in images[:2]:
            picture = self._suite.client.get(f"/api/images/{image['image']}", params={"size": 1280})
            picture.raise_for_status()
        return images

    def _answer(self, image: dict[str, object]) -> None:
        is_red = str(image["path"]).startswith("red") != (self._random.random() < 0.05)
        label = "skipped" if self._random.random() < 0.02 else "positive" if is_red else "negative"
        body = {"image": image["image"], "label": label, "source": "key", "client": "me", "shown_ms": 700}
        self._post("/api/annotations", body)
        self.answers += 1

    def _get(self, path: str, **params: str | int) -> dict[str, list[dict[str, object]]]:
        content: dict[str, list[dict[str, object]]] = (
            self._suite.client.get(path, params=params).raise_for_status().json()
        )
        return content

    def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        return self._suite.client.post(path, json=body).raise_for_status()


def make_images(folder: Path) -> Path:
    """Pictures of two colours, by folder, larger than the page shows them."""
    source = np.random.default_rng(0)
    for name, colour in {"red": (200, 60, 60), "blue": (60, 60, 200)}.items():
        (folder / name).mkdir(parents=True)
        for number in range(IMAGES // 2):
            small = np.array(colour) + source.integers(-60, 60, (24, 32, 3))
            picture = Image.fromarray(small.clip(0, 255).astype(np.uint8)).resize((1600, 1200))
            picture.save(folder / name / f"{number:03d}.jpg", quality=85)
    return folder


def fill_curves(directory: Path) -> None:
    """As many points as TensorBoard keeps of each curve, so that it takes no more memory for those that come."""
    from torch.utils.tensorboard import SummaryWriter

    for loop, curves in CURVES.items():
        with SummaryWriter(str(directory / loop)) as writer:
            for step, curve in itertools.product(range(KEPT_POINTS), curves):
                writer.add_scalar(curve, step, step)

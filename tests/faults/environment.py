"""Trouble around the suite while a person answers: disk, image folder, clock, inotify, memory, descriptors.

Each trouble comes to a whole suite with all its loops, lasts for a while, and ends. Meanwhile somebody answers and asks
all the time: each answer must come within a second, as 201 and durable or as 503; and all must be well again 10 s after
the end: the next answer stored, every loop running, the answer learnt. Then the server is killed, and what it said is
held against what is there. Scale 1 takes about 6 minutes.
"""

import contextlib
import os
import random
import resource
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import httpx

from tests.faults.machine import mounts
from tests.faults.machine.ledger import Ledger, is_published
from tests.faults.machine.loops import IMAGES, is_learnt, paint
from tests.faults.report import Row, skipped
from tests.processes.suite import END_S, Suite, kill
from tests.serving import until

HEAL_S = 10.0
WAIT_S = 180.0  # for what takes longer than it should, to say how long
ANSWER_S = 1.0
EVERY_S = 0.05
DAY_S = 86_400
FULL_S = 60.0  # how long the disk is full at scale 1
LASTS_S = 20.0  # and any other trouble
LEAST_S = 3.0
BAR = "page answers within 1 s, 201 durable or 503 not counted; well again within 10 s"
KNOB = "/proc/sys/user/max_inotify_instances"
NO_INOTIFY = ("unshare", "--user", "--map-root-user", "sh", "-c", f'echo 0 > {KNOB} && exec "$@"', "sh")
TOLD_BY_FILE = """\
import time
_now, _now_ns = time.time, time.time_ns
def _shift():
    try:
        with open({path!r}) as file:
            return float(file.read() or 0)
    except (OSError, ValueError):
        return 0.0
time.time = lambda: _now() + _shift()
time.time_ns = lambda: _now_ns() + int(_shift() * 1e9)
"""


def rows(scale: float) -> Iterator[Row]:
    """One row for each trouble."""
    yield from disk_rows(max(LEAST_S, FULL_S * scale), max(LEAST_S, LASTS_S * scale))
    yield from images_rows(max(LEAST_S, LASTS_S * scale))
    yield from process_rows(max(LEAST_S, LASTS_S * scale))
    yield from clock_rows(max(LEAST_S, LASTS_S * scale))
    yield from inotify_rows(max(LEAST_S, LASTS_S * scale))


# --- the person -------------------------------------------------------------------------------------------------------


class Person:
    """Somebody who answers in a suite, as `Asked` wants it."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.run = suite.run
        self.client = suite.client
        self.ledger = Ledger()
        self.deaths = 0
        self.name = str(uuid.uuid4())
        self._server = self.pid

    @property
    def pid(self) -> int:
        """The server's."""
        return self.suite.pid_of("backend")

    @property
    def is_alive(self) -> bool:
        """Whether the server runs."""
        return self.pid != 0

    def answer(self) -> bool:
        """Answer any image; whether that was acknowledged."""
        return self.ledger.answer(self, self.name, random.randrange(IMAGES))

    def work(self, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Answer and look for so long, `meanwhile` once each time; then see whether the server is still the same."""
        ends_s = time.monotonic() + seconds
        while time.monotonic() < ends_s:
            with contextlib.suppress(httpx.TransportError):
                self.answer()
                self.ledger.ask(self, "GET", "/api/status", 200)
                self.ledger.ask(self, "GET", "/api/queue?count=4", 200)
            meanwhile()
            time.sleep(EVERY_S)  # the pace of a fast person
        self._count_deaths()

    def heal(self) -> None:
        """Wait until all is well, what was refused sent again by its id; then kill the server, and hold it to all."""
        began = time.monotonic()
        try:
            until(self._is_sent, WAIT_S)
            until(self._is_well, WAIT_S)
        except AssertionError:
            self.ledger.wrong.append(f"not well again: {self._look()}")
        self.ledger.healed_s = max(self.ledger.healed_s, time.monotonic() - began)
        self._count_deaths()
        self.ledger.check(self, "after the trouble")
        self.restart()
        self.ledger.check(self, "after a kill")

    def restart(self) -> None:
        """Kill the server, and wait until it is there again."""
        kill(self._server)
        until(lambda: self.pid not in (0, self._server) and self._is_up(), WAIT_S)
        self._server = self.pid

    def row(self, what: str, bar: str = BAR, more: str = "", is_met: bool = True) -> Row:
        """What came of a trouble; a new ledger begins."""
        ledger, deaths = self.ledger, self.deaths
        self.ledger, self.deaths = Ledger(), 0
        measured = (
            f"{ledger.verdict}; {ledger.asked} requests, {len(ledger.acknowledged)} answers acknowledged, "
            f"{ledger.refusals} refused; slowest {ledger.slowest_s:.2f} s, well again in {ledger.healed_s:.1f} s; "
            f"{deaths} servers ended{more}"
        )
        is_good = not ledger.wrong and ledger.slowest_s < ANSWER_S and ledger.healed_s < HEAL_S and not deaths
        return Row(what, bar, measured, is_good and is_met)

    def _is_sent(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            waiting = list(self.ledger.refused.items())
            return all(self.ledger.answer(self, self.name, image, again=id) for id, image in waiting) and self.answer()
        return False

    def _is_well(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self.suite.all_run() and is_published(self.run) and is_learnt(self.run)
        return False

    def _is_up(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return not self.suite.status()["listing"]
        return False

    def _look(self) -> str:
        with contextlib.suppress(httpx.HTTPError):
            status = self.suite.status()
            return f"{status['loops']}, published {is_published(self.run)}, learnt {is_learnt(self.run)}"
        return "the server does not answer"

    def _count_deaths(self) -> None:
        until(lambda: self.is_alive, WAIT_S)
        self.deaths += self.pid != self._server
        self._server = self.pid


@contextlib.contextmanager
def at_work(
    run: Path, datadir: Path, through: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Person]:
    """A suite that has learnt a few answers, and a person; ended at the end, whatever happens."""
    suite = Suite(run, datadir, "--finetune", "off")
    suite.through = list(through)
    before = dict(os.environ)
    os.environ.update(environment or {})
    try:
        suite.start()
        os.environ.clear()
        os.environ.update(before)
        until(suite.all_run, WAIT_S)
        for image, label in enumerate(["positive", "negative", "positive", "negative"]):
            suite.answer(image, label)
        until(lambda: is_learnt(run), WAIT_S)
        yield Person(suite)
    finally:
        os.environ.clear()
        os.environ.update(before)
        suite.process.terminate()
        suite.process.wait(END_S)
        suite.client.close()
        if suite.process.stdout is not None:
            suite.process.stdout.close()
        until(lambda: not suite.processes(), END_S)


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """A folder for a run, with pictures in `photos`."""
    with tempfile.TemporaryDirectory() as directory:
        paint(Path(directory).resolve() / "photos")
        yield Path(directory).resolve()


# --- the disk of the run ----------------------------------------------------------------------------------------------


def disk_rows(full_s: float, lasts_s: float) -> Iterator[Row]:
    """The disk is full; then nothing on it may be written."""
    if why := mounts.missing("chattr"):
        yield from skipped("disk full, run directory read-only", why)
        return
    with (
        place() as here,
        mounts.disk(here, "disk", 192) as disk,
        at_work(disk.folder / "run", here / "photos") as person,
    ):
        disk.fill()
        person.work(full_s, disk.fill)
        disk.empty()
        person.heal()
        yield person.row(f"disk of the run full for {full_s:.0f} s")
        attribute(disk.folder, "+i")
        person.work(lasts_s)
        attribute(disk.folder, "-i")
        person.heal()
        yield person.row(f"run directory and all in it immutable (`chattr +i`) for {lasts_s:.0f} s")


def attribute(folder: Path, change: str) -> None:
    """Change an attribute of all files; those that go away meanwhile do not matter."""
    subprocess.run(["chattr", "-f", "-R", change, str(folder / "run")], check=False)


# --- the images -------------------------------------------------------------------------------------------------------


def images_rows(lasts_s: float) -> Iterator[Row]:
    """The disk of the images goes and comes, also while the server starts."""
    if why := mounts.missing():
        yield from skipped("DATADIR unmounted and back", why)
        return
    with place() as here, mounts.disk(here, "images", 16) as disk:
        paint(disk.folder)
        with at_work(here / "run", disk.folder) as person:
            yield without_images(person, disk, lasts_s, IMAGES, restarts=False)
            yield without_images(person, disk, lasts_s, IMAGES + 1, restarts=True)


def without_images(person: Person, disk: mounts.Disk, lasts_s: float, images: int, restarts: bool) -> Row:
    """Take the disk with so many images away, and bring it back with one more."""
    disk.unmount()
    if restarts:
        person.restart()
    person.work(lasts_s)
    status = person.suite.status()
    disk.mount()
    paint_one(disk.folder / f"new-{images}.png")
    began = time.monotonic()
    with contextlib.suppress(AssertionError):
        until(partial(is_shown, person, images + 1), WAIT_S)
    found_s = time.monotonic() - began
    person.heal()
    return person.row(
        f"DATADIR unmounted for {lasts_s:.0f} s and back{', the server killed meanwhile' * restarts}",
        f"{BAR}; no image taken for deleted, a new one found",
        f"; {status['images']} of {images} images kept; shown again, and a new one found, after {found_s:.1f} s",
        status["images"] == images and found_s < HEAL_S,
    )


def paint_one(path: Path) -> None:
    """One more picture."""
    shutil.copy(path.parent / "00.png", path)


def is_shown(person: Person, images: int) -> bool:
    """Whether there are so many images, and the first is shown."""
    with contextlib.suppress(httpx.HTTPError):
        status = person.suite.status()
        return status["images"] == images and person.client.get("/api/images/0").status_code == 200
    return False


# --- memory and descriptors -------------------------------------------------------------------------------------------


def process_rows(lasts_s: float) -> Iterator[Row]:
    """The trainer gets no more memory; the server gets no more descriptors."""
    if not hasattr(resource, "prlimit"):
        yield from skipped("no memory, no descriptors", "limits of other processes can only be set on Linux")
        return
    with place() as here, at_work(here / "run", here / "photos") as person:
        seen: set[str] = set()
        trainers: set[int] = set()
        person.work(lasts_s, lambda: starve(person.suite, trainers, seen))
        person.heal()
        yield person.row(
            f"no more memory for the trainer (RLIMIT_AS) for {lasts_s:.0f} s",
            more=f"; {len(trainers)} trainers starved, shown as {', '.join(sorted(seen))}",
            is_met=bool(seen - {"running"}),
        )
        server = person.pid
        before = resource.prlimit(server, resource.RLIMIT_NOFILE)
        resource.prlimit(server, resource.RLIMIT_NOFILE, (len(list(Path(f"/proc/{server}/fd").iterdir())), before[1]))
        person.work(lasts_s)
        resource.prlimit(server, resource.RLIMIT_NOFILE, before)
        began = time.monotonic()
        until(lambda: httpx.get(f"{person.client.base_url}/", trust_env=False, timeout=HEAL_S), HEAL_S)
        connected_s = time.monotonic() - began
        person.heal()
        yield person.row(
            f"no more descriptors for the server (RLIMIT_NOFILE) for {lasts_s:.0f} s",
            more=f"; a new connection is served {connected_s:.1f} s after",
            is_met=connected_s < HEAL_S,
        )


def starve(suite: Suite, trainers: set[int], seen: set[str]) -> None:
    """Leave the present trainer no memory beyond what it has, and note how the page shows it."""
    pid = suite.pid_of("IA.training")
    with contextlib.suppress(ProcessLookupError, httpx.HTTPError):
        if pid and pid not in trainers:
            resource.prlimit(pid, resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
            trainers.add(pid)
        loops = suite.status()["loops"]
        assert isinstance(loops, dict)
        seen.add(loops["trainer"])


# --- clock and inotify ------------------------------------------------------------------------------------------------


def clock_rows(lasts_s: float) -> Iterator[Row]:
    """Python's clock (`time.time`) of every process a day forth, a day back, and right again.

    The machine's own clock is left alone, and so are the times that the system gives to files.
    """
    with place() as here:
        (here / "python").mkdir()
        shift = here / "shift"
        (here / "python" / "sitecustomize.py").write_text(TOLD_BY_FILE.format(path=str(shift)))
        path = os.pathsep.join(filter(None, [str(here / "python"), os.environ.get("PYTHONPATH")]))
        with at_work(here / "run", here / "photos", environment={"PYTHONPATH": path}) as person:
            told = []
            for days in (1, -1, 0):
                shift.write_text(str(days * DAY_S))
                person.work(lasts_s / 3)
                newest = person.client.get("/api/annotations?limit=1").json()["annotations"][0]
                told.append(newest["time"][:10])
                person.ledger.undo(person, person.name)
                person.heal()
            yield person.row(
                f"clock of all processes a day forth, a day back and right again, {lasts_s / 3:.0f} s each",
                more=f"; answers dated {', '.join(told)}",
                is_met=told[0] > told[2] > told[1],
            )


def has_namespaces() -> bool:
    """Whether a process can be given a limit of inotify instances of its own."""
    return (
        shutil.which("unshare") is not None
        and not subprocess.run([*NO_INOTIFY, "true"], capture_output=True, check=False).returncode
    )


def inotify_rows(lasts_s: float) -> Iterator[Row]:
    """No inotify instance is left, in a user namespace of the suite's own."""
    what = "no inotify instance left"
    if not has_namespaces():
        yield from skipped(what, "no user namespaces with limits of their own here")
        return
    with place() as here, at_work(here / "run", here / "photos", NO_INOTIFY) as person:
        person.work(lasts_s)
        began = time.monotonic()
        paint_one(here / "photos" / "new.png")
        with contextlib.suppress(AssertionError):
            until(partial(is_shown, person, IMAGES + 1), HEAL_S)
        found_s = time.monotonic() - began
        entered = ["nsenter", "--user", "--preserve-credentials", "--target", str(person.suite.process.pid)]
        subprocess.run([*entered, "sh", "-c", f"echo 128 > {KNOB}"], check=True)
        person.heal()
        yield person.row(
            f"{what} from the start, {lasts_s:.0f} s, then enough",
            more=f"; a new image was found after {found_s:.1f} s without",
            is_met=found_s < HEAL_S,
        )

"""Every system call of the answering path fails once, and from then on, in every way: what was said must hold.

Needs strace, and the right to trace. Each case starts a server anew, lets one of its calls on files of the run
directory fail, and answers meanwhile: one image, a batch of three, an undo, another strategy. Half of the cases then
kill the server while the fault lasts. At the end an independent look at the database tells whether what was
acknowledged is there and what was refused is not, and everything refused is sent again. Scale 1 takes about 35 minutes.
"""

import contextlib
import random
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from PIL import Image

from IA.protocol import files as protocol
from tests.faults.machine import injection
from tests.faults.machine.ledger import Ledger, is_published
from tests.faults.machine.loops import loop_rows
from tests.faults.machine.process import HANG_S, ServerProcess
from tests.faults.report import Row, skipped
from tests.serving import until

ERRORS = ("EIO", "ENOSPC", "EACCES", "EROFS", "EMFILE")
CALLS = ("write", "pwrite64", "fsync", "fdatasync", "rename", "openat", "mmap", "ftruncate", "unlink")
HEAL_S = 10.0
IMAGES = 24
PUBLISHED_S = 0.3  # the publisher's calls are to fail too: so long is waited for them


@dataclass(frozen=True)
class Case:
    """One way to fail: which call, the how-manieth of its thread, with which error; once, or from then on."""

    call: str
    index: int
    error: str
    lasts: bool
    kills: bool

    @property
    def fault(self) -> str:
        """As strace takes it."""
        return f"error={self.error}:when={self.index}{'+' if self.lasts else ''}"


def rows(scale: float) -> Iterator[Row]:
    """One row for each system call of the server, then its start, then the loops."""
    if why := injection.missing():
        yield from skipped("every system call fails", why)
        return
    with tempfile.TemporaryDirectory() as directory:
        with annotation_server(Path(directory) / "server") as server:
            for call, count in calls_made(server).items():
                yield row(server, call, sample(call, count, scale))
        with annotation_server(Path(directory) / "start") as server:
            yield start_row(server, scale)
        yield from loop_rows(Path(directory), ERRORS, scale)


def sample(call: str, count: int, scale: float) -> list[Case]:
    """Each index with each error, once and lasting, with and without a kill by turns; or a share of them."""
    turn = random.Random(0)
    every = [
        Case(call, index, error, lasts, turn.random() < 0.5)
        for index in range(1, count + 1)
        for error in ERRORS
        for lasts in (False, True)
    ]
    return every if scale >= 1 else turn.sample(every, max(1, round(scale * len(every))))


@contextlib.contextmanager
def annotation_server(place: Path, environment: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """A server on some plain pictures."""
    (place / "images").mkdir(parents=True)
    for number in range(IMAGES):
        Image.new("RGB", (8, 8), (10 * number, 0, 0)).save(place / "images" / f"{number:02}.png")
    (place / "run").mkdir()
    server = ServerProcess((place / "run").resolve(), place / "images", environment)
    try:
        yield server
    finally:
        server.close()


def files(server: ServerProcess) -> list[Path]:
    """The files of the answering path."""
    run = server.run
    database = [run / f"labels.sqlite3{suffix}" for suffix in ("", "-wal", "-shm", "-journal")]
    pickles = [name.name for name in (protocol.ANNOTATIONS, protocol.SETTINGS)]
    replaced = [run / name for name in pickles] + [run / f".{name}.{server.pid}.tmp" for name in pickles]
    return [run, *database, *replaced]


def calls_made(server: ServerProcess) -> dict[str, int]:
    """How often each system call is made while a fresh server is asked what `work` asks; those never made left out."""
    server.wait_until_up()
    with injection.injected(server.pid, CALLS, files(server)) as seen:
        work(server, Ledger(), "count")
    return {call: seen.calls[call] for call in CALLS if seen.calls[call]}


def work(server: ServerProcess, ledger: Ledger, client: str) -> None:
    """What a page asks of the server in some seconds; ends early where the server ends."""
    ledger.last = None
    with contextlib.suppress(httpx.TransportError):
        ledger.answer(server, client, 0)
        ledger.answer(server, client, 1, 2, 3)
        ledger.undo(server, client)
        ledger.answer(server, client, random.randrange(4, IMAGES))
        ledger.ask(server, "PUT", "/api/strategy", 200, json={"strategy": random.choice(["entropy", "max_prob"])})
        for path in ("/api/status", "/api/annotations?limit=3", "/api/statistics", "/api/export"):
            ledger.ask(server, "GET", path, 200)
        with contextlib.suppress(AssertionError, sqlite3.Error):
            until(lambda: is_published(server.run), PUBLISHED_S)


def try_case(server: ServerProcess, ledger: Ledger, case: Case) -> None:
    """One case on a fresh server, which is killed at its end."""
    server.wait_until_up()
    client = str(uuid.uuid4())
    before = len(ledger.wrong)
    with injection.injected(server.pid, [case.call], files(server), case.fault) as seen:
        work(server, ledger, client)
        if case.kills:
            server.kill()
    ledger.faults += seen.failed
    server.wait_until_up()
    ledger.check(server, "after a kill" if case.kills else "after the fault")
    ledger.healed_s = max(ledger.healed_s, heal(server, ledger, client))
    server.kill()
    server.wait_until_up()
    ledger.check(server, "after the last kill")
    server.kill()
    ledger.wrong[before:] = [f"{case}: {what}" for what in ledger.wrong[before:]]


def heal(server: ServerProcess, ledger: Ledger, client: str) -> float:
    """Send again what was refused, by its id, and something new; returns how long it takes until all is well."""
    began = time.monotonic()
    again: list[Callable[[], bool]] = [
        partial(ledger.answer, server, client, image, again=id) for id, image in ledger.refused.items()
    ]
    again.append(partial(ledger.answer, server, client, 0))
    for send in again:
        try:
            until(send, HEAL_S)
        except (AssertionError, httpx.TransportError) as error:
            ledger.wrong.append(f"does not heal: {error!r}")
            return HEAL_S
    try:
        until(lambda: is_published(server.run), HEAL_S)
    except AssertionError:
        ledger.wrong.append("annotations.pickle does not follow")
    return time.monotonic() - began


def row(server: ServerProcess, call: str, cases: list[Case]) -> Row:
    """Try the cases of one system call."""
    ledger = Ledger()
    server.deaths = 0
    for case in cases:
        try_case(server, ledger, case)
    measured = (
        f"{ledger.verdict}; {ledger.faults} calls failed, {server.deaths} servers ended and were started again, "
        f"slowest answer {ledger.slowest_s:.2f} s, healed in {ledger.healed_s:.1f} s"
    )
    return Row(
        f"the server's `{call}` fails with {', '.join(ERRORS)} at each call, once and from then on: {len(cases)} times",
        "503 and not counted, or durable, also after kill -9; no 500, no hang; 201 within 10 s",
        measured,
        not ledger.wrong and ledger.faults > 0 and ledger.slowest_s < HANG_S and ledger.healed_s < HEAL_S,
    )


# --- the start --------------------------------------------------------------------------------------------------------


def start_row(server: ServerProcess, scale: float) -> Row:
    """Calls of a start fail: the server starts nevertheless, or ends and starts the next time, with all its answers."""
    ledger = Ledger()
    server.wait_until_up()
    work(server, ledger, "before")
    server.kill()
    counts = start_under(server, ledger, None).calls
    cases = [case for call in CALLS if counts[call] for case in sample(call, counts[call], scale)]
    for case in cases:
        ledger.faults += start_under(server, ledger, case).failed
    refused = server.deaths
    return Row(
        f"calls of the server's start fail, as above: {len(cases)} times",
        "starts, or ends and starts the next time; nothing lost",
        f"{ledger.verdict}; {ledger.faults} calls failed, {refused} of {len(cases)} ended first",
        not ledger.wrong and ledger.faults > 0,
    )


def start_under(server: ServerProcess, ledger: Ledger, case: Case | None) -> injection.Injection:
    """One start with a fault, and one without if that ends it; killed at the end."""
    seen = injection.Injection()
    run = server.run
    names = ["labels.sqlite3", "labels.sqlite3-wal", "labels.sqlite3-shm", ".server.lock", "logs/server.log"]
    names += [file.name for file in (protocol.ANNOTATIONS, protocol.SETTINGS, protocol.IMAGES)]
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        calls, fault = (CALLS, None) if case is None else ([case.call], case.fault)
        server.start(injection.arguments(log, calls, [run, *(run / name for name in names)], fault))
        with contextlib.suppress(AssertionError):
            server.wait_until_up()
            ledger.check(server, f"started with {case}")
            server.kill()
            injection.read_log(log, seen)
            return seen
    server.kill()
    ledger.wrong.append(f"{case}: does not start")
    return seen

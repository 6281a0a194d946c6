"""Publications of trainer, inference and selector that fail: the loop lives, the last good file stays, and it heals.

The whole suite runs. While one system call of one loop on its own files fails each time, a person answers; then the
fault ends, the next answer is given, and everything must come to have learnt it.
"""

import contextlib
import itertools
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from IA.protocol import files as protocol
from IA.protocol import pickle_file, watching
from tests.faults.machine import injection
from tests.faults.report import Row
from tests.processes.suite import Suite, running
from tests.serving import until

HEAL_S = 10.0
WAIT_S = 180.0  # for a start of all loops, on a busy machine
FAULT_S = 1.0  # after the answer: so long the loop has to run into the fault, and to log it
CALLS = ("write", "fsync", "rename", "openat")
IMAGES = 40
WRITES = {
    "trainer": ("predictor.ckpt", "held_out.pickle"),
    "inference": ("predictions.pickle", "features.pickle", "duplicates.pickle", "explanations.pickle"),
    "selector": ("ranking.pickle",),
}
MODULES = {"trainer": "IA.training", "inference": "IA.inference", "selector": "IA.selector"}
PRIVATE = {"trainer": ("tensorboard/trainer", "cache/trainer"), "inference": ("tensorboard/inference",)}


@dataclass
class Tally:
    """What came of all cases of one loop."""

    cases: int = 0
    faults: int = 0
    warnings: int = 0
    deaths: int = 0
    unreadable: int = 0
    unhealed: int = 0
    slowest_s: float = 0.0
    healed_s: float = 0.0


def loop_rows(place: Path, errors: Sequence[str], scale: float) -> Iterator[Row]:
    """One row for each loop."""
    datadir = place / "photos"
    paint(datadir)
    with running(place / "suite", datadir, "--finetune", "off") as suite:
        until(suite.all_run, WAIT_S)
        person = Person(suite)
        for _ in range(4):
            person.answer()
        until(lambda: is_learnt(suite.run), WAIT_S)
        for loop in WRITES:
            cases = list(itertools.product(CALLS, errors))
            random.Random(0).shuffle(cases)
            tally = Tally()
            for call, error in cases[: max(1, round(scale * len(cases)))]:
                try_case(suite, person, tally, loop, call, error)
            yield row(loop, tally, errors)


def paint(datadir: Path) -> None:
    """Pictures of noise, dark and bright by turns."""
    datadir.mkdir(exist_ok=True)
    noise = np.random.default_rng(0)
    for number in range(IMAGES):
        pixels = noise.integers(0, 90, (48, 64, 3)) + (150 if number % 2 else 0)
        Image.fromarray(pixels.astype(np.uint8)).save(datadir / f"{number:02}.png")


def row(loop: str, tally: Tally, errors: Sequence[str]) -> Row:
    """What came of one loop."""
    measured = (
        f"{tally.faults} calls failed, {tally.warnings} warnings, {tally.deaths} ended, {tally.unreadable} files "
        f"unreadable, {tally.unhealed} not healed; slowest answer {tally.slowest_s:.2f} s, "
        f"healed in {tally.healed_s:.1f} s"
    )
    return Row(
        f"publications of the {loop} fail ({', '.join(CALLS)} with {', '.join(errors)}): {tally.cases} times",
        "page answers within 1 s; last good file stays; one warning a file; learns again within 10 s",
        measured,
        tally.faults > 0
        and not (tally.deaths or tally.unreadable or tally.unhealed)
        and 0 < tally.warnings <= 2 * tally.cases  # a loop may write to two files at once
        and tally.slowest_s < 1
        and tally.healed_s < HEAL_S,
    )


class Person:
    """Answers images one after another, each time another answer."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._turn = itertools.count()
        self.slowest_s = 0.0

    def answer(self) -> None:
        """One answer; every image that was answered before is answered anew, with the opposite."""
        turn = next(self._turn)
        label = "positive" if (turn + turn // IMAGES) % 2 else "negative"
        response = self._suite.client.post(
            "/api/annotations", json={"image": turn % IMAGES, "label": label, "client": "me"}
        )
        response.raise_for_status()
        self.slowest_s = max(self.slowest_s, response.elapsed.total_seconds())


def is_learnt(run: Path) -> bool:
    """Whether checkpoint, predictions and ranking stand, and came after the newest answers."""
    names = ("annotations.pickle", "predictor.ckpt", "predictions.pickle", "ranking.pickle")
    times = [found[1] for name in names if (found := watching.signature(run / name)) is not None]
    return len(times) == len(names) and times == sorted(times)


def try_case(suite: Suite, person: Person, tally: Tally, loop: str, call: str, error: str) -> None:
    """Let one call of one loop fail while a person answers, and see what it does then."""
    run = suite.run
    pid = suite.pid_of(MODULES[loop])
    log = run / "logs" / f"{loop}.log"
    warned = log.read_text().count(" WARNING ")
    person.slowest_s = 0.0
    with injection.injected(pid, [call], files(run, loop, pid), f"error={error}") as seen:
        person.answer()
        with contextlib.suppress(AssertionError):
            until(lambda: log.read_text().count(" WARNING ") > warned, 10 * FAULT_S)
    tally.cases += 1
    tally.faults += seen.failed
    tally.warnings += log.read_text().count(" WARNING ") - warned
    tally.unreadable += not all_readable(run, loop)
    began = os.times().elapsed
    person.answer()
    try:
        until(lambda: is_learnt(run), HEAL_S)
    except AssertionError:
        tally.unhealed += 1
    tally.healed_s = max(tally.healed_s, os.times().elapsed - began)
    tally.slowest_s = max(tally.slowest_s, person.slowest_s)
    if suite.pid_of(MODULES[loop]) != pid:
        tally.deaths += 1
        until(suite.all_run, WAIT_S)


def files(run: Path, loop: str, pid: int) -> list[Path]:
    """What a loop writes: its publications, their temporaries, and its private files."""
    published = [run / name for name in WRITES[loop]] + [run / f".{name}.{pid}.tmp" for name in WRITES[loop]]
    private = [path for folder in PRIVATE.get(loop, ()) for path in (run / folder).rglob("*") if path.is_file()]
    return [*published, *private]


def all_readable(run: Path, loop: str) -> bool:
    """Whether what stands is whole."""
    pickles = (
        protocol.PREDICTIONS,
        protocol.FEATURES,
        protocol.DUPLICATES,
        protocol.RANKING,
        protocol.HELD_OUT,
        protocol.EXPLANATIONS,
    )
    known: dict[str, Any] = {file.name: file for file in pickles}
    try:
        for name in WRITES[loop]:
            if name in known and (run / name).exists():
                pickle_file.read(run, known[name])
            elif name.endswith(".ckpt"):
                from IA.model import load_head

                load_head(run / name)
    except (OSError, ValueError):
        return False
    return True

"""Answers by key while the server is killed again and again: is each stored, once, and in order?

    python -m tests.benchmarks.browser.restarts --answers 500 --rate 5 --kills 20

Real keys answer the picture that is on the screen. Meanwhile the server gets SIGKILL at random moments and is started
again at once or up to a second later. Afterwards the presses that brought another picture, as a witness in the page saw
them, are compared with what is stored.
"""

import argparse
import contextlib
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page, Playwright, sync_playwright

from backend.supervisor import environment
from config import ROOT, Config
from tests.benchmarks.browser.chromium import Agenda, every, launched
from tests.benchmarks.browser.witness import Stored, Witness, make, number_of, stored
from tests.processes.suite import free_port

SPARE = 40
START_S = 60.0
CHANGE_S = 3.0  # a press that brings no other picture by then was not taken
SETTLE_S = 60.0
DOWN_S = 1.0
LOOK_S = 0.2
LABELS = {"f": "positive", "j": "negative", "s": "skipped"}


@dataclass(frozen=True)
class Outcome:
    """What a person pressed and what came of it.

    Attributes:
        given: picture and label of each press that was taken, oldest first.
        stored: what stands in the end, oldest first.
        written: the picture of each answer that was ever written, as `stored` cannot tell.
        ignored: presses that were not taken.
        kills: how often the server died.
        took_s: time of all answers.
    """

    given: Sequence[tuple[int, str]]
    stored: Sequence[Stored]
    written: Sequence[int]
    ignored: int
    kills: int
    took_s: float

    @property
    def lost(self) -> int:
        """Pictures whose answer is not there, or is another one."""
        labels = {answer.picture: answer.label for answer in self.stored}
        return sum(labels.get(picture) != label for picture, label in dict(self.given).items())

    @property
    def twice(self) -> int:
        """Answers written more often than given, or that nobody gave; pictures that were asked again."""
        given = Counter(picture for picture, _ in self.given)
        return (Counter(self.written) - given).total() + given.total() - len(given)

    @property
    def out_of_order(self) -> int:
        """Answers that stand before one that was given earlier."""
        place = {picture: number for number, (picture, _) in enumerate(self.given)}
        order = [place[answer.picture] for answer in self.stored if answer.picture in place]
        return sum(later < earlier for earlier, later in itertools.pairwise(order))


class Mortal:
    """A server that can be killed and started again on the same port."""

    def __init__(self, run: Path, datadir: Path) -> None:
        port = free_port()
        config = Config(run=run, datadir=datadir, port=port, ai=False, tensorboard=False, token=False)
        run.mkdir(parents=True)
        self.link = f"http://127.0.0.1:{port}/"
        self.client = httpx.Client(base_url=self.link, timeout=20, trust_env=False)
        self.kills = 0
        self._environment = environment(config)
        self._log = run.with_name("server.log").open("ab")
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        command = [sys.executable, "-m", "backend"]
        output = self._log
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=output, stderr=output, start_new_session=True
        )

    def kill(self) -> None:
        """Kill -9, and whatever it started, as the supervisor does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def is_up(self) -> bool:
        """Whether it answers, and has listed the images."""
        try:
            return not self.client.get("api/status").raise_for_status().json()["listing"]
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """End it for good."""
        self._process.terminate()
        self._process.wait()
        self.client.close()
        self._log.close()


class Person:
    """Answers what is on the screen, at a rate, and notes what was taken."""

    def __init__(self, page: Page, agenda: Agenda, witness: Witness, chance: random.Random) -> None:
        self.given: list[tuple[int, str]] = []
        self.ignored = 0
        self._page, self._agenda, self._witness, self._chance = page, agenda, witness, chance

    def answer(self, answers: int, rate: float) -> None:
        """Go on until so many answers were taken."""
        while len(self.given) < answers:
            began_s = time.monotonic()
            if not self._agenda.go_on(self._is_ready, START_S):
                text = " ".join(self._page.inner_text("body").split())
                raise SystemExit(f"No picture came for a minute after {len(self.given)} answers; the page says: {text}")
            self._press()
            self._agenda.go_on(lambda began_s=began_s: time.monotonic() >= began_s + 1 / rate, 1 / rate)  # type: ignore[misc]

    def _is_ready(self) -> bool:
        painted = self._page.locator('#image[data-painted="true"]')
        return self._witness.current is not None and painted.count() == 1

    def _press(self) -> None:
        key = self._chance.choice("fjjjs")
        before = len(self._witness.presses)
        self._page.keyboard.press(key)
        self._agenda.go_on(lambda: len(self._witness.presses) > before, CHANGE_S)
        press = self._witness.presses[before]
        if press.picture is not None and self._agenda.go_on(lambda: self._witness.current != press.picture, CHANGE_S):
            self.given.append((press.picture, LABELS[key]))
        else:
            self.ignored += 1


def measure(playwright: Playwright, folder: Path, answers: int, rate: float, kills: int, seed: int) -> Outcome:
    """Answer so many images while the server dies so often.

    Args:
        playwright: drives the browser.
        folder: an empty one, for pictures and run.
        answers: when to stop.
        rate: presses a second, at most.
        kills: spread over the time that the answers take, as far as that is long enough.
        seed: of keys and kills.
    """
    make(folder / "pictures", answers + SPARE)
    server, chance, witness = Mortal(folder / "run", folder / "pictures"), random.Random(seed), Witness()
    try:
        with launched(playwright) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            agenda = Agenda(page)
            witness.watch(page)
            agenda.go_on(server.is_up, START_S)
            page.goto(server.link)
            person = Person(page, agenda, witness, chance)
            threaten(server, agenda, chance, answers / rate / kills, kills)
            began_s = time.monotonic()
            person.answer(answers, rate)
            took_s = time.monotonic() - began_s
            agenda.go_on(every(LOOK_S, lambda: server.kills == kills and server.is_up()), SETTLE_S)
            agenda.go_on(every(LOOK_S, lambda: len(stored(server.client)) >= len(dict(person.given))), SETTLE_S)
        stands, written = stored(server.client), history(folder / "run")
        return Outcome(person.given, stands, written, person.ignored, server.kills, took_s)
    finally:
        server.close()


def history(run: Path) -> list[int]:
    """The picture of each answer that was ever written, changed and taken back ones too."""
    with contextlib.closing(sqlite3.connect(run / "labels.sqlite3")) as connection:
        return [number_of(path) for (path,) in connection.execute("SELECT path FROM answers ORDER BY seq")]


def threaten(server: Mortal, agenda: Agenda, chance: random.Random, lives_s: float, kills: int) -> None:
    """Kill the server so often, each time when it has been up for a random while, on average three quarters of this."""

    def live() -> None:
        if server.kills == kills:
            return
        if server.is_up():
            agenda.later(chance.uniform(0, 1.5 * lives_s), kill)
        else:
            agenda.later(LOOK_S, live)

    def kill() -> None:
        server.kill()
        agenda.later(chance.uniform(0, DOWN_S), start)

    def start() -> None:
        server.start()
        live()

    live()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=500)
    parser.add_argument("--rate", type=float, default=5.0, help="presses a second, at most")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        outcome = measure(playwright, Path(folder), given.answers, given.rate, given.kills, given.seed)
    bad = (outcome.lost, outcome.twice, outcome.out_of_order)
    sys.stdout.write("answers  stored  kills  lost  twice  out of order  presses not taken  answers/s\n")
    sys.stdout.write(
        f"{len(outcome.given):7}  {len(outcome.stored):6}  {outcome.kills:5}  {bad[0]:4}  {bad[1]:5}  {bad[2]:12}  "
        f"{outcome.ignored:17}  {len(outcome.given) / outcome.took_s:9.2f}\n"
    )
    raise SystemExit(any(bad))


if __name__ == "__main__":
    main()

"""Presses that come late: what is stored when a person needs half a second, and AUTO shows five images a second.

    python -m tests.benchmarks.browser.late_presses --positives 60 --speed 5 --prevalence 0.05

A simulated person presses F so long after each first sight of a positive picture, also when it is shown again later. A
picture that stays for long is answered as it is: F or J. Beside what is stored stands what would be, had each press
counted for the picture that was on the screen at that moment.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, Playwright, sync_playwright

from tests.benchmarks.browser.auto import LEAST_PER_S, SIGN_EVERY_S, START_S, open_at
from tests.benchmarks.browser.chromium import Agenda, every, launched
from tests.benchmarks.browser.witness import Witness, make, stored
from tests.processes.suite import Suite, running

QUIET_S = 10.0  # nothing new on the screen for that long: it is over
STAYS_S = 3.0
LEAST_S = 0.1  # nobody presses sooner


@dataclass(frozen=True)
class Task:
    """How many positives among how many, how fast they come, and how late a person presses."""

    positives: int
    prevalence: float
    speed: float
    mean_s: float
    sd_s: float
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What the person meant, did and got.

    Attributes:
        positives: in truth, by number.
        stored: as positive, by number.
        naive: what the presses at first sight would have stored for the picture on the screen: without attribution no
            picture is shown twice.
        presses: how often F was pressed.
        images: how many there were.
        answered: how many have an answer.
    """

    positives: Set[int]
    stored: Set[int]
    naive: Set[int]
    presses: int
    images: int
    answered: int


class Person:
    """Sees, and presses F some time later; moves the mouse a little now and then."""

    def __init__(self, page: Page, witness: Witness, positives: Set[int], task: Task) -> None:
        self._page, self._witness, self._agenda = page, witness, Agenda(page)
        self._positives, self._task = positives, task
        self._chance = random.Random(task.seed)
        self._seen: set[int] = set()
        self.first_s: list[float] = []  # when F was pressed for a picture at its first sight

    def work(self, suite: Suite, patience_s: float) -> None:
        """Switch AUTO on once there is a picture, and go on until nothing is left."""
        self._agenda.go_on(lambda: self._witness.current is not None, START_S)
        self._page.keyboard.press("a")
        self._witness.on_shown = self._see
        self._see(self._witness.current or 0, time.time())
        self._move()
        self._agenda.go_on(every(1.0, lambda: is_over(suite, self._witness)), patience_s)

    def _see(self, picture: int, at_s: float) -> None:
        ago_s = time.time() - at_s
        if picture in self._positives:
            wait_s = max(LEAST_S, self._chance.gauss(self._task.mean_s, self._task.sd_s))
            is_first = picture not in self._seen
            self._seen.add(picture)
            self._agenda.later(wait_s - ago_s, lambda: self._press(is_first))
        self._agenda.later(STAYS_S - ago_s, lambda: self._answer_if_still(picture, at_s))

    def _press(self, is_first: bool) -> None:
        if is_first:
            self.first_s.append(time.time())
        self._page.keyboard.press("f")

    def _answer_if_still(self, picture: int, at_s: float) -> None:
        if (self._witness.current, self._witness.since_s) == (picture, at_s):
            self._page.keyboard.press("f" if picture in self._positives else "j")

    def _move(self) -> None:
        self._page.mouse.move(self._chance.uniform(100, 200), self._chance.uniform(5, 20))
        self._agenda.later(SIGN_EVERY_S, self._move)


def measure(playwright: Playwright, folder: Path, task: Task, *options: str) -> Outcome:
    """Let the person watch until nothing is left, and some time more.

    Args:
        playwright: drives the browser.
        folder: an empty one, for pictures and run.
        task: what to do.
        options: of the suite.
    """
    images = round(task.positives / task.prevalence)
    positives = set(random.Random(task.seed).sample(range(images), task.positives))
    make(folder / "pictures", images, positives)
    witness = Witness()
    with running(folder / "run", folder / "pictures", "--no-token", *options) as suite, launched(playwright) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        open_at(page, suite, witness, task.speed)
        person = Person(page, witness, positives, task)
        person.work(suite, images / LEAST_PER_S)
        answers = stored(suite.client)
    pressed = [press for press in witness.presses if press.key == "f"]
    return Outcome(
        positives=positives,
        stored={answer.picture for answer in answers if answer.label == "positive"},
        naive={picture for at_s in person.first_s if (picture := on_screen(witness, at_s)) is not None},
        presses=len(pressed),
        images=images,
        answered=len(answers),
    )


def is_over(suite: Suite, witness: Witness) -> bool:
    """Whether nothing is left, and nothing new has been shown for a while."""
    last_s = max([witness.since_s, *(showing.to_s for showing in witness.showings[-1:])])
    return suite.status()["left"] == 0 and time.time() - last_s > QUIET_S


def on_screen(witness: Witness, at_s: float) -> int | None:
    """What was on the screen at the moment of a press, or last before it."""
    before = [showing for showing in witness.showings if showing.from_s <= at_s]
    return before[-1].picture if before else None


def report(outcome: Outcome) -> str:
    """The table."""
    lines = [
        f"{outcome.images} images, {outcome.answered} answered; {len(outcome.positives)} positives in truth, "
        f"{outcome.presses} presses of F",
        "                          stored rightly  recall  negatives stored as positive",
    ]
    for name, found in (("stored", outcome.stored), ("image on the screen", outcome.naive)):
        right = len(found & outcome.positives)
        lines.append(f"{name:24}  {right:14}  {right / len(outcome.positives):6.3f}  {len(found) - right:28}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positives", type=int, default=60)
    parser.add_argument("--speed", type=float, default=5.0, help="of AUTO, in images a second")
    parser.add_argument("--prevalence", type=float, default=0.05, help="positives among all images")
    parser.add_argument("--mean-s", type=float, default=0.45, help="from first sight to the press")
    parser.add_argument("--sd-s", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ai", action="store_true", help="with the model, which asks the likely ones first")
    given = parser.parse_args()
    task = Task(given.positives, given.prevalence, given.speed, given.mean_s, given.sd_s, given.seed)
    options = () if given.ai else ("--no-ai",)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        sys.stdout.write(report(measure(playwright, Path(folder), task, *options)))


if __name__ == "__main__":
    main()

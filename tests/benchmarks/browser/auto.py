"""AUTO under a bad network and a restless person: was each image that timed out really on the screen long enough?

    python -m tests.benchmarks.browser.auto --answers 1000 --speed 5

Every picture comes 0 to 3 s late, several at a time, and the tab is hidden at random moments for 0.2 to 2 s by another
one in front of it. A witness with no code of the page reads from the pixels on the stage which picture is seen in each
frame. A violation is an answer by timeout to an image that was on the screen for less than 1 / speed seconds.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, Page, Playwright, Route, sync_playwright

from tests.benchmarks.browser.chromium import Agenda, every, tabs
from tests.benchmarks.browser.witness import Witness, make, stored
from tests.processes.suite import Suite, running

SPARE = 40  # pictures more than answers, so that AUTO never runs out of them
START_S = 60.0
SETTLE_S = 3.0
LEAST_PER_S = 0.2  # slower than that is a page that stands still
HIDDEN_S = (0.2, 2.0)
SEEN_S = (1.0, 6.0)
SIGN_EVERY_S = 5.0


@dataclass(frozen=True)
class Outcome:
    """What came of a run; margins are seconds on the screen beyond what the speed promises, one for each answer."""

    margins_s: list[float]
    hidden: int
    took_s: float

    @property
    def violations(self) -> int:
        """Answers to images that were not seen for as long as they had to be."""
        return sum(margin_s < 0 for margin_s in self.margins_s)


class Person:
    """Somebody who now and then looks at another tab, and otherwise moves the mouse a little."""

    def __init__(self, context: BrowserContext, page: Page, agenda: Agenda, chance: random.Random) -> None:
        self.hidden = 0
        self._page, self._other = page, context.new_page()
        self._agenda, self._chance = agenda, chance
        self._is_away = self._stays = False
        page.bring_to_front()
        agenda.later(chance.uniform(*SEEN_S), self._leave)
        agenda.later(SIGN_EVERY_S, self._move)

    def stays(self) -> None:
        """Look at the page from now on."""
        self._page.bring_to_front()
        self._stays = True

    def _leave(self) -> None:
        if self._stays:
            return
        self._is_away = True
        self.hidden += 1
        self._other.bring_to_front()
        self._agenda.later(self._chance.uniform(*HIDDEN_S), self._return)

    def _return(self) -> None:
        self._page.bring_to_front()
        self._is_away = False
        self._agenda.later(self._chance.uniform(*SEEN_S), self._leave)

    def _move(self) -> None:
        if not self._is_away:
            self._page.mouse.move(self._chance.uniform(100, 200), self._chance.uniform(5, 20))
        self._agenda.later(SIGN_EVERY_S, self._move)


def measure(playwright: Playwright, folder: Path, answers: int, speed: float, seed: int, delay_s: float) -> Outcome:
    """Let AUTO answer so many images.

    Args:
        playwright: drives the browser.
        folder: an empty one, for pictures and run.
        answers: when to stop.
        speed: of AUTO, in images a second.
        seed: of the delays and of the person.
        delay_s: the longest by which a picture comes late.
    """
    make(folder / "pictures", answers + SPARE)
    options = ("--no-ai", "--no-token")
    with running(folder / "run", folder / "pictures", *options) as suite, tabs(playwright) as context:
        witness, chance = Witness(), random.Random(seed)
        page = context.pages[0]
        agenda = Agenda(page)
        page.route("**/api/images/**", lambda route: agenda.later(chance.uniform(0, delay_s), goes_on(route)))
        open_at(page, suite, witness, speed)
        agenda.go_on(lambda: witness.current is not None, START_S)
        person = Person(context, page, agenda, chance)
        page.keyboard.press("a")
        began_s = time.monotonic()
        agenda.go_on(every(1.0, lambda: count(suite) >= answers), answers / LEAST_PER_S)
        took_s = time.monotonic() - began_s
        person.stays()
        page.keyboard.press("a")
        agenda.go_on(lambda: False, SETTLE_S)
        seen_s = witness.seconds()
        timeouts = [answer.picture for answer in stored(suite.client) if answer.source == "timeout"]
    return Outcome([seen_s.get(picture, 0.0) - 1 / speed for picture in timeouts], person.hidden, took_s)


def goes_on(route: Route) -> Callable[[], None]:
    """Let a request that was held go on, unless the page has given it up meanwhile."""

    def go_on() -> None:
        with contextlib.suppress(Error):
            route.continue_()

    return go_on


def open_at(page: Page, suite: Suite, witness: Witness, speed: float) -> None:
    """Open the page of a suite, watched, with AUTO's speed set."""
    page.add_init_script(f'localStorage.setItem("ia:speed", "{speed}")')
    witness.watch(page)
    page.goto(suite.link)


def count(suite: Suite) -> int:
    """How many answers stand."""
    status = suite.status()
    return sum(int(str(status[name])) for name in ("positives", "negatives", "skipped"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--speed", type=float, default=5.0, help="of AUTO, in images a second")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--delay-s", type=float, default=3.0, help="the longest by which a picture comes late")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        outcome = measure(playwright, Path(folder), given.answers, given.speed, given.seed, given.delay_s)
    answers = len(outcome.margins_s)
    shortest_ms = 1000 * min(outcome.margins_s, default=float("nan"))
    sys.stdout.write("answers  violations  shortest margin  answers/s  times hidden\n")
    sys.stdout.write(
        f"{answers:7}  {outcome.violations:10}  {shortest_ms:12.1f} ms  {answers / outcome.took_s:9.2f}  "
        f"{outcome.hidden:12}\n"
    )
    raise SystemExit(outcome.violations > 0)


if __name__ == "__main__":
    main()

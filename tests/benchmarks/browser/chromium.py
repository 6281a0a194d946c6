"""A real Chromium for tests and benchmarks, tabs that can really be hidden, and what happens at its time meanwhile."""

import contextlib
import heapq
import itertools
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOK_MS = 4
STEPS = ("click", "press", "type", "wait")


def executable() -> str:
    """The system's Chromium."""
    found = shutil.which("chromium")
    if not found:
        raise SystemExit("Chromium is not installed; bash tests/run.sh installs it.")
    return found


@contextlib.contextmanager
def launched(playwright: Playwright, *more: str) -> Iterator[Browser]:
    """A headless Chromium until the block ends; `more`: arguments of its command line."""
    browser = playwright.chromium.launch(executable_path=executable(), args=[*ARGUMENTS, *more])
    try:
        yield browser
    finally:
        browser.close()


@contextlib.contextmanager
def tabs(playwright: Playwright) -> Iterator[BrowserContext]:
    """A headless Chromium whose tabs share a window: the one that is not in front is hidden, and gets no frames.

    Playwright's own launch tells every page that it has the focus, which keeps all of them visible for good.
    """
    size = "--window-size=1280,900"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [executable(), "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}", size]
        process = subprocess.Popen([*command, *ARGUMENTS, "about:blank"], stderr=subprocess.PIPE, text=True)
        try:
            browser = playwright.chromium.connect_over_cdp(_address(process), no_defaults=True)
            yield browser.contexts[0]
            browser.close()
        finally:
            process.kill()
            process.communicate()


def _address(process: "subprocess.Popen[str]") -> str:
    """Where a Chromium says that it can be driven."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("DevTools listening on "):
            return line.split()[-1]
    raise SystemExit("Chromium ended before it could be driven.")


def do(page: Page, step: str) -> None:
    """One step: `click:SELECTOR`, `press:KEY`, `type:TEXT` or `wait:SECONDS`."""
    kind, _, what = step.partition(":")
    if kind == "click":
        page.click(what)
    elif kind == "press":
        page.keyboard.press(what)
    elif kind == "type":
        page.keyboard.type(what)
    else:
        page.wait_for_timeout(1000 * float(what))


class Agenda:
    """What a person, a network or an accident does at its time, in one thread with the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._serial = itertools.count()

    def later(self, delay_s: float, action: Callable[[], object]) -> None:
        """Do this in so many seconds."""
        heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._serial), action))

    def go_on(self, until: Callable[[], object], patience_s: float) -> bool:
        """Do what is due until the condition holds; whether it came to hold in time."""
        ends_s = time.monotonic() + patience_s
        while not (held := until()) and time.monotonic() < ends_s:
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()
            self._page.wait_for_timeout(LOOK_MS)
        return bool(held)


def every(pause_s: float, condition: Callable[[], bool]) -> Callable[[], bool]:
    """The same condition, looked at less often."""
    next_s = 0.0

    def look() -> bool:
        nonlocal next_s
        if time.monotonic() < next_s:
            return False
        next_s = time.monotonic() + pause_s
        return condition()

    return look

"""Somebody who looks at the page and answers while something else goes on, and how much memory each process took."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.processes.suite import Suite

LOOK_EVERY_S = 0.1
PEAK = re.compile(r"VmHWM:\s+(\d+)")
ROLES = {
    "backend": "server",
    "IA.training": "trainer",
    "IA.inference": "inference",
    "IA.selector": "selector",
    "IA.images.worker": "decoder",
}


class Watch:
    """Use as a context: looks and answers until the block ends.

    Attributes:
        peaks_mb: the largest resident memory of a process of each role so far.
        asked: how many requests there were.
        failed: those that were not answered as they should.
        longest_s: the longest that one took.
        begun: the processes of each role, seen so far.
    """

    def __init__(self, suite: Suite, answers: bool = True) -> None:
        """Watch a session; with `answers` also answer what it asks, one after another."""
        self._suite = suite
        self._answers = answers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.peaks_mb: dict[str, int] = {}
        self.begun: dict[str, set[int]] = {}
        self.asked = 0
        self.failed: list[str] = []
        self.longest_s = 0.0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def memory(self) -> str:
        """The peaks in words."""
        return ", ".join(f"{role} {self.peaks_mb[role]:,} MB" for role in ROLES.values() if role in self.peaks_mb)

    def _look(self) -> None:
        label = "positive"
        while not self._stop.wait(LOOK_EVERY_S):
            self._measure()
            with self._timed():
                self._suite.client.get("/api/status").raise_for_status()
            if not self._answers:
                continue
            with self._timed():
                images = self._suite.client.get("/api/queue?count=1&client=watch").raise_for_status().json()["images"]
            if images:
                with self._timed():
                    self._suite.answer(images[0]["image"], label, "watch")
                label = "negative" if label == "positive" else "positive"

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.monotonic()
        self.asked += 1
        try:
            yield
        except httpx.HTTPError as error:
            self.failed.append(repr(error))
        self.longest_s = max(self.longest_s, time.monotonic() - began)

    def _measure(self) -> None:
        for pid in self._suite.processes():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                role = ROLES.get(command[2] if len(command) > 2 else "")
                found = PEAK.search(Path(f"/proc/{pid}/status").read_text())
                if role and found:
                    self.peaks_mb[role] = max(self.peaks_mb.get(role, 0), int(found[1]) // 1024)
                    self.begun.setdefault(role, set()).add(pid)

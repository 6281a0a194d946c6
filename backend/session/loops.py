"""Whether the other loops run: each of them holds a lock while it does."""

import threading
import time
from pathlib import Path

from backend.session.changes import Changes
from IA.protocol import files as protocol
from IA.protocol import locks

STARTING_S = 60.0  # A loop that has not been seen yet counts as starting for this long, and as down afterwards.
LOOK_EVERY_S = 0.5


class LoopStates:
    """A thread looks at the locks of the loops and notifies the event streams when one has changed.

    Attributes:
        now: by the name of each loop `starting`, `running`, `down` or, in a session without them, `off`.
    """

    def __init__(self, run: Path, has_loops: bool, changes: Changes, stop: threading.Event) -> None:
        """Be ready to start.

        Args:
            run: the run directory, which holds the locks.
            has_loops: whether this session was started with its loops.
            changes: to be notified.
            stop: ends the thread.
        """
        self.now = dict.fromkeys(protocol.LOOPS, "starting" if has_loops else "off")
        self._run = run
        self._has_loops = has_loops
        self._changes = changes
        self._stop = stop
        self._started_s = time.monotonic()
        self._thread = threading.Thread(target=self._look, name="loops", daemon=True)

    def start(self) -> None:
        """Begin to look, if there are loops."""
        if self._has_loops:
            self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            states = {name: self._state(name) for name in protocol.LOOPS}
            if states != self.now:
                self.now = states
                self._changes.notify()

    def _state(self, name: str) -> str:
        try:
            if locks.is_held(self._run, name):
                return "running"
        except OSError:  # For one, no file descriptors are left; then the last known state is the best guess.
            return self.now[name]
        is_fresh = time.monotonic() - self._started_s < STARTING_S
        return "starting" if is_fresh and self.now[name] == "starting" else "down"

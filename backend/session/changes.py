"""Wakes the event streams when something has changed."""

import asyncio
import threading
from collections.abc import AsyncIterator


class Changes:
    """Wakes event streams; every method may be called from any thread.

    Attributes:
        count: how often something has changed.
    """

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def streams(self) -> int:
        """How many event streams there are."""
        return len(self._waiting)

    def notify(self) -> None:
        """Wake every stream that is not awake already."""
        with self._lock:
            self.count += 1
            for loop, event in self._waiting:
                if not event.is_set() and not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    async def stream(self, pause_s: float, quiet_s: float) -> AsyncIterator[bool]:
        """Yield True at once and after changes, at most every `pause_s`; False after `quiet_s` without any."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.add(entry)
        try:
            changed = True
            while True:
                entry[1].clear()
                yield changed
                await asyncio.sleep(pause_s)
                try:
                    changed = await asyncio.wait_for(entry[1].wait(), quiet_s)
                except TimeoutError:
                    changed = False
        finally:
            with self._lock:
                self._waiting.discard(entry)

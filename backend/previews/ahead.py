"""Pictures at the head of the queue are made ready before anybody asks for them."""

import math
import threading
import time
from collections.abc import Callable, Sequence

AHEAD = 64
SETTLE_S = 0.05  # one answer moves the queue several times
LATELY_S = 600.0
SIZES_AT_MOST = 3


class Ahead:
    """A thread that has the next images prepared in the sizes asked for lately, one after another.

    Whenever the queue moves it begins again at its head; what is there already is passed over.
    """

    def __init__(self, head: Callable[[int], Sequence[int]], prepare: Callable[[int, int], None]) -> None:
        """Be ready to start.

        Args:
            head: gives the next so many images of the queue.
            prepare: makes one image ready in one size, and waits until it is.
        """
        self._head = head
        self._prepare = prepare
        self._asked_s: dict[int, float] = {}
        self._moved = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def asked(self, size_px: int) -> None:
        """Take note that somebody wants pictures of this size."""
        before_s, now_s = self._asked_s.get(size_px, -math.inf), time.monotonic()
        self._asked_s[size_px] = now_s
        if before_s < now_s - LATELY_S:
            self.wake()

    def wake(self) -> None:
        """Take note that the queue has moved."""
        self._moved.set()

    def close(self) -> None:
        """End the thread after the picture it is at."""
        self._stop.set()
        self._moved.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._moved.wait()
            self._stop.wait(SETTLE_S)
            self._moved.clear()
            self._prepare_all()

    def _prepare_all(self) -> None:
        sizes = self._sizes()
        for image in self._head(AHEAD) if sizes else ():
            for size_px in sizes:
                if self._moved.is_set() or self._stop.is_set():
                    return
                self._prepare(image, size_px)

    def _sizes(self) -> list[int]:
        """The sizes asked for lately, the last one first."""
        since_s = time.monotonic() - LATELY_S
        lately = [(asked_s, size_px) for size_px, asked_s in list(self._asked_s.items()) if asked_s > since_s]
        return [size_px for _, size_px in sorted(lately, reverse=True)][:SIZES_AT_MOST]

"""Work that takes long and that nothing waits for."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from IA.process.priority import give_way

Result = TypeVar("Result")

WAIT_S = 0.1  # A turn waits this long for what a thread is doing,
NEWS_EVERY_S = 0.02  # and looks this often for something new.


def in_background(work: Callable[[], Result], name: str, gives_way: bool = True) -> "Future[Result]":
    """Do the work in a thread that the end of the process does not wait for.

    Args:
        work: what to do.
        name: of the thread.
        gives_way: whether other threads and processes go first; a person may wait for the work.
    """
    future: Future[Result] = Future()

    def run() -> None:
        if gives_way:
            give_way()
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def is_done(future: "Future[Any]", has_news: Callable[[], bool]) -> bool:
    """Wait a while for a thread, or until something new has come; returns whether the thread is done."""
    ends_s = time.monotonic() + WAIT_S
    while time.monotonic() < ends_s and not has_news():
        if wait([future], NEWS_EVERY_S).done:
            break
    return future.done()

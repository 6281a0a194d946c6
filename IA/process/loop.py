"""What every loop shares: its log, its lock, the flag that ends it, and the one sentence about a person's mistake."""

import contextlib
import logging
import logging.handlers
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType

from config import Config, UsageError
from IA.process import streams
from IA.protocol import locks, replacement, watching

log = logging.getLogger(__name__)

LOG_BYTES = 2_000_000
LOCK_WAIT_S = 5.0


class SignalFlag:
    """A flag that a signal sets.

    It is no threading.Event, because the code that the signal interrupts may hold the lock of the event.
    """

    def __init__(self) -> None:
        self._is_set = False

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Remember that the loop should end."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether the loop should end."""
        return self._is_set


@contextlib.contextmanager
def until_signalled(name: str, run: Path, *writes: str) -> Iterator[SignalFlag]:
    """Run the block as the loop `name`; SIGTERM and SIGINT set the flag that this yields.

    Args:
        name: names the log and the lock of the loop.
        run: the run directory.
        writes: names of the files that only this loop writes. What a dead one left of them is removed.

    Raises:
        UsageError: the loop already runs on this run directory.
    """
    stop = SignalFlag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.handle_signal)
    log_to(run, name)
    with contextlib.ExitStack() as stack:
        ends_s = time.monotonic() + LOCK_WAIT_S
        while not stack.enter_context(locks.hold(run, name)):
            if stop.is_set() or time.monotonic() > ends_s:
                raise UsageError(f"A {name} already works on {run}; stop it first, or name another run.")
            time.sleep(0.1)
        replacement.sweep(run, *writes)
        log.info("%s started, process %d", name, os.getpid())
        yield stop
        log.info("%s ended", name)


def take_turns(turns: Iterable[None], step: Callable[[], bool], stop: watching.StopFlag) -> None:
    """Take a step at each turn, and more steps at once while the step says that there is more to do.

    An error of the machine (the disk is full or read-only, there are no descriptors left) causes one warning. A step
    that fails must leave things so that the next step tries again.
    """
    is_failing = False
    for _ in turns:
        try:
            while step() and not stop.is_set():
                pass
            is_failing = False
        except OSError as error:
            if not is_failing:
                log.warning("%s; the last good files stay in force, trying again", error)
            is_failing = True


class _Log(logging.handlers.RotatingFileHandler):
    """A log that opens its file again after somebody deleted it, alone or with the run directory."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        path = Path(self.baseFilename)
        if self.stream and not path.exists() and path.parents[1].is_dir():
            with contextlib.suppress(OSError):
                path.parent.mkdir(exist_ok=True)
                self.stream.close()
                self.stream = self._open()
        super().emit(record)


def log_to(run: Path, name: str) -> None:
    """Log to `logs/NAME.log` in the run directory, rotated, and to the terminal from IA_LOG_LEVEL (INFO) up."""
    terminal = logging.StreamHandler()
    terminal.setLevel(os.environ.get("IA_LOG_LEVEL", "INFO"))
    handlers: list[logging.Handler] = [terminal]
    try:
        (run / "logs").mkdir(parents=True, exist_ok=True)
        path = run / "logs" / f"{name}.log"
        handlers.append(_Log(path, maxBytes=LOG_BYTES, backupCount=2))
    except OSError as error:
        sys.stderr.write(f"No log in {run} ({error}).\n")
    logging.raiseExceptions = False  # else a full disk would cause a traceback for each line of the log
    logging.basicConfig(
        level=logging.INFO, handlers=handlers, format=f"%(asctime)s {name} %(levelname)s %(message)s", force=True
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # its warnings are about requests of strangers


def one_sentence(main: Callable[[], None]) -> None:
    """Run an entry point. A person's mistake becomes one sentence on stderr and exit code 2.

    Neither closed streams nor the encoding of the locale end it: see `IA.process.streams`.
    """
    streams.begin_anew_in_utf8()
    with streams.guarded():
        try:
            main()
        except UsageError as error:
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from None


def run_loop(main: Callable[[], None]) -> None:
    """Run the entry point of a loop, and leave at once when it has ended, because torch takes seconds to clean up."""
    one_sentence(main)
    logging.shutdown()
    os._exit(0)


def loop_config() -> Config:
    """The settings of a loop, from its command line or the supervisor's environment."""
    return Config.for_loop(sys.argv[1:])

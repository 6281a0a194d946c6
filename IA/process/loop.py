"""What every loop shares: its log, its lock, the event that ends it, and how a person's mistake is told."""

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
    """Set by a signal. No Event: its lock may be held by the very code that the signal interrupts."""

    def __init__(self) -> None:
        self._is_set = False

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Remember that the loop is to end."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether the loop is to end."""
        return self._is_set


@contextlib.contextmanager
def until_signalled(name: str, run: Path, *writes: str) -> Iterator[SignalFlag]:
    """Run the block as the loop `name`: SIGTERM or SIGINT sets what it yields.

    Args:
        name: of the loop, for its log and its lock.
        run: the run directory.
        writes: names of the files this loop alone writes; leftovers of a dead one are swept.

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
    """Take a step at each turn, and further ones at once while it says that there is more to do.

    What the machine refuses (a disk that is full or read-only, no descriptors left) is one warning; a step that failed
    must have left things so that the next one tries again.
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
    """A log that begins anew where its file was deleted, with the run directory or alone."""

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
    logging.raiseExceptions = False  # what a full disk does to the log is not worth a traceback for each line
    logging.basicConfig(
        level=logging.INFO, handlers=handlers, format=f"%(asctime)s {name} %(levelname)s %(message)s", force=True
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # its warnings are about what strangers send


def one_sentence(main: Callable[[], None]) -> None:
    """Run an entry point; a person's mistake is one sentence on stderr and exit code 2.

    Wherever its output goes, and whatever the locale says of names, it does its work: see `IA.process.streams`.
    """
    streams.begin_anew_in_utf8()
    with streams.guarded():
        try:
            main()
        except UsageError as error:
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from None


def run_loop(main: Callable[[], None]) -> None:
    """Run the entry point of a loop, and leave at once when it has ended: taking torch apart takes seconds."""
    one_sentence(main)
    logging.shutdown()
    os._exit(0)


def loop_config() -> Config:
    """The settings of a loop, from its command line or the supervisor's environment."""
    return Config.for_loop(sys.argv[1:])

"""Standard streams that may be closed, full or gone, and the encoding of file names: neither may end a command."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

STANDARD = (0, 1, 2)
NOT_WRITTEN = 1  # exit code


class LossyStream:
    """A text stream that drops text which cannot be written, and escapes characters which cannot be encoded.

    Attributes:
        failure: why it has dropped text; None: it has dropped nothing.
    """

    def __init__(self, stream: TextIO) -> None:
        """Stand in for a stream."""
        self.failure: OSError | None = None
        self._stream = stream
        with contextlib.suppress(AttributeError, ValueError):  # the stream is a stand-in itself, or is closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]

    def write(self, text: str) -> int:
        """Write as far as that goes."""
        with self._noted():
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write as far as that goes."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush as far as that goes."""
        with self._noted():
            self._stream.flush()

    def give_up(self) -> None:
        """Drop what could not be written. Python would try again at its end and exit with a code of its own."""
        if self.failure is not None:
            with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no path
                os.dup2(nowhere.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = self.failure or error


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Run a command whose output may go nowhere. At its end one sentence reports lost output, and the exit code is 1.

    A reader that closes the pipe because it has seen enough, such as `head`, is no trouble.
    """
    _fill_gaps()
    out, err = sys.stdout, sys.stderr
    guard = LossyStream(out)
    sys.stdout, sys.stderr = guard, LossyStream(err)
    try:
        yield
        guard.flush()
        if guard.failure is not None and guard.failure.errno != errno.EPIPE:
            why = "it is closed" if guard.failure.errno == errno.EBADF else guard.failure.strerror
            sys.stderr.write(f"Standard output cannot be written ({why}); what the command printed is lost.\n")
            raise SystemExit(NOT_WRITTEN)
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            if isinstance(stream, LossyStream):
                stream.give_up()
        sys.stdout, sys.stderr = out, err


def say(line: str) -> OSError | None:
    """Write a line to standard output at once; returns the error if that failed."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return sys.stdout.failure if isinstance(sys.stdout, LossyStream) else None


def begin_anew_in_utf8() -> None:
    """Start this process again in UTF-8 if the locale has another encoding, so that names never depend on it."""
    if sys.getfilesystemencoding().replace("-", "") != "utf8":
        os.environ["PYTHONUTF8"] = "1"  # for the processes that are started from here
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _fill_gaps() -> None:
    """Open a stand-in for each standard stream that is closed.

    Otherwise the next file to be opened would take its number and get its output. The stand-in cannot be written, so
    the command reports its lost output like that of any other stream.
    """
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # the system gives out the lowest free number, which is this one
            os.set_inheritable(number, True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - a number

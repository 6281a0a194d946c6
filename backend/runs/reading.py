"""A run as a command reads it, whether or not a session works on it: nothing in it is written."""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.runs.checks import check_version
from backend.store.database import to_read
from backend.store.moment import Moment
from backend.store.schema import DATABASE, VERSION
from backend.store.table import Label
from config import UsageError
from IA.protocol.files import SETTINGS
from IA.protocol.pickle_file import read
from IA.protocol.records import Settings


@dataclass(frozen=True)
class RunReading:
    """What a command needs to know of a run.

    Attributes:
        run: the run directory.
        settings: what the person chose for it.
        datadir: the folder of images.
    """

    run: Path
    settings: Settings
    datadir: Path

    @property
    def inside(self) -> Path | None:
        """The folder that images may not lie outside of; None: no bounds."""
        return self.settings.bounds(self.datadir)

    def moment(self, label: Label | None = None, by_path: bool = False) -> Moment:
        """The standing answers as they are now. Raises UsageError where they cannot be read."""
        with report_mistakes(self.run):
            return Moment(lambda: to_read(self.run / DATABASE), label, by_path)


def opened(run: Path, datadir: Path | None = None) -> RunReading:
    """Look at a run.

    Args:
        run: the run directory.
        datadir: the images, where they are not where the run has them.

    Raises:
        UsageError: it is no run, or one of another version of this program.
    """
    check_version(run)
    try:
        settings = read(run, SETTINGS).content
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} is no run that was ever started ({str(error).rstrip('.')}); name one.") from None
    with report_mistakes(run), contextlib.closing(to_read(run / DATABASE)) as connection:
        [version] = connection.execute("PRAGMA user_version").fetchone()
    if version < VERSION:
        raise UsageError(f"An earlier version of this program wrote {run / DATABASE}; start on the run once.")
    return RunReading(run, settings, datadir or Path(settings.datadir))


@contextlib.contextmanager
def report_mistakes(run: Path) -> Iterator[None]:
    """Tell of answers that cannot be read in the block. Raises UsageError."""
    try:
        yield
    except sqlite3.Error as error:
        raise UsageError(f"The answers in {run / DATABASE} cannot be read ({error}); try again.") from None

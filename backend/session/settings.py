"""The settings of the run as they are now; a change is kept for the next start."""

import dataclasses
import threading
from pathlib import Path
from typing import Any

from backend.session.changes import Changes
from config import UsageError
from IA.protocol import pickle_file
from IA.protocol.files import SETTINGS
from IA.protocol.records import Settings


class CurrentSettings:
    """Holds the settings and writes settings.pickle; every method may be called from any thread.

    Attributes:
        now: the settings that hold; another record after each change.
    """

    def __init__(self, run: Path, settings: Settings, changes: Changes) -> None:
        """Write the settings to the run directory.

        Raises:
            UsageError: the run directory cannot be written.
        """
        self.now = settings
        self._run = run
        self._changes = changes
        self._lock = threading.Lock()
        try:
            self.write_again()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"The run directory {run} cannot be written: {reason}; start again when it can.") from None

    def change(self, **changed: Any) -> None:
        """Let other values hold from now on.

        Raises:
            OSError: they hold, but they could not be written and will be lost with this process.
        """
        with self._lock:
            self.now = dataclasses.replace(self.now, **changed)
            pickle_file.publish(self._run, SETTINGS, self.now)
        self._changes.notify()

    def write_again(self) -> None:
        """Write settings.pickle, which may have been deleted. Raises OSError."""
        with self._lock:
            pickle_file.publish(self._run, SETTINGS, self.now)

"""The event file that one loop writes for TensorBoard; trouble with it never stops the loop."""

import contextlib
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

from torch.utils.tensorboard import FileWriter, SummaryWriter

from IA.text.image_files import is_text

log = logging.getLogger(__name__)

AGAIN_S = 5.0  # After a failure, a new file is not begun before this time has passed.


class Events:
    """Writes figures and pictures; a failure gives one warning, and a later figure begins a new file.

    Nothing is written if the directory's name is not UTF-8, because TensorBoard can neither write nor read there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._writer: SummaryWriter | None = None
        self._failed_s = -math.inf
        self._is_failing = False

    def write(self, tell: Callable[[SummaryWriter], None]) -> None:
        """Let `tell` write something, and flush it."""
        if time.monotonic() - self._failed_s < AGAIN_S or not is_text(str(self._directory)):
            return
        try:
            self._writer = self._writer or SummaryWriter(str(self._directory))
            tell(self._writer)
            self._writer.flush()
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                log.warning("Nothing can be written for TensorBoard (%s); trying again later", error)
            self._is_failing = True
            self._failed_s = time.monotonic()
            self.close()

    def scalar(self, name: str, value: float, step: int) -> None:
        """Write one figure."""
        self.write(lambda writer: writer.add_scalar(name, value, step))

    def close(self) -> None:
        """End the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            # The writer itself would flush first, which may fail, so only its file is closed.
            file: FileWriter | None = writer.file_writer
            with contextlib.suppress(OSError):
                if file is not None:
                    file.close()

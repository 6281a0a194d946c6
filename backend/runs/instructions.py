"""What an annotator is to know of the question: a text of the person who started, kept with the run."""

import hashlib
import logging
from pathlib import Path

from IA.protocol.replacement import replace
from IA.protocol.watching import Signature, signature
from IA.text.given_files import instructions_in

log = logging.getLogger(__name__)

NAME = "instructions.md"


class Instructions:
    """The text in the run directory, read again when the file has changed; trouble with it is one warning."""

    def __init__(self, run: Path, given: Path | None = None) -> None:
        """Begin with what the run has.

        Args:
            run: the run directory.
            given: a file to take the text from, for now and later starts.
        """
        self._path = run / NAME
        self._known: tuple[Signature | None, str | None] = (None, None)
        self._last: str | None = None  # the last one that was read, whatever became of the file
        if given is not None:
            try:
                replace(self._path, instructions_in(given).encode())
            except (ValueError, OSError) as error:  # it was there when the session was started
                log.warning("The instructions were not taken over: %s", error)

    @property
    def text(self) -> str | None:
        """The text; None where there is none."""
        now = signature(self._path)
        if now != self._known[0]:
            self._known = now, None if now is None else self._read()
            self._last = self._known[1] or self._last
        return self._known[1]

    def write_again(self) -> None:
        """Write the text to the run directory, which was deleted. Raises OSError."""
        if self._last is not None and signature(self._path) is None:
            replace(self._path, self._last.encode())

    @property
    def version(self) -> str | None:
        """A short hash of the text; None where there is none."""
        text = self.text
        return None if text is None else hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

    def _read(self) -> str | None:
        try:
            return instructions_in(self._path) or None
        except ValueError as error:
            log.warning("There are no instructions: %s", error)
            return None

"""What a run asks: the names of its two answers, and whether it has answers that were given under these names."""

import contextlib
import logging
import sqlite3
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.store.database import Database, NotDurableError, to_read
from backend.store.schema import DATABASE
from backend.store.table import in_bytes
from config import Config, UsageError
from IA.protocol.files import ANNOTATIONS, SETTINGS
from IA.protocol.pickle_file import read
from IA.text.answer_words import mistakable

log = logging.getLogger(__name__)


class Names(NamedTuple):
    """What the two answers are called."""

    positive: str
    negative: str

    def is_same(self, other: "Names") -> bool:
        """Whether these are the same words, however their letters are encoded."""
        return all(_is_same(a, b) for a, b in zip(self, other, strict=True))


def _is_same(word: str, other: str) -> bool:
    return unicodedata.normalize("NFC", word) == unicodedata.normalize("NFC", other)


def names_in(run: Path) -> Names | None:
    """The names that a run has, from its settings or, where these cannot be read, from the database of its answers."""
    with contextlib.suppress(OSError, ValueError):
        settings = read(run, SETTINGS).content
        return Names(settings.positive, settings.negative)
    with contextlib.suppress(sqlite3.Error), _answers_of(run) as connection:
        return stored_names(connection)
    return None


def is_answered(run: Path) -> bool:
    """Whether a run has anything that its names apply to: answers, skipped images, or labels of the model."""
    with contextlib.suppress(sqlite3.Error), _answers_of(run) as connection:
        if connection.execute("SELECT 1 FROM answers WHERE state = 'standing' LIMIT 1").fetchone():
            return True
        with contextlib.suppress(sqlite3.Error):  # an earlier version has no such table
            return bool(connection.execute("SELECT 1 FROM finishes WHERE state = 'standing' LIMIT 1").fetchone())
        return False
    with contextlib.suppress(OSError, ValueError):
        return bool(read(run, ANNOTATIONS).content)
    return False


def names_for(config: Config) -> Names:
    """The names that a session uses: those asked for now, else those that the run had, else the default ones."""
    positive, negative = names_in(config.run) or config.default_names
    return Names(config.positive or positive, config.negative or negative)


def check_names(config: Config) -> None:
    """Check that a run with answers keeps their names, unless a person asks to rename them.

    Raises:
        UsageError: other names are asked for, or the names could be mistaken.
    """
    before, after = names_in(config.run), names_for(config)
    if not config.rename and _changes(config, before, after) and is_answered(config.run):
        if before is None:
            raise UsageError(
                f"What the answers in {config.run} are called cannot be read any more; add --rename if --positive and "
                "--negative are their names, or name another run with --run."
            )
        raise UsageError(
            f"The answers in {config.run} are called {before.positive!r} and {before.negative!r}, not "
            f"{after.positive!r} and {after.negative!r}; name another run with --run for another question, or add "
            "--rename if only the words change."
        )
    trouble = mistakable(*after)
    if trouble and after != before:  # a run that has such names already keeps them
        raise UsageError(trouble)


def renaming(config: Config) -> str:
    """A sentence for the person who starts: which answers are about to be renamed; "" where none are."""
    before, after = names_in(config.run), names_for(config)
    if before is None or not _changes(config, before, after) or not is_answered(config.run):
        return ""
    changed = [f"{old!r} is called {new!r}" for old, new in zip(before, after, strict=True) if not _is_same(old, new)]
    return f"From now on {', and '.join(changed)}.\n"


def remember(database: Database, names: Names) -> None:
    """Store the names with the answers too, because without the settings nothing else says what was asked."""
    try:
        database.submit(lambda connection: _store(connection, names), lambda _: None).result()
    except NotDurableError as error:
        log.warning("%s; the names are in %s alone", error, SETTINGS.name)


def _changes(config: Config, before: Names | None, after: Names) -> bool:
    if before is None:
        return config.positive is not None or config.negative is not None
    return not after.is_same(before)


def stored_names(connection: sqlite3.Connection) -> Names | None:
    """The names that are stored with the answers; None where there are none."""
    row = connection.execute("SELECT positive, negative FROM names").fetchone()
    return None if row is None else Names(*map(str, row))


def _store(connection: sqlite3.Connection, names: Names) -> tuple[None, None]:
    connection.execute("CREATE TABLE IF NOT EXISTS names (positive TEXT NOT NULL, negative TEXT NOT NULL)")
    if stored_names(connection) != names:
        connection.execute("DELETE FROM names")
        values = [in_bytes(name) for name in names]
        connection.execute("INSERT INTO names VALUES (CAST(? AS TEXT), CAST(? AS TEXT))", values)
    return None, None


@contextlib.contextmanager
def _answers_of(run: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads the answers of a run. Raises sqlite3.Error."""
    with contextlib.closing(to_read(run / DATABASE)) as connection:
        yield connection

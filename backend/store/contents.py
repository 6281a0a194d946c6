"""Digests of the answered photos in the database, by which a photo is recognised after it was moved."""

import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from backend.store.database import Database
from backend.store.table import Change, Label, in_bytes, labels_in_order
from IA.images.tiles import Grid

CHUNK_BYTES = 2**20
ENDS_BYTES = 2**16  # The ends of a file are compared first; the whole file is read only if they match.
AT_ONCE = 500  # One query looks up so many paths.
RENAMED = """
CREATE TEMP TABLE IF NOT EXISTS renamed (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID;
DELETE FROM renamed
"""
RENAMING = """
UPDATE answers SET path = (SELECT new FROM renamed WHERE old = path) WHERE path IN (SELECT old FROM renamed);
UPDATE answers SET copy_of = (SELECT new FROM renamed WHERE old = copy_of) WHERE copy_of IN (SELECT old FROM renamed);
UPDATE OR REPLACE splits SET path = (SELECT new FROM renamed WHERE old = path) WHERE path IN (SELECT old FROM renamed);
UPDATE OR REPLACE model_labels SET path = (SELECT new FROM renamed WHERE old = path)
    WHERE finish IN (SELECT seq FROM finishes) AND path IN (SELECT old FROM renamed)
"""


@dataclass(frozen=True)
class Content:
    """The content of one file when it was read.

    Attributes:
        size: its size in bytes.
        changed: when it was last written, in nanoseconds; as text, because a file system may give any number.
        inode: its inode, also as text.
        ends: digest of its beginning and its end.
        digest: digest of the whole file.
    """

    size: int
    changed: str
    inode: str
    ends: bytes
    digest: bytes

    @property
    def version(self) -> tuple[int, str]:
        """A value that changes when the file is rewritten."""
        return self.size, self.changed


@dataclass(frozen=True)
class Moved:
    """The new places of answers whose images were moved.

    Attributes:
        photos: old and new path of each photo.
        paths: the new path of each image, which may be a tile, by its old path.
        changes: the changes of labels.
        in_order: all labels in the order answered.
    """

    photos: list[tuple[str, str]]
    paths: dict[str, str]
    changes: list[Change]
    in_order: dict[str, Label]


def version_of(file: Path) -> tuple[int, str] | None:
    """The version of a file; None: there is no such file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, str(status.st_mtime_ns)


def content_of(file: Path, like: Sequence[Content] = ()) -> Content | None:
    """Read a file.

    Args:
        file: its path.
        like: contents that the file may have; the whole file is read only if its ends match one of them and it may have
            been rewritten.

    Returns:
        The content; None if the file has none of these contents, is empty, or is being written.

    Raises:
        OSError: the file cannot be read.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as opened:
        before = os.fstat(opened.fileno())
        if not stat.S_ISREG(before.st_mode) or not before.st_size:
            return None
        beginning = opened.read(ENDS_BYTES)
        opened.seek(max(0, before.st_size - ENDS_BYTES))
        ends = hashlib.blake2b(beginning + opened.read(ENDS_BYTES), digest_size=16).digest()
        changed, inode = str(before.st_mtime_ns), str(before.st_ino)
        similar = [content for content in like if (content.size, content.ends) == (before.st_size, ends)]
        if like and not similar:
            return None
        for content in similar:
            if (content.changed, content.inode) == (changed, inode):
                return content
        whole = hashlib.blake2b(digest_size=32)
        opened.seek(0)
        while chunk := opened.read(CHUNK_BYTES):
            whole.update(chunk)
        after = os.fstat(opened.fileno())
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        return None
    return Content(before.st_size, changed, inode, ends, whole.digest())


# --- jobs and questions -----------------------------------------------------------------------------------------------


def keep_in(database: Database, known: Mapping[str, Content]) -> None:
    """Store the contents of photos. Raises NotDurableError."""
    database.submit(lambda connection: keep(connection, known.items()), lambda _: None).result()


def keep(connection: sqlite3.Connection, contents: Iterable[tuple[str, Content]]) -> tuple[None, None]:
    """Store the contents of these photos."""
    connection.executemany(
        "INSERT OR REPLACE INTO contents VALUES (CAST(? AS TEXT), ?, ?, ?, ?, ?)",
        [(in_bytes(photo), *astuple(content)) for photo, content in contents],
    )
    return None, None


def known(connection: sqlite3.Connection, photos: Sequence[str]) -> dict[str, Content]:
    """The stored contents of these photos."""
    found: dict[str, Content] = {}
    for start in range(0, len(photos), AT_ONCE):
        some = [in_bytes(photo) for photo in photos[start : start + AT_ONCE]]
        marks = ", ".join(["CAST(? AS TEXT)"] * len(some))
        for path, *fields in connection.execute(f"SELECT * FROM contents WHERE path IN ({marks})", some):
            found[path] = Content(*fields)
    return found


def moves(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Old and new path of each image whose answers were ever carried over, oldest first."""
    return connection.execute("SELECT old, new FROM moves ORDER BY seq")


def carry(
    connection: sqlite3.Connection, photos: Sequence[tuple[str, str]], grid: Grid | None
) -> tuple[list[tuple[str, str]], Moved]:
    """Give all answers to photos, and their history, to the photos that they were moved to.

    Args:
        connection: within a transaction.
        photos: old and new path of each; if the new path has an answer already, both paths keep their own answers.
        grid: the grid that cuts them into tiles.

    Returns:
        The photos that were carried, with the new places of their images.
    """
    taken = "SELECT 1 FROM answers WHERE path = CAST(? AS TEXT) AND state = 'standing'"
    carried: list[tuple[str, str]] = []
    paths: dict[str, str] = {}
    for old, new in photos:
        images = [(old, new)] if grid is None else list(zip(grid.paths(old), grid.paths(new), strict=True))
        if not any(connection.execute(taken, (in_bytes(path),)).fetchone() for _, path in images):
            carried.append((old, new))
            paths |= dict(images)
    for statement in RENAMED.split(";"):
        connection.execute(statement)
    rows = [(in_bytes(old), in_bytes(new)) for old, new in paths.items()]
    connection.executemany("INSERT INTO renamed VALUES (CAST(? AS TEXT), CAST(? AS TEXT))", rows)
    for statement in RENAMING.split(";"):
        connection.execute(statement)
    now = time.time()
    photo_rows = [(in_bytes(new), in_bytes(old)) for old, new in carried]
    connection.executemany(
        "UPDATE OR REPLACE contents SET path = CAST(? AS TEXT) WHERE path = CAST(? AS TEXT)", photo_rows
    )
    connection.executemany(
        "INSERT INTO moves (new, old, time) VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?)",
        [(new, old, now) for old, new in rows],
    )
    standing = connection.execute(
        "SELECT path, label, audit FROM answers WHERE state = 'standing' AND path IN (SELECT new FROM renamed)"
    )
    changes = [Change(old, None) for old in paths] + [Change(*row) for row in standing]
    return carried, Moved(carried, paths, changes, labels_in_order(connection))

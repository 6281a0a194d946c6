"""The schema of labels.sqlite3: makes it, updates it from an earlier version, and checks it for damage."""

import sqlite3
from pathlib import Path
from typing import get_args

from backend.store.sources import Source
from IA.text.answer_words import Label

DATABASE = "labels.sqlite3"
HEADER_BYTES = 100
MAGIC, VERSION_AT = b"SQLite format 3\0", slice(60, 64)
VERSION = 5  # Each of `STEPS` adds one.
SCHEMA = """
CREATE TABLE answers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    source TEXT NOT NULL,
    client TEXT NOT NULL,
    shown_ms INTEGER,
    probability REAL,
    time REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'standing' CHECK (state IN ('standing', 'superseded', 'undone'))
);
CREATE INDEX answers_of_path ON answers (path, seq);
CREATE INDEX answers_of_client ON answers (client, seq) WHERE state <> 'undone';
CREATE INDEX answers_standing ON answers (seq) WHERE state = 'standing';
"""
FROM_1 = """
ALTER TABLE answers ADD COLUMN group_id TEXT;
ALTER TABLE answers ADD COLUMN repeat INTEGER NOT NULL DEFAULT 0;
"""
FROM_2 = """
ALTER TABLE answers ADD COLUMN audit INTEGER NOT NULL DEFAULT 0;
"""
FROM_3 = """
ALTER TABLE answers ADD COLUMN checkpoint INTEGER;
ALTER TABLE answers ADD COLUMN copy_of TEXT;
ALTER TABLE answers ADD COLUMN reviewed INTEGER NOT NULL DEFAULT 0;
CREATE TABLE finishes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    time REAL NOT NULL,
    threshold REAL NOT NULL,
    checkpoint INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('writing', 'standing', 'undone'))
);
CREATE TABLE model_labels (
    finish INTEGER NOT NULL,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    probability REAL NOT NULL,
    PRIMARY KEY (finish, path)
) WITHOUT ROWID;
CREATE TABLE splits (path TEXT PRIMARY KEY, client TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
"""
# An import that could be taken back gave its answers a group of version 5 of UUIDs; pages give groups of version 4.
FROM_4 = """
ALTER TABLE answers ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
UPDATE answers SET imported = 1 WHERE source = 'import' OR substr(group_id, 15, 1) = '5';
"""
STEPS = (SCHEMA, FROM_1, FROM_2, FROM_3, FROM_4)  # from each version to the next
# These tables came without a new version, because earlier programs ignore them.
ADDED = """
CREATE TABLE IF NOT EXISTS contents (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed TEXT NOT NULL, inode TEXT NOT NULL,
    ends BLOB NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moves (seq INTEGER PRIMARY KEY, old TEXT NOT NULL, new TEXT NOT NULL, time REAL NOT NULL);
"""
ODD = f"""
SELECT seq FROM answers WHERE label NOT IN {get_args(Label)} OR source NOT IN {get_args(Source)}
    OR typeof(id) <> 'text' OR typeof(path) <> 'text' OR path = '' OR typeof(client) <> 'text'
    OR (probability IS NOT NULL AND (typeof(probability) <> 'real' OR probability NOT BETWEEN 0 AND 1))
    OR (shown_ms IS NOT NULL AND (typeof(shown_ms) <> 'integer' OR shown_ms < 0))
    OR typeof(time) <> 'real' OR time <= 0 OR typeof(group_id) NOT IN ('text', 'null') OR repeat NOT IN (0, 1)
    OR audit NOT IN (0, 1, 2)
    OR (checkpoint IS NOT NULL AND (typeof(checkpoint) <> 'integer' OR checkpoint < 0))
    OR typeof(copy_of) NOT IN ('text', 'null') OR reviewed NOT IN (0, 1)
    OR imported NOT IN (0, 1) LIMIT 1
"""


def version_of(database: Path) -> int:
    """The version of a file's schema; 0 if the file is not one of ours. Changes nothing."""
    try:
        with database.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return 0
    return int.from_bytes(header[VERSION_AT], "big") if header.startswith(MAGIC) else 0


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables if there are none, update tables of an earlier version, and otherwise write nothing.

    Raises:
        sqlite3.Error: the file is not a database, cannot be written, or was written by a later version.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if not 0 <= version <= VERSION:
            raise sqlite3.DatabaseError("it was written by a later version of this program")
        if version < VERSION:
            for statement in filter(str.strip, "".join(STEPS[version:]).split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        for statement in filter(str.strip, ADDED.split(";")):
            connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check(connection: sqlite3.Connection) -> None:
    """Look for damage. SQLite has no checksums, so this compares table and indexes, and checks the values of columns.

    Raises:
        sqlite3.DatabaseError: the database is damaged.
    """
    [found] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {found.splitlines()[-1]}")
    odd = connection.execute(ODD).fetchone()
    if odd:
        raise sqlite3.DatabaseError(f"it is damaged: answer {odd[0]} is none that could be given")

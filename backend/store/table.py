"""The table of answers in labels.sqlite3: the jobs that read and change it, in one transaction each."""

import itertools
import sqlite3
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from backend.store.database import RefusedError
from backend.store.sources import BY_MAP, KEPT, ExportedSource, Source
from IA.text import answer_words

Label = answer_words.Label

FIELDS = (
    "id, path, label, source, client, shown_ms, probability, time, group_id, repeat, audit, checkpoint,"
    " copy_of, reviewed, imported"
)
FLAGS = [FIELDS.split(", ").index(name) for name in ("repeat", "reviewed", "imported")]  # SQLite has no booleans
MARKS = ", ".join("CAST(? AS TEXT)" if name in {"path", "copy_of"} else "?" for name in FIELDS.split(", "))
CHUNK = 250  # A transaction stores so many answers of the map; it takes some 20 ms, in which no other is acknowledged.
NOT_DRAWN, DRAWN, SELECTED = range(3)  # The values of the column `audit`, which `Answer.audit` explains.


class NothingToUndoError(RefusedError):
    """The client has no answer left to take back."""


@dataclass(frozen=True)
class Answer:
    """One answer as it was given.

    Attributes:
        id: the client's own id, so that a repeated request is stored once.
        path: path of the image, relative to DATADIR.
        label: the label.
        source: how the answer was given; `model`, only in exports: a model gave the label (`model_labels`).
        client: who gave it.
        shown_ms: how long the image had been on the screen.
        probability: what the model predicted when the image was handed out.
        time: when it was given, seconds since 1970.
        group: name of a group of answers that were given together, as in a grid, and are taken back together.
        repeat: the image was asked again blindly although it had an answer, to measure how consistent answers are.
        audit: NOT_DRAWN; DRAWN at random, so that the model must not learn it; or SELECTED: drawn, and since then
            selected by the model. Every answer to an image keeps the value of the answer before it.
        checkpoint: generation of the checkpoint that `probability` came from.
        copy_of: the image on the screen whose answer also counts for this one, its near duplicate.
        reviewed: the person was asked to look again, because the earlier answer was doubtful.
        imported: an import gave it; `source` then says how it was given originally.
    """

    id: str
    path: str
    label: Label
    source: ExportedSource
    client: str
    shown_ms: int | None = None
    probability: float | None = None
    time: float = field(default_factory=time.time)
    group: str | None = None
    repeat: bool = False
    audit: int = NOT_DRAWN
    checkpoint: int | None = None
    copy_of: str | None = None
    reviewed: bool = False
    imported: bool = False

    @property
    def when(self) -> str:
        """The time as ISO 8601, UTC."""
        return datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def is_of_map(self) -> bool:
        """Whether it was given on the map with others, or stored once more because of one that was."""
        return self.group is not None and (self.source == BY_MAP or self.id.endswith(KEPT))


@dataclass(frozen=True)
class Change:
    """The label that stands for a path now; `label` None: no answer stands any more."""

    path: str
    label: Label | None
    audit: int = NOT_DRAWN


# --- questions --------------------------------------------------------------------------------------------------------


def standing(
    connection: sqlite3.Connection, label: Label | None, limit: int, offset: int, newest: bool
) -> Iterator[Answer]:
    """The standing answers, read while the caller takes them; see `StoredAnswers.standing`."""
    only = "AND label = :label" if label else ""
    order = "DESC" if newest else "ASC"
    query = f"SELECT {FIELDS} FROM answers WHERE state = 'standing' {only} ORDER BY seq {order}"
    values = {"label": label, "limit": limit, "offset": offset}
    return map(_answer, connection.execute(f"{query} LIMIT :limit OFFSET :offset", values))


def outlines(connection: sqlite3.Connection) -> Iterator[tuple[int, str, Label, Source, float | None]]:
    """Number, path, label, source and probability shown of every standing answer, newest first."""
    return connection.execute(
        "SELECT seq, path, label, source, probability FROM answers WHERE state = 'standing' ORDER BY seq DESC"
    )


def circumstances(
    connection: sqlite3.Connection,
) -> Iterator[tuple[int, str, Label, Source, str, int | None, bool, int, bool]]:
    """The values for judging how doubtful every standing answer is (`AnswerEvidence`), newest first."""
    return connection.execute(
        "SELECT seq, path, label, source, client, shown_ms, group_id IS NULL AND copy_of IS NULL, audit, reviewed"
        " FROM answers WHERE state = 'standing' ORDER BY seq DESC"
    )


def history(connection: sqlite3.Connection) -> Iterator[tuple[str, Label, Source, float | None, bool, str]]:
    """Path, label, source, probability shown, repeat and state of every answer ever given, oldest first."""
    return connection.execute("SELECT path, label, source, probability, repeat, state FROM answers ORDER BY seq")


def numbers_of(connection: sqlite3.Connection, label: Label | None, by_path: bool = False) -> "array[int]":
    """The numbers of the standing answers, in the order answered, or by path."""
    only = "AND label = :label" if label else ""
    query = f"SELECT seq FROM answers WHERE state = 'standing' {only} ORDER BY {'path' if by_path else 'seq'}"
    return array("q", (seq for (seq,) in connection.execute(query, {"label": label})))


def numbered(connection: sqlite3.Connection, numbers: Sequence[int], also_replaced: bool = False) -> list[Answer]:
    """The answers with these numbers that still stand, in this order; with `also_replaced` the earlier ones too."""
    marks = ", ".join("?" * len(numbers))
    only = "" if also_replaced else "state = 'standing' AND"
    query = f"SELECT seq, {FIELDS} FROM answers WHERE {only} seq IN ({marks})"
    found = {seq: _answer(fields) for seq, *fields in connection.execute(query, numbers)}
    return [found[number] for number in numbers if number in found]


def labels_in_order(connection: sqlite3.Connection) -> dict[str, Label]:
    """The standing label of each path, in the order answered."""
    return dict(connection.execute("SELECT path, label FROM answers WHERE state = 'standing' ORDER BY seq"))


def marks(connection: sqlite3.Connection) -> tuple[dict[str, Label], set[str]]:
    """The labels of sampled images that the model has not selected, and the paths of sampled images that it has."""
    rows = connection.execute("SELECT path, label, audit FROM answers WHERE state = 'standing' AND audit ORDER BY seq")
    sampled: dict[str, Label] = {}
    selected: set[str] = set()
    for path, label, audit in rows:
        if audit == DRAWN:
            sampled[path] = label
        else:
            selected.add(path)
    return sampled, selected


def unheard_of(connection: sqlite3.Connection, labels: Mapping[str, Label]) -> dict[str, Label]:
    """The labels among these that were never given here, not even to be replaced or carried to another path later."""
    given = set(connection.execute("SELECT DISTINCT path, label FROM answers"))
    moved = {path for (path,) in connection.execute("SELECT old FROM moves")}
    return {path: label for path, label in labels.items() if (path, label) not in given and path not in moved}


def last_import(connection: sqlite3.Connection) -> tuple[str, int] | None:
    """The group of the newest import of which an answer stands, and how many of it stand; see `Plan.group`."""
    return connection.execute(  # type: ignore[no-any-return]
        "SELECT group_id, count(*) FROM answers WHERE state = 'standing' AND imported AND group_id IS NOT NULL"
        " GROUP BY group_id ORDER BY max(seq) DESC LIMIT 1"
    ).fetchone()


# --- jobs -------------------------------------------------------------------------------------------------------------


def store(connection: sqlite3.Connection, answer: Answer) -> tuple[Answer, list[Change]]:
    """Store an answer; if one with this id is stored already, that one is the result."""
    known = connection.execute(f"SELECT {FIELDS} FROM answers WHERE id = ?", (answer.id,)).fetchone()
    if known:
        return _answer(known), []
    path = in_bytes(answer.path)
    before = connection.execute(
        "UPDATE answers SET state = 'superseded' WHERE path = CAST(? AS TEXT) AND state = 'standing' RETURNING audit",
        (path,),
    ).fetchone()
    if before:  # A new answer does not change how the image was chosen.
        answer = replace(answer, audit=before[0])
    insert(connection, answer)
    return answer, [Change(answer.path, answer.label, answer.audit)]


def insert(connection: sqlite3.Connection, answer: Answer) -> None:
    """Add an answer as it is; no other may stand for its path."""
    copy_of = answer.copy_of and in_bytes(answer.copy_of)
    connection.execute(
        f"INSERT INTO answers ({FIELDS}) VALUES ({MARKS})",
        (answer.id, in_bytes(answer.path), *astuple(answer)[2:-3], copy_of, answer.reviewed, answer.imported),
    )


def standing_at(connection: sqlite3.Connection, path: str) -> Answer | None:
    """The answer that stands for a path; None: there is none."""
    query = f"SELECT {FIELDS} FROM answers WHERE path = CAST(? AS TEXT) AND state = 'standing'"
    row = connection.execute(query, (in_bytes(path),)).fetchone()
    return None if row is None else _answer(row)


def store_all(
    connection: sqlite3.Connection,
    answers: Iterable[Answer],
    selected_with: Mapping[str, Sequence[str]],
    selected: Iterable[str],
) -> tuple[list[Answer], tuple[list[Change], None, list[str]]]:
    """Store several answers in the order given, except those for copies that have their own answer.

    Args:
        connection: within a transaction.
        answers: the answers as they were given.
        selected_with: by the id of an answer, the images that the model has selected before it.
        selected: further images that the model has selected.

    Returns:
        The answers as stored; the changes of labels; and the sampled images that are selected by the model now.
    """
    wanted = [answer for answer in answers if answer.copy_of is None or _follows(connection, answer)]
    stored = [store(connection, answer) for answer in wanted]
    paths = [path for answer, changes in stored if changes for path in selected_with.get(answer.id, ())]
    changes = [change for _, changes in stored for change in changes]
    return [answer for answer, _ in stored], (changes, None, select(connection, [*paths, *selected]))


def _follows(connection: sqlite3.Connection, copy: Answer) -> bool:
    """Whether a copy has no answer yet, or only one that was given with the same image."""
    query = "SELECT id, copy_of FROM answers WHERE path = CAST(? AS TEXT) AND state = 'standing'"
    before = connection.execute(query, (in_bytes(copy.path),)).fetchone()
    return before is None or before[1] == copy.copy_of or before[0] == copy.id


def split(connection: sqlite3.Connection, paths: Sequence[str], client: str) -> tuple[None, set[str]]:
    """Note that these images are asked one by one from now on; returns them."""
    query = "INSERT OR IGNORE INTO splits (path, client, time) VALUES (CAST(? AS TEXT), ?, ?)"
    now = time.time()  # One time for all, by which an undo finds them together.
    connection.executemany(query, [(in_bytes(path), client, now) for path in paths])
    return None, set(paths)


def take_back_split(connection: sqlite3.Connection, client: str) -> tuple[list[str], list[str]]:
    """Take back the client's last split, unless an answer of its own has come since; returns the images of it."""
    rows = connection.execute(
        "DELETE FROM splits WHERE client = ?1 AND time = (SELECT max(time) FROM splits WHERE client = ?1) AND time >"
        " coalesce((SELECT time FROM answers WHERE client = ?1 AND state <> 'undone' ORDER BY seq DESC LIMIT 1), 0)"
        " RETURNING path",
        (client,),
    ).fetchall()
    paths = sorted(path for (path,) in rows)
    return paths, paths


def splits(connection: sqlite3.Connection) -> set[str]:
    """All images that were split."""
    return {path for (path,) in connection.execute("SELECT path FROM splits")}


def take_back(
    connection: sqlite3.Connection, client: str, group: str | None = None
) -> tuple[list[Answer], tuple[list[Change], dict[str, Label] | None]]:
    """Take back the client's last answer, and with it all answers of its group that the client gave without a break.

    Of a group of the map the last `CHUNK` are taken back at a time; with `group` only answers of that group are.

    Returns:
        The answers taken back, in the order answered; the changes of labels; and all labels in the order answered, if
        an earlier answer stands again in its place among the others.

    Raises:
        NothingToUndoError: there is none.
    """
    only = "AND group_id = :group" if group else ""
    query = f"SELECT seq, state, {FIELDS} FROM answers WHERE client = :client AND state <> 'undone' {only}"
    rows = connection.execute(f"{query} ORDER BY seq DESC", {"client": client, "group": group})
    taken = _last_run((seq, state, _answer(fields)) for seq, state, *fields in rows)
    if not taken:
        raise NothingToUndoError
    connection.executemany("UPDATE answers SET state = 'undone' WHERE seq = ?", [(seq,) for seq, _, _ in taken])
    changes = [_restore(connection, answer.path) for _, state, answer in taken if state == "standing"]
    in_order = labels_in_order(connection) if any(change.label is not None for change in changes) else None
    return [answer for _, _, answer in reversed(taken)], (changes, in_order)


def take_back_group(
    connection: sqlite3.Connection, group: str
) -> tuple[int, tuple[list[Change], dict[str, Label] | None]]:
    """Take back all answers of a group, whoever gave them; returns their number, and the same effect as `take_back`.

    Raises:
        NothingToUndoError: there are none.
    """
    rows = connection.execute(
        "UPDATE answers SET state = 'undone' WHERE group_id = ? AND state = 'standing' RETURNING path", (group,)
    ).fetchall()
    connection.execute("UPDATE answers SET state = 'undone' WHERE group_id = ? AND state <> 'undone'", (group,))
    if not rows:
        raise NothingToUndoError
    return len(rows), ([_restore(connection, path) for (path,) in rows], labels_in_order(connection))


def _last_run(newest_first: Iterator[tuple[int, str, Answer]]) -> list[tuple[int, str, Answer]]:
    """The first answer, and the answers of its group that follow it directly; of a group of the map the last ones."""
    first = next(newest_first, None)
    if first is None:
        return []
    group = first[2].group
    if first[2].is_of_map:  # The client may have given others between their chunks.
        return [first, *itertools.islice((entry for entry in newest_first if entry[2].group == group), CHUNK - 1)]
    return [first, *itertools.takewhile(lambda entry: group is not None and entry[2].group == group, newest_first)]


def _restore(connection: sqlite3.Connection, path: str) -> Change:
    """Let the newest answer to this image that was not taken back stand again."""
    row = connection.execute(
        "UPDATE answers SET state = 'standing' WHERE seq ="
        " (SELECT max(seq) FROM answers WHERE path = CAST(? AS TEXT) AND state = 'superseded') RETURNING label, audit",
        (in_bytes(path),),
    ).fetchone()
    return Change(path, *(row or (None,)))


def select(connection: sqlite3.Connection, paths: Iterable[str]) -> list[str]:
    """Mark the sampled ones of these images as selected by the model; returns those that it had not selected before."""
    query = (
        f"UPDATE answers SET audit = {SELECTED} WHERE path = CAST(? AS TEXT) AND audit = {DRAWN} AND state <> 'undone'"
        " RETURNING state"
    )
    return [path for path in paths if ("standing",) in connection.execute(query, (in_bytes(path),)).fetchall()]


def _answer(row: Sequence[Any]) -> Answer:
    """An answer from its `FIELDS`; for a million answers `dataclasses.replace` would take seconds."""
    values = list(row)
    for flag in FLAGS:
        values[flag] = bool(values[flag])
    return Answer(*values)


def in_bytes(path: str) -> bytes:
    """The bytes of a path, as in the file system: SQLite takes any bytes as text, but not Python's surrogates."""
    return path.encode("utf-8", "surrogateescape")

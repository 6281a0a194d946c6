"""The answers: durable before acknowledged, undone in order, the same after a restart."""

import contextlib
import logging
import pickle
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.store import schema
from backend.store import table as answers
from backend.store.database import Database, NotDurableError
from backend.store.labels import Labels
from backend.store.listener import CurrentLabel, Listener
from backend.store.schema import DATABASE
from backend.store.table import Answer, Label, NothingToUndoError
from config import ROOT, UsageError
from IA.protocol import pickle_file
from IA.text.answer_words import TRUTH
from tests.examples import examples
from tests.serving import until

LABELS = st.sampled_from(["positive", "negative", "skipped"])
CLIENTS = st.sampled_from(["me", "you"])
GROUPS = st.sampled_from([None, "one", "two"])
PATHS = ["a.jpg", "b c.jpg", "späte\nÜbung'\".png", "\udcff\udcfe.jpg"]


def answer(
    path: str, label: Label, client: str = "me", id: str | None = None, group: str | None = None, repeat: bool = False
) -> Answer:
    """An answer given by key."""
    id = id or str(uuid.uuid4())
    return Answer(id, path, label, "key", client, shown_ms=500, probability=0.25, group=group, repeat=repeat)


def published(run: Path) -> dict[str, bool | None]:
    """What a user's script finds in annotations.pickle."""
    try:
        with (run / "annotations.pickle").open("rb") as file:
            content: dict[str, bool | None] = pickle.load(file)
    except FileNotFoundError:
        return {}
    return content


class AnyOrder(RuleBasedStateMachine):
    """Annotate, skip, undo and restart in any order, alone and in groups, against a model in a few lines."""

    run: Path

    @initialize()
    def begin(self) -> None:
        """An empty run and an empty model: the list of answers not taken back."""
        self.directory = self.run / str(uuid.uuid4())
        self.directory.mkdir()
        self.labels = Labels(self.directory)
        self.given: list[Answer] = []
        self.ids: list[tuple[str, str]] = []

    @rule(path=st.sampled_from(PATHS), label=LABELS, client=CLIENTS, group=GROUPS, repeat=st.booleans())
    def annotate(self, path: str, label: Label, client: str, group: str | None, repeat: bool) -> None:
        """An answer to an image, perhaps not the first."""
        self.given.append(self.labels.annotate(answer(path, label, client, group=group, repeat=repeat)).result())
        self.ids.append((self.given[-1].id, label))

    @rule(grid=st.lists(st.tuples(st.sampled_from(PATHS), LABELS), max_size=5), client=CLIENTS, group=GROUPS)
    def annotate_all(self, grid: list[tuple[str, Label]], client: str, group: str | None) -> None:
        """Several answers at once, perhaps two to one image."""
        given = [answer(path, label, client, group=group) for path, label in grid]
        assert self.labels.annotate_all(given).result() == given
        self.given += given
        self.ids += [(entry.id, entry.label) for entry in given]

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """The same id again is the same answer, stored once, also if other things are asked with it."""
        if self.ids:
            id, label = data.draw(st.sampled_from(self.ids))
            assert self.labels.annotate(answer(PATHS[0], "negative", id=id)).result().label == label

    @rule(client=CLIENTS)
    def undo(self, client: str) -> None:
        """The client's last answer goes, skips too, with its group up to a break; what stood before stands again."""
        mine = [entry for entry in self.given if entry.client == client]
        future = self.labels.undo(client)
        if not mine:
            with pytest.raises(NothingToUndoError):
                future.result()
            return
        first = len(mine) - 1
        while first and mine[-1].group is not None and mine[first - 1].group == mine[-1].group:
            first -= 1
        assert future.result() == mine[first:]
        self.given = [entry for entry in self.given if entry not in mine[first:]]

    @rule()
    def restart(self) -> None:
        """A restart changes nothing, and what was published is all there is."""
        self.labels.close()
        assert list(published(self.directory).items()) == list(self.expected().items())
        self.labels = Labels(self.directory)

    def expected(self) -> dict[str, bool | None]:
        """The last answer of each image that was not taken back, in the order given."""
        standing: dict[str, bool | None] = {}
        for entry in self.given:
            standing.pop(entry.path, None)
            standing[entry.path] = TRUTH[entry.label]
        return standing

    @invariant()
    def agrees(self) -> None:
        """Counts, listing and standing labels are those of the model."""
        if not hasattr(self, "labels"):
            return
        expected = self.expected()
        listed = {entry.path: TRUTH[entry.label] for entry in self.labels.stored.standing(newest=False)}
        assert list(listed.items()) == list(expected.items())
        counts = {TRUTH[label]: count for label, count in self.labels.counts().items()}
        assert counts == {kind: list(expected.values()).count(kind) for kind in (True, False, None)}

    def teardown(self) -> None:
        """End the threads."""
        if hasattr(self, "labels"):
            self.labels.close()


def test_any_order(tmp_path: Path) -> None:
    """Annotate, skip, undo and restart in any order keep exactly the answers that were not taken back."""
    AnyOrder.run = tmp_path
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=examples(25), stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_published_soon(tmp_path: Path) -> None:
    """annotations.pickle follows an answer by itself."""
    labels = Labels(tmp_path)
    labels.annotate(answer("a.jpg", "skipped")).result()
    until(lambda: published(tmp_path) == {"a.jpg": None})
    labels.close()


def test_nothing_lost_when_killed(tmp_path: Path) -> None:
    """What was acknowledged is there after a start from the database alone, and is published again."""
    labels = Labels(tmp_path)
    labels.annotate(answer("a.jpg", "positive")).result()
    labels.close()
    (tmp_path / "annotations.pickle").write_bytes(b"torn")
    again = Labels(tmp_path)
    assert again.counts() == {"positive": 1, "negative": 0, "skipped": 0}
    until(lambda: (tmp_path / "annotations.pickle").stat().st_size > 4)
    again.close()
    assert published(tmp_path) == {"a.jpg": True}


def test_not_durable_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk fails an answer is refused and not counted; when it heals, answers are taken again."""
    labels = Labels(tmp_path)
    labels.annotate(answer("a.jpg", "positive")).result()
    working = answers.store

    def failing(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(answers, "store", failing)
    with pytest.raises(NotDurableError):
        labels.annotate(answer("b.jpg", "positive")).result()
    assert labels.counts()["positive"] == 1
    monkeypatch.setattr(answers, "store", working)
    labels.annotate(answer("b.jpg", "positive")).result()
    assert labels.counts()["positive"] == 2
    labels.close()


@pytest.mark.slow
def test_publishing_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """When annotations.pickle cannot be written, the answer still counts, and it is published when the disk heals."""
    labels = Labels(tmp_path)
    working = pickle_file.publish_pickled
    failed = []

    def failing(*_: object) -> int:
        failed.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pickle_file, "publish_pickled", failing)
    with caplog.at_level(logging.WARNING):
        labels.annotate(answer("a.jpg", "positive")).result()
        until(lambda: failed)
    monkeypatch.setattr(pickle_file, "publish_pickled", working)
    until(lambda: published(tmp_path) == {"a.jpg": True})
    labels.close()


def test_a_foreign_database_is_told(tmp_path: Path) -> None:
    """A file that is no database ends the start with one sentence that names it."""
    (tmp_path / DATABASE).write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(UsageError, match=r"labels\.sqlite3"):
        Labels(tmp_path)


VERSION_1 = ROOT / "tests" / "data" / "labels_version_1.sql"


def columns(database: Path) -> tuple[int, list[str]]:
    """Version of a database, and the columns of its table of answers."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        [version] = connection.execute("PRAGMA user_version").fetchone()
        return version, [row[1] for row in connection.execute("PRAGMA table_info(answers)")]


def test_a_run_of_version_1_goes_on(tmp_path: Path) -> None:
    """A database of the first version keeps every answer and its history, and takes groups from then on."""
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.executescript(VERSION_1.read_text())
    assert columns(tmp_path / DATABASE)[0] == 1
    for _ in range(2):  # the second start finds it done
        labels = Labels(tmp_path)
        assert labels.counts() == {"positive": 2, "negative": 0, "skipped": 1}
        assert {(entry.group, entry.repeat) for entry in labels.stored.standing()} == {(None, False)}
        labels.close()
    (tmp_path / "new").mkdir()
    Labels(tmp_path / "new").close()
    assert columns(tmp_path / DATABASE) == columns(tmp_path / "new" / DATABASE)
    labels = Labels(tmp_path)
    labels.annotate_all([answer(path, "negative", group="grid", repeat=True) for path in ("a.jpg", "x.jpg")]).result()
    assert [(entry.group, entry.repeat) for entry in labels.stored.standing(limit=2)] == [("grid", True)] * 2
    assert [entry.path for entry in labels.undo("me").result()] == ["a.jpg", "x.jpg"]
    assert [entry.label for entry in labels.undo("me").result()] == ["positive"]
    assert labels.counts() == {"positive": 1, "negative": 1, "skipped": 1}
    labels.close()


def test_an_import_of_version_4_is_known_again(tmp_path: Path) -> None:
    """Version 4 knew an import of the page by its group alone; it can still be taken back, and newer ones too."""
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.executescript((ROOT / "tests" / "data" / "labels_version_4.sql").read_text())
    labels = Labels(tmp_path)
    assert schema.version_of(tmp_path / f"{DATABASE}.version-4") == 4
    assert columns(tmp_path / DATABASE)[0] == schema.VERSION
    imported = {entry.path for entry in labels.stored.standing() if entry.imported}
    assert imported == {"e.jpg", "f.jpg", "i.jpg"}
    old = "22222222-2222-5222-9222-222222222222"
    assert labels.stored.last_import() == (old, 2)
    labels.annotate(answer("x.jpg", "positive", group="33333333-3333-5333-9333-333333333333")).result()
    assert labels.stored.last_import() == (old, 2)  # whatever the group of an answer looks like
    given = [
        replace(answer(path, "negative", group=group), imported=True)
        for path, group in (("y.jpg", "new"), ("z.jpg", None))
    ]
    labels.annotate_all(given).result()
    assert labels.stored.last_import() == ("new", 1)
    assert labels.undo_group("new").result() == 1
    labels.close()
    labels = Labels(tmp_path)
    assert labels.stored.last_import() == (old, 2)
    assert labels.undo_group(old).result() == 2
    assert labels.stored.last_import() is None
    assert set(labels.by_path()) == {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "i.jpg", "x.jpg", "z.jpg"}
    labels.close()


def test_a_later_version_is_told(tmp_path: Path) -> None:
    """A database that a later version wrote is left alone, and the start says why."""
    Labels(tmp_path).close()
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(UsageError, match="later version"):
        Labels(tmp_path)
    assert columns(tmp_path / DATABASE)[0] == schema.VERSION + 1


def test_a_batch_is_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails in the middle of a batch, none of it counts, now or after a restart."""
    labels = Labels(tmp_path)
    working = answers.store

    def failing(connection: sqlite3.Connection, given: Answer) -> tuple[Answer, list[answers.Change]]:
        if given.path == "c.jpg":
            raise sqlite3.OperationalError("disk I/O error")
        return working(connection, given)

    monkeypatch.setattr(answers, "store", failing)
    with pytest.raises(NotDurableError):
        labels.annotate_all([answer(path, "positive") for path in ("a.jpg", "b.jpg", "c.jpg")]).result()
    assert labels.counts()["positive"] == 0
    labels.close()
    labels = Labels(tmp_path)
    assert list(labels.stored.standing()) == []
    labels.close()


def test_counts_when_an_undo_and_an_answer_are_stored_together(tmp_path: Path) -> None:
    """An answer that shares its transaction with an undo before it is counted once."""
    released = threading.Event()

    class Waiting(Listener):
        def labels_changed(self, changed: Sequence[CurrentLabel], answers: int) -> None:
            released.wait(20)

    labels = Labels(tmp_path, Waiting())
    futures = [labels.annotate(answer("a.jpg", "positive"))]
    futures += [labels.annotate(answer("a.jpg", "negative"))]
    undone = labels.undo("me")
    futures += [labels.annotate(answer("b.jpg", "skipped"))]
    released.set()
    undone.result()
    assert [future.result().label for future in futures] == ["positive", "negative", "skipped"]
    assert labels.counts() == {"positive": 1, "negative": 0, "skipped": 1}
    labels.close()


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), MemoryError()])
def test_the_writer_outlives_a_failure(tmp_path: Path, error: Exception) -> None:
    """Whatever the machine refuses, the answer is refused and the next one is taken."""

    def failing(connection: sqlite3.Connection) -> tuple[None, None]:
        raise error

    database = Database(tmp_path / DATABASE, lambda: None)
    with pytest.raises(NotDurableError):
        database.submit(failing, print).result(20)
    assert database.submit(lambda connection: ("done", None), lambda _: None).result(20) == "done"
    database.close()


def test_what_comes_after_the_end_is_refused(tmp_path: Path) -> None:
    """Nobody waits for ever on a job that no thread does any more."""
    labels = Labels(tmp_path)
    labels.close()
    with pytest.raises(NotDurableError, match="ended"):
        labels.annotate(answer("a.jpg", "positive")).result(20)
    labels.database.close()


def test_an_answer_that_nobody_waits_for_any_more(tmp_path: Path) -> None:
    """A request that was given up before its turn is left out, and the others are taken."""
    labels = Labels(tmp_path)
    released = threading.Event()
    labels.database.submit(lambda connection: (released.wait(20), None), lambda _: None)
    given_up = labels.annotate(answer("a.jpg", "positive"))
    assert given_up.cancel()
    released.set()
    labels.annotate(answer("b.jpg", "positive")).result(20)
    assert labels.counts()["positive"] == 1
    labels.close()


def test_an_undo_that_restores_reads_nothing_after_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo that is stored is told even where no further file can be opened."""
    labels = Labels(tmp_path)
    labels.annotate(answer("a.jpg", "positive")).result()
    labels.annotate(answer("a.jpg", "negative")).result()

    def exhausted(*_: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "open", exhausted)
        assert [taken.label for taken in labels.undo("me").result(20)] == ["negative"]
    assert labels.label("a.jpg") == "positive"
    labels.close()

"""The answers: durable before acknowledged, undone in order, the same after a restart."""

import logging
import pickle
import sqlite3
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.database import Database, NotDurableError
from backend.labels import AS_IN_PICKLE, DATABASE, Answer, Label, Labels, NothingToUndoError
from config import UsageError
from IA import protocol
from tests.serving import until

PATHS = ["a.jpg", "b c.jpg", "späte\nÜbung'\".png", "\udcff\udcfe.jpg"]


def answer(path: str, label: Label, client: str = "me", id: str | None = None) -> Answer:
    """An answer given by key."""
    return Answer(id or str(uuid.uuid4()), path, label, "key", client, shown_ms=500, probability=0.25)


def published(run: Path) -> dict[str, bool | None]:
    """What a user's script finds in annotations.pickle."""
    try:
        with (run / "annotations.pickle").open("rb") as file:
            content: dict[str, bool | None] = pickle.load(file)
    except FileNotFoundError:
        return {}
    return content


class AnyOrder(RuleBasedStateMachine):
    """Annotate, skip, undo and restart in any order, against a model in a few lines."""

    run: Path

    @initialize()
    def begin(self) -> None:
        """An empty run and an empty model: the list of (client, path, label) not taken back."""
        self.directory = self.run / str(uuid.uuid4())
        self.directory.mkdir()
        self.labels = Labels(self.directory)
        self.given: list[tuple[str, str, Label]] = []
        self.ids: list[tuple[str, str]] = []

    @rule(
        path=st.sampled_from(PATHS),
        label=st.sampled_from(["positive", "negative", "skipped"]),
        client=st.sampled_from(["me", "you"]),
    )
    def annotate(self, path: str, label: Label, client: str) -> None:
        """An answer to an image, perhaps not the first."""
        stored = self.labels.annotate(answer(path, label, client)).result()
        self.given.append((client, path, label))
        self.ids.append((stored.id, label))

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """The same id again is the same answer, stored once, also if other things are asked with it."""
        if self.ids:
            id, label = data.draw(st.sampled_from(self.ids))
            assert self.labels.annotate(answer(PATHS[0], "negative", id=id)).result().label == label

    @rule(client=st.sampled_from(["me", "you"]))
    def undo(self, client: str) -> None:
        """The client's last answer goes, skips too; what stood before it stands again."""
        mine = [entry for entry in self.given if entry[0] == client]
        future = self.labels.undo(client)
        if not mine:
            with pytest.raises(NothingToUndoError):
                future.result()
            return
        assert (future.result().path, future.result().label) == mine[-1][1:]
        del self.given[len(self.given) - 1 - self.given[::-1].index(mine[-1])]

    @rule()
    def restart(self) -> None:
        """A restart changes nothing, and what was published is all there is."""
        self.labels.close()
        assert list(published(self.directory).items()) == list(self.expected().items())
        self.labels = Labels(self.directory)

    def expected(self) -> dict[str, bool | None]:
        """The last answer of each image that was not taken back, in the order given."""
        standing: dict[str, bool | None] = {}
        for _, path, label in self.given:
            standing.pop(path, None)
            standing[path] = AS_IN_PICKLE[label]
        return standing

    @invariant()
    def agrees(self) -> None:
        """Counts, listing and standing labels are those of the model."""
        if not hasattr(self, "labels"):
            return
        expected = self.expected()
        listed = {entry.path: AS_IN_PICKLE[entry.label] for entry in self.labels.standing(newest=False)}
        assert list(listed.items()) == list(expected.items())
        counts = {AS_IN_PICKLE[label]: count for label, count in self.labels.counts().items()}
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
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
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
    working = Database._commit

    def failing(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Database, "_commit", failing)
    with pytest.raises(NotDurableError):
        labels.annotate(answer("b.jpg", "positive")).result()
    assert labels.counts()["positive"] == 1
    monkeypatch.setattr(Database, "_commit", working)
    labels.annotate(answer("b.jpg", "positive")).result()
    assert labels.counts()["positive"] == 2
    labels.close()


def test_publishing_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """When annotations.pickle cannot be written, the answer still counts, and it is published when the disk heals."""
    labels = Labels(tmp_path)
    working = protocol.publish
    failed = []

    def failing(*_: object) -> int:
        failed.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(protocol, "publish", failing)
    with caplog.at_level(logging.WARNING):
        labels.annotate(answer("a.jpg", "positive")).result()
        until(lambda: failed)
    monkeypatch.setattr(protocol, "publish", working)
    until(lambda: published(tmp_path) == {"a.jpg": True})
    labels.close()


def test_a_foreign_database_is_told(tmp_path: Path) -> None:
    """A file that is no database ends the start with one sentence that names it."""
    (tmp_path / DATABASE).write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(UsageError, match=r"labels\.sqlite3"):
        Labels(tmp_path)

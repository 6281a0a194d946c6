"""Labels of the model: apart from people's answers, all or none of them, and taken away in one go."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from backend.store import model_labels
from backend.store.labels import Labels
from backend.store.model_labels import BusyError, Finish, ModelLabels, NoFinishError
from backend.store.schema import DATABASE
from backend.store.table import Answer, Label, NothingToUndoError
from config import ROOT
from tests.backend.store.test_labels import answer, published
from tests.examples import examples
from tests.serving import until

PATHS = ["a.jpg", "b c.jpg", "späte\nÜbung'\".png", "\udcff\udcfe.jpg", "e.jpg"]
IMAGES = st.integers(0, len(PATHS) - 1)
LABELS = st.sampled_from(["positive", "negative", "skipped"])


def decided(threshold: float = 0.5) -> Finish:
    """A decision of its own."""
    return Finish(str(uuid.uuid4()), "me", threshold, 7)


def write(labels: ModelLabels, probability: dict[str, float], threshold: float = 0.5) -> Finish:
    """Label these paths, and wait until that is done."""
    paths = list(probability)
    chances = np.array([probability[path] for path in paths], np.float32)
    finish = labels.write(decided(threshold), np.arange(len(paths), dtype=np.int32), chances, paths.__getitem__)
    labels.wait()
    return finish


def rows(run: Path, query: str) -> list[Any]:
    """What a query finds on the disk."""
    with contextlib.closing(sqlite3.connect(run / DATABASE)) as connection:
        connection.text_factory = bytes
        return connection.execute(query).fetchall()


class AnyCourse(RuleBasedStateMachine):
    """Answer, correct, undo, finish, take that away, and restart in any order, against a model in a few lines."""

    directory: Path

    @initialize()
    def begin(self) -> None:
        """An empty run."""
        self.run = self.directory / str(uuid.uuid4())
        self.run.mkdir()
        self.given: list[tuple[str, Label]] = []
        self.finished: dict[str, Label] = {}
        self.start()

    def start(self) -> None:
        """Open the run, as a server does."""
        self.labels = Labels(self.run)
        self.model = ModelLabels(self.labels.database)

    def stand(self) -> dict[str, Label]:
        """The answers that stand."""
        return dict(self.given)

    @rule(image=IMAGES, label=LABELS)
    def answer(self, image: int, label: Label) -> None:
        """An answer to any image, whoever labelled it before."""
        self.labels.annotate(answer(PATHS[image], label)).result()
        self.given.append((PATHS[image], label))

    @rule()
    def undo(self) -> None:
        """The last answer goes; never a label of the model."""
        if self.given:
            self.labels.undo("me").result()
            self.given.pop()
        else:
            with pytest.raises(NothingToUndoError):
                self.labels.undo("me").result()

    @rule(chances=st.lists(st.floats(0, 1, width=16), min_size=len(PATHS), max_size=len(PATHS)), threshold=LABELS)
    def finish(self, chances: list[float], threshold: Label) -> None:
        """The model labels what has no answer; that replaces what it labelled before."""
        at = {"positive": 0.25, "negative": 0.5, "skipped": 0.75}[threshold]
        rest = {path: chance for path, chance in zip(PATHS, chances, strict=True) if path not in self.stand()}
        finish = write(self.model, rest, at)
        self.finished = {path: "positive" if chance >= at else "negative" for path, chance in rest.items()}
        counts = Counter(self.finished.values())
        assert (finish.positives, finish.negatives) == (counts["positive"], counts["negative"])
        assert self.model.standing is not None
        assert (self.model.standing.positives, self.model.standing.id) == (counts["positive"], finish.id)

    @rule()
    def take_away(self) -> None:
        """The model's labels go; nothing else."""
        if self.model.standing is None:
            with pytest.raises(NoFinishError):
                self.model.undo()
        else:
            self.model.undo()
        self.finished = {}

    @rule()
    def restart(self) -> None:
        """A restart changes nothing."""
        self.close()
        self.start()

    def close(self) -> None:
        """End the threads; the file that the loops learn from holds people's answers alone."""
        self.model.close()
        self.labels.close()
        as_pickled = {"positive": True, "negative": False, "skipped": None}
        assert published(self.run) == {path: as_pickled[label] for path, label in self.stand().items()}

    @invariant()
    def agree(self) -> None:
        """An export has each image once: by a person where one answered, else by the model."""
        if not hasattr(self, "labels"):
            return
        exported = list(self.labels.stored.moment())
        assert len({entry.path for entry in exported}) == len(exported)
        people = {entry.path: entry.label for entry in exported if entry.source != "model"}
        model = {entry.path: entry.label for entry in exported if entry.source == "model"}
        assert people == self.stand()
        assert model == {path: label for path, label in self.finished.items() if path not in people}
        assert {entry.path: entry.label for entry in self.labels.stored.standing()} == people
        assert all(entry.shown_ms is None and not entry.audit for entry in exported if entry.source == "model")

    def teardown(self) -> None:
        """End the threads."""
        if hasattr(self, "labels"):
            self.close()


def test_any_course(tmp_path: Path) -> None:
    """Whatever happens, people's answers are what they gave, and the model's labels are apart."""
    AnyCourse.directory = tmp_path
    run_machine(
        AnyCourse,
        settings=settings(
            max_examples=examples(30), stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_what_is_taken_away_leaves_the_disk(tmp_path: Path) -> None:
    """Labels that do not stand are deleted, chunk by chunk; the decisions stay in the history."""
    labels = Labels(tmp_path)
    model = ModelLabels(labels.database)
    many = {f"{number}.jpg": 0.9 for number in range(3 * model_labels.CHUNK)}
    write(model, many)
    write(model, {"a.jpg": 0.1})
    assert rows(tmp_path, "SELECT finish, path, label FROM model_labels") == [(2, b"a.jpg", b"negative")]
    model.undo()
    model.wait()
    assert rows(tmp_path, "SELECT count(*) FROM model_labels") == [(0,)]
    assert rows(tmp_path, "SELECT state FROM finishes") == [(b"undone",), (b"undone",)]
    model.close()
    labels.close()


def test_the_same_request_again(tmp_path: Path) -> None:
    """A finish with an id that is known is the known one, while it is written, when it stands, and afterwards."""
    labels = Labels(tmp_path)
    model = ModelLabels(labels.database)
    finish = decided()
    images, chances = np.arange(3 * model_labels.CHUNK, dtype=np.int32), np.full(3 * model_labels.CHUNK, 0.9, "f4")
    for state in ("writing", "writing"):
        assert model.write(finish, images, chances, str).state == state
    with pytest.raises(BusyError):
        model.write(decided(), images, chances, str)
    with pytest.raises(BusyError):
        model.undo()
    model.wait()
    assert model.write(finish, images, chances, str).state == "standing"
    assert rows(tmp_path, "SELECT count(*) FROM finishes") == [(1,)]
    model.undo()
    assert model.write(finish, images, chances, str).state == "undone"
    assert model.standing is None
    model.close()
    labels.close()


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a chunk cannot be stored none of them counts, what stood stands, and the next finish is written."""
    labels = Labels(tmp_path)
    model = ModelLabels(labels.database)
    write(model, {"a.jpg": 0.9})
    insert, calls = model_labels.insert, []

    def fill_up(connection: sqlite3.Connection, rows: Any) -> Any:
        calls.append(len(rows))
        if len(calls) == 2:
            raise sqlite3.OperationalError("database or disk is full")
        return insert(connection, rows)

    monkeypatch.setattr(model_labels, "insert", fill_up)
    write(model, {f"{number}.jpg": 0.9 for number in range(2 * model_labels.CHUNK)})
    assert len(calls) == 2
    assert "disk is full" in str(model.trouble)
    assert [entry.path for entry in labels.stored.moment()] == ["a.jpg"]
    assert rows(tmp_path, "SELECT count(*) FROM model_labels") == [(1,)]
    write(model, {"b.jpg": 0.9})
    assert model.trouble is None
    assert [entry.path for entry in labels.stored.moment()] == ["b.jpg"]
    model.close()
    labels.close()


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from backend.store import model_labels
from backend.store.labels import Labels
from backend.store.model_labels import Finish, ModelLabels

name, calls = sys.argv[2], int(sys.argv[3])
work = getattr(model_labels, name, None)

def die(*given, **named):
    global calls
    done = work(*given, **named)
    calls -= 1
    if calls < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

model_labels.CHUNK, model_labels.REST = 50, 0
setattr(model_labels, name, die)
labels = Labels(Path(sys.argv[1]))
model = ModelLabels(labels.database)
images = np.arange(1000, dtype=np.int32)
model.write(Finish("f", "me", 0.5, 7), images, np.full(1000, 0.9, np.float32), "{}.jpg".format)
model.wait()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("where", "calls", "stands"), [("insert", 0, False), ("insert", 7, False), ("stand", 0, False), ("", 0, True)]
)
def test_killed_while_it_is_written(tmp_path: Path, where: str, calls: int, stands: bool) -> None:
    """Kill -9 at any moment leaves all labels or none, and the next process deletes what does not count."""
    labels = Labels(tmp_path)
    labels.annotate(Answer("1", "0.jpg", "negative", "key", "me")).result()
    labels.close()
    command = [sys.executable, "-c", KILLED, str(tmp_path), where, str(calls)]
    assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == -signal.SIGKILL
    assert rows(tmp_path, "SELECT count(*) FROM finishes") == [(1,)]
    labels = Labels(tmp_path)
    model = ModelLabels(labels.database)
    exported = Counter(entry.source for entry in labels.stored.moment())
    assert exported == {"key": 1, "model": 999} if stands else {"key": 1}
    model.wait()
    assert rows(tmp_path, "SELECT count(*) FROM model_labels") == [(1000 if stands else 0,)]
    assert rows(tmp_path, "SELECT count(*) FROM finishes") == [(int(stands),)]
    model.close()
    labels.close()


def test_exports_are_of_one_moment(tmp_path: Path) -> None:
    """An answer that is given while an export is read does not take its image out of it, or put it there twice."""
    labels = Labels(tmp_path)
    model = ModelLabels(labels.database)
    labels.annotate(answer("a.jpg", "positive")).result()
    labels.annotate(answer("b.jpg", "positive")).result()
    write(model, {"c.jpg": 0.9, "d.jpg": 0.1})
    moment = labels.stored.moment()
    exported = iter(moment)
    first = next(exported)
    labels.annotate(answer("c.jpg", "negative")).result()
    labels.undo("me").result()
    labels.undo("me").result()
    labels.annotate(answer("d.jpg", "positive")).result()
    until(lambda: set(published(tmp_path)) == {"a.jpg", "d.jpg"})
    entries = [first, *exported]
    assert [(entry.path, entry.source) for entry in entries] == [
        ("a.jpg", "key"),
        ("b.jpg", "key"),
        ("c.jpg", "model"),
        ("d.jpg", "model"),
    ]
    model.close()
    labels.close()


def test_an_export_of_labels_that_are_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that has lost the rest of the model's labels says so: it does not end as if that were all."""
    monkeypatch.setattr("backend.store.moment.PAGE", 2)
    labels = Labels(tmp_path)
    model = ModelLabels(labels.database)
    labels.annotate(answer("0.jpg", "positive")).result()
    write(model, {f"{number}.jpg": 0.9 for number in range(7)})
    labels.annotate(answer("1.jpg", "positive")).result()
    labels.annotate(answer("2.jpg", "positive")).result()  # a page of nothing but answered ones
    moment = labels.stored.moment()
    assert (len(moment), len(list(moment))) == (7, 7)
    assert [entry.path for entry in labels.stored.moment("positive")] == [f"{n}.jpg" for n in (0, 1, 2, 3, 4, 5, 6)]
    assert len(labels.stored.moment("negative")) == 0
    exported = iter(moment)
    assert [next(exported).source for _ in range(4)] == ["key", "key", "key", "model"]
    model.undo()
    with pytest.raises(sqlite3.DatabaseError, match="taken back"):
        list(exported)
    model.close()
    labels.close()

"""Questions drawn at random, from the queue to audit.pickle: the model is never told of them."""

import contextlib
import csv
import pickle
import sqlite3
import threading
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from backend.session.session import Session
from backend.store import schema
from backend.store import table as answers
from backend.store.labels import Labels
from backend.store.schema import DATABASE
from backend.store.table import Answer, Label, NothingToUndoError
from backend.wire.figures import AuditFigures
from config import Config
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.answers import LearnableAnswers, read_learnable
from IA.protocol.files import ANNOTATIONS, AUDIT, PREDICTIONS
from IA.protocol.records import Predictions, Ranking
from tests.backend.store.test_labels import LABELS, VERSION_1, columns
from tests.examples import examples
from tests.serving import Serving, serving, small_pictures, until

IMAGES = 12
FEW = 5  # for courses that come upon each image several times
CLIENTS = st.sampled_from(["me", "you"])


@pytest.fixture(autouse=True)
def from_the_first_answer_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws begin at once, unlike in a session."""
    monkeypatch.setattr("backend.session.auditing.AUDIT_FROM", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve small pictures."""
    return small_pictures(tmp_path / "data", IMAGES, step=20)


def unpickled(path: Path) -> dict[str, bool | None]:
    """What plain `pickle.load` finds in it."""
    with path.open("rb") as file:
        content: dict[str, bool | None] = pickle.load(file)
    return content


class AnyCourse(RuleBasedStateMachine):
    """Ask, answer, skip, correct, undo, rank anew and restart in any order."""

    tmp_path: Path
    folder: Path

    @initialize(seed=st.integers(0, 5))
    def begin(self, seed: int) -> None:
        """An empty run that draws every other question."""
        self.run = self.tmp_path / str(uuid.uuid4())
        self.run.mkdir()
        self.random = np.random.default_rng(seed)
        self.share = 0.5
        self.start()
        self.drawn: set[str] = set()  # a model in a few lines: what was drawn when it was answered first
        self.hands: dict[str, list[int]] = {"me": [], "you": []}

    def start(self) -> None:
        """Open the run, as a server that has been started does."""
        self.session = Session(Config(self.run, datadir=self.folder, ai=False, tensorboard=False, audit=self.share))
        self.session.start()
        until(lambda: not self.session.images.listing and len(self.session.images) == FEW)
        self.rank()

    @rule()
    def rank(self) -> None:
        """A new ranking of all that the model may not know of."""
        asked = LearnableAnswers(self.run).content() or {}
        paths = [self.session.images.path(image) for image in range(FEW)]
        left = self.random.permutation([image for image, path in enumerate(paths) if path not in asked])
        probability = np.linspace(0.9, 0.1, len(left), dtype=np.float32)
        self.session.queue.rank(Ranking(left.astype(np.int32).data, probability.data, 0, "max_prob", 1))

    @rule(client=CLIENTS, count=st.integers(1, FEW))
    def ask(self, client: str, count: int) -> None:
        """The next images; none of them has an answer, and what was drawn comes without a probability."""
        asked = self.session.queue.next(client, count)
        assert len({image for image, _ in asked}) == len(asked) <= count
        for image, probability in asked:
            assert self.session.labels.label(self.session.images.path(image)) is None
            assert not (self.session.queue.question(image, client).is_sampled and probability is not None)
        self.hands[client] = [image for image, _ in asked]

    @rule(client=CLIENTS, said=st.lists(st.tuples(LABELS, st.integers(0, 4)), min_size=2, max_size=6))
    def answer(self, client: str, said: list[tuple[Label, int]]) -> None:
        """Images in hand, perhaps not the first of them; more are asked for when there are none."""
        for label, place in said:
            if not self.hands[client]:
                self.ask(client, 3)
            if self.hands[client]:
                self.store(self.hands[client].pop(min(place, len(self.hands[client]) - 1)), client, label)

    @rule(client=CLIENTS, label=LABELS, place=st.integers(0, FEW - 1))
    def correct(self, client: str, label: Label, place: int) -> None:
        """An answer that stands, whoever gave it."""
        standing = list(self.session.labels.stored.standing())
        if standing:
            image = self.session.images.number(standing[place % len(standing)].path)
            assert image is not None
            self.store(image, client, label)

    @rule(client=CLIENTS, label=LABELS, image=st.integers(0, FEW - 1))
    def answer_unasked(self, client: str, label: Label, image: int) -> None:
        """Any image, whether it was asked or not."""
        self.store(image, client, label)

    def store(self, image: int, client: str, label: Label) -> None:
        """Store an answer as the routes do."""
        labels = self.session.labels
        is_first = labels.label(self.session.images.path(image)) is None
        answering = self.session.answering
        given = answering.given(image, client, id=str(uuid.uuid4()), label=label, source="key")
        [answer] = given.answers
        [stored] = answering.store([given]).result()
        if is_first and answer.audit:
            self.drawn.add(answer.path)
        assert is_first or stored.audit in {0, 1, 2}

    @rule(client=CLIENTS)
    def undo(self, client: str) -> None:
        """The last answer of a client goes; its image is in this client's hands again."""
        with contextlib.suppress(NothingToUndoError):
            taken = self.session.labels.undo(client).result()
            for each in self.session.answering.taken_back(taken, client):
                if self.session.labels.label(each.answer.path) is None:
                    assert each.image is not None
                    self.drawn.discard(each.answer.path)
                    self.hands[client].insert(0, each.image)

    @rule(wanted=st.integers(0, 2))
    def restart(self, wanted: int) -> None:
        """A restart changes nothing; leases are lost."""
        if wanted:  # now and then: it takes longest
            return
        self.session.close()
        self.agree()
        self.start()

    @rule(share=st.sampled_from([0.0, 0.5, 1.0]))
    def set_share(self, share: float) -> None:
        """Another share from now on."""
        self.share = share
        self.session.queue.share = share

    def marks(self) -> dict[str, int]:
        """The mark of each standing answer, from the disk."""
        return {answer.path: answer.audit for answer in self.session.labels.stored.standing()}

    def agree(self) -> None:
        """What is published is what is stored: the drawn and not reached ones in audit.pickle, the others learnt."""
        marks = self.marks()
        hidden = {path for path, mark in marks.items() if mark == answers.DRAWN}
        assert hidden <= self.drawn
        assert {path for path, mark in marks.items() if mark} == self.drawn
        if (self.run / AUDIT.name).exists() or marks:
            assert set(unpickled(self.run / AUDIT.name)) == hidden
            assert set(read_learnable(self.run)) == set(marks) - hidden
            assert set(unpickled(self.run / ANNOTATIONS.name)) == set(marks)

    @invariant()
    def figures(self) -> None:
        """The figures fit one another; no image is open and answered."""
        if not hasattr(self, "hands"):
            return
        session = self.session

        def told_anew() -> AuditFigures:
            session.changes.notify()
            return session.auditing.statistics(10)["audit"]

        told = told_anew()
        assert told["rest"]["drawn"] <= told["drawn"]
        counts = session.labels.counts()
        assert told["asked"] == len(self.drawn)
        assert 0 <= told["rest"]["positives"] <= told["rest"]["drawn"]
        assert told["rest"]["images"] == session.queue.left + told["rest"]["drawn"]
        assert session.queue.left == FEW - sum(counts.values())
        assert told["positives"]["low"] >= counts["positive"]
        assert told["to_find"]["high"] <= session.queue.left

    def teardown(self) -> None:
        """End the threads; the last word agrees, too."""
        if hasattr(self, "session"):
            self.session.close()
            self.agree()


def test_any_course(tmp_path: Path, folder: Path) -> None:
    """Whatever happens, audit.pickle holds exactly what was drawn and not reached, and nothing of it is learnt."""
    for number in range(FEW, IMAGES):
        (folder / f"{number:02d}.png").unlink()
    AnyCourse.tmp_path, AnyCourse.folder = tmp_path, folder
    run_machine(
        AnyCourse,
        settings=settings(
            max_examples=examples(40), stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def drawn_answer(path: str, label: Label = "positive", audit: int = answers.DRAWN) -> Answer:
    """An answer to an image that was drawn."""
    return Answer(str(uuid.uuid4()), path, label, "key", "me", audit=audit)


@pytest.mark.slow
def test_no_reader_ever_sees_a_drawn_answer(tmp_path: Path) -> None:
    """While answers come and go, a reader of both files never takes one that was drawn for one to learn."""
    labels = Labels(tmp_path)
    seen: set[str] = set()
    stop = threading.Event()

    def read() -> None:
        asked = LearnableAnswers(tmp_path)
        while not stop.is_set():
            seen.update(asked.content() or {})

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(12):
        for number in range(3):
            labels.annotate(drawn_answer(f"drawn {turn} {number}.jpg")).result()
            labels.annotate(drawn_answer(f"asked {turn} {number}.jpg", audit=0)).result()
        until(lambda turn=turn: f"asked {turn} 2.jpg" in seen)  # type: ignore[misc]
        for _ in range(6):
            labels.undo("me").result()
    stop.set()
    reader.join()
    labels.close()
    assert seen
    assert all(path.startswith("asked") for path in seen)


def test_a_reached_answer_is_learnt(tmp_path: Path) -> None:
    """It leaves audit.pickle, keeps its place among the answers, and stays reached after a correction and a restart."""
    labels = Labels(tmp_path)
    for path in ("a.jpg", "b.jpg"):
        labels.annotate(drawn_answer(path)).result()
    labels.annotate_all([], selected=["a.jpg", "unknown.jpg"]).result()
    assert not labels.is_sampled("a.jpg")
    labels.annotate(drawn_answer("a.jpg", "negative", audit=0)).result()
    labels.close()
    assert read_learnable(tmp_path) == {"a.jpg": False}
    labels = Labels(tmp_path)
    assert (labels.drawn, labels.asked_at_random({})) == (1, 2)
    assert [entry.audit for entry in labels.stored.standing()] == [answers.SELECTED, answers.DRAWN]
    labels.close()


def test_what_is_selected_is_stored_with_the_answer(tmp_path: Path, folder: Path) -> None:
    """Once an answer is acknowledged, the drawn images that were passed on the way to it may be learnt."""
    with serving(tmp_path / "run", folder, audit=1.0) as server:
        session = server.session
        until(lambda: session.queue.left == IMAGES)
        drawn, beyond = answer_next(server, "negative"), answer_next(server, "negative")
        session.queue.share = 0.0
        others = [image for image in range(IMAGES) if image not in (drawn, beyond)]
        order = np.array([drawn, *others, beyond], np.int32)
        session.queue.rank(Ranking(order.data, np.zeros(IMAGES, np.float32).data, 0, "max_prob", 1))
        with contextlib.closing(session.labels.database.open()) as connection:
            connection.execute("CREATE TRIGGER failing BEFORE INSERT ON answers BEGIN SELECT RAISE(FAIL, 'no'); END")
            [asked] = server.client.get("/api/queue?count=1&client=me").json()["images"]
            assert server.answer(asked["image"], client="me").status_code == 503
            assert audits(session) == {drawn: answers.DRAWN, beyond: answers.DRAWN}
            connection.execute("DROP TRIGGER failing")
        assert answer_next(server, "positive") == asked["image"] == others[0]
        assert audits(session) == {
            drawn: answers.SELECTED,
            beyond: answers.DRAWN,
            others[0]: answers.NOT_DRAWN,
        }
        assert not session.labels.is_sampled(session.images.path(drawn))
        assert server.client.get("/api/status").json()["audit"]["drawn"] == 1


def audits(session: Session) -> dict[int | None, int]:
    """How the image of each standing answer was chosen, from the disk."""
    return {session.images.number(answer.path): answer.audit for answer in session.labels.stored.standing()}


def test_an_answer_that_is_sent_again_selects_nothing(tmp_path: Path) -> None:
    """What is selected with an answer counts when it is stored, not when its client asks a second time."""
    labels = Labels(tmp_path)
    for path in ("a.jpg", "b.jpg"):
        labels.annotate(drawn_answer(path)).result()
    asked = drawn_answer("c.jpg", audit=0)
    for _ in range(2):
        labels.annotate_all([asked], {asked.id: ["a.jpg"]}).result()
        labels.annotate_all([asked], {asked.id: ["b.jpg"]}).result()
    assert [entry.audit for entry in labels.stored.standing(newest=False)] == [answers.SELECTED, answers.DRAWN, 0]
    assert list(labels.by_path()) == ["a.jpg", "b.jpg", "c.jpg"]
    labels.close()


def test_a_damaged_audit_file_teaches_nothing(tmp_path: Path) -> None:
    """While audit.pickle cannot be read nobody learns; the server writes it anew when it starts."""
    labels = Labels(tmp_path)
    labels.annotate(drawn_answer("a.jpg")).result()
    labels.close()
    (tmp_path / AUDIT.name).write_bytes(b"torn")
    assert LearnableAnswers(tmp_path).content() is None
    with pytest.raises(ValueError, match=r"audit\.pickle"):
        read_learnable(tmp_path)
    Labels(tmp_path).close()
    assert LearnableAnswers(tmp_path).content() == {}


def test_a_run_of_version_2_goes_on(tmp_path: Path) -> None:
    """Its answers were not drawn, nothing of it is lost, and a copy of it is kept."""
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.executescript(VERSION_1.read_text())
        connection.executescript(f"{schema.FROM_1}; PRAGMA user_version = 2")
    for _ in range(2):
        labels = Labels(tmp_path)
        assert {entry.audit for entry in labels.stored.standing()} == {answers.NOT_DRAWN}
        assert labels.counts() == {"positive": 2, "negative": 0, "skipped": 1}
        labels.close()
    assert columns(tmp_path / DATABASE)[0] == schema.VERSION
    assert columns(tmp_path / f"{DATABASE}.version-2")[0] == 2
    assert LearnableAnswers(tmp_path).content() == unpickled(tmp_path / ANNOTATIONS.name)


def answer_next(server: Serving, label: str) -> int:
    """Answer what is asked next."""
    [asked] = server.client.get("/api/queue?count=1&client=me").json()["images"]
    assert server.answer(asked["image"], label, client="me").status_code == 201
    number: int = asked["image"]
    return number


def test_certainty_over_http(tmp_path: Path, folder: Path) -> None:
    """Asked for, everything is drawn until the certificate is given, and then what was drawn before."""
    with serving(tmp_path / "run", folder, audit=0.0) as server:
        until(lambda: server.session.queue.left == IMAGES)
        answer_next(server, "positive")
        told = server.client.put("/api/audit", json={"share": 1, "recall": 0.5}).json()
        assert (told["share"], told["after"], told["certificate"]["given"]) == (1.0, 0.0, False)
        assert told["certificate"]["recall"] == 0.5
        before = told["certificate"]["answers"]
        asked = 0
        while server.client.get("/api/status").json()["audit"]["certificate"]["answers"]:
            answer_next(server, "negative")
            asked += 1
        assert 1 <= asked <= before
        assert server.client.get("/api/queue?count=1").status_code == 200
        told = server.client.get("/api/status").json()["audit"]
        assert (told["share"], told["after"], told["drawn"]) == (0.0, None, asked)
        assert told["certificate"]["given"]
        rows = csv.DictReader(server.client.get("/api/export").text.splitlines())
        assert sum(row["audit"] == "true" for row in rows) == asked
    assert pickle_file.read(tmp_path / "run", protocol.SETTINGS).content.recall == 0.5


def test_certainty_survives_a_restart_and_can_be_ended(tmp_path: Path, folder: Path) -> None:
    """Both shares are kept with the run; a smaller share ends it; nonsense is refused."""
    with serving(tmp_path / "run", folder, audit=0.25) as server:
        until(lambda: server.session.queue.left == IMAGES)
        for _ in range(2):  # a second press changes nothing
            server.client.put("/api/audit", json={"share": 1})
    with serving(tmp_path / "run", folder, audit=None) as server:
        told = server.client.get("/api/status").json()["audit"]
        assert (told["share"], told["after"]) == (1.0, 0.25)
        told = server.client.put("/api/audit", json={"share": 0.25}).json()
        assert (told["share"], told["after"]) == (0.25, None)
        for body in ({}, {"share": 1.5}, {"share": 1, "recall": 1}, {"share": 1, "confidence": 0}, {"shar": 1}):
            assert server.client.put("/api/audit", json=body).status_code == 422


def test_taken_back_and_given_again(tmp_path: Path, folder: Path) -> None:
    """Whoever takes back an answer and gives another has not changed the draw."""
    with serving(tmp_path / "run", folder, audit=1.0) as server:
        until(lambda: server.session.queue.left == IMAGES)
        image = answer_next(server, "negative")
        assert server.client.post("/api/undo", json={"client": "me"}).json()["image"] == image
        assert server.session.labels.asked_at_random({}) == 0
        server.answer(image, "positive", client="me")
        assert (server.session.labels.asked_at_random({}), server.session.labels.drawn) == (1, 1)


def test_figures_of_the_model(tmp_path: Path, folder: Path) -> None:
    """Precision, recall and calibration are those of the images that were drawn, counted by hand."""
    with serving(tmp_path / "run", folder, audit=1.0) as server:
        session = server.session
        until(lambda: session.queue.left == IMAGES)
        told = server.client.get("/api/statistics").json()["audit"]
        assert (told["model"], told["calibration"], told["recall"]) == (None, None, None)
        probability = np.full(IMAGES, np.nan, np.float32)
        probability[:10] = np.linspace(0.05, 0.95, 10)
        checkpoint = {"generation": 1, "labels": 2, "threshold": 0.5, "metrics": {}}
        empty = np.zeros(0, np.int32).data
        novelty = np.zeros(IMAGES, np.float32).data
        pickle_file.publish(
            session.run, PREDICTIONS, Predictions(probability.data, novelty, empty, IMAGES, 2, checkpoint)
        )
        until(lambda: session.following.predictions is not None)
        drawn = [answer_next(server, "negative") for _ in range(3)]
        drawn += [answer_next(server, "positive") for _ in range(3)]
        right = sum(image in drawn[3:] for image in range(5, 10))
        above = sum(image in drawn for image in range(5, 10))
        told = server.client.get("/api/statistics").json()["audit"]
        precision = told["model"]["precision"]
        assert (precision["right"], precision["of"]) == (right, above)
        assert precision["low"] <= right / max(above, 1) or not above
        assert told["model"]["threshold"] == 0.5
        assert 0 <= told["model"]["recall"]["low"] <= told["model"]["recall"]["high"] <= 1
        known = [image for image in drawn if image < 10]
        calibration = told["calibration"]
        assert calibration["images"] == len(known)
        assert calibration["expected"] == pytest.approx(float(probability[known].sum()))
        assert calibration["low"] <= calibration["expected"] <= calibration["high"]
        while session.queue.left:
            answer_next(server, "negative")
        told = server.client.get("/api/statistics").json()["audit"]
        assert told["positives"] == {"low": 3, "high": 3}
        assert told["to_find"] == {"low": 0, "high": 0}
        assert told["prevalence"] == {"low": 0.25, "high": 0.25}
        assert told["recall"] == {"low": 1.0, "high": 1.0}
        assert (told["asked"], told["rest"]) == (12, {"images": 12, "drawn": 12, "positives": 3})
        assert told["certificate"]["given"]


def test_the_first_answers_are_none_of_the_audit(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws begin with the answer after the last of the first ones, unless all questions are to be drawn."""
    monkeypatch.setattr("backend.session.auditing.AUDIT_FROM", 2)
    with serving(tmp_path / "run", folder, audit=0.5) as server:
        until(lambda: server.client.get("/api/status").json()["images"] == IMAGES)
        shares = []
        for image in range(3):
            shares.append(server.session.queue.share)
            server.answer(image)
        assert shares == [0, 0, 0.5]
        server.client.post("/api/undo", json={"client": "api"})
        server.client.post("/api/undo", json={"client": "api"})
        assert server.session.queue.share == 0
        server.client.put("/api/audit", json={"share": 1})
        assert server.session.queue.share == 1

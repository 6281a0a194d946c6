"""Finish: figures, labels, band and undo by HTTP and on the command line, where both say the same."""

import csv
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.backup import back_up
from backend.export import main as export_main
from backend.finish import main
from backend.import_labels import import_labels
from backend.imports import read_labelled
from backend.questions.doubtful import Doubtful
from backend.store.labels import Labels
from backend.store.model_labels import ModelLabels
from config import ROOT
from IA.protocol import locks, pickle_file
from IA.protocol.answers import read_learnable
from IA.protocol.files import PREDICTIONS
from IA.protocol.records import Predictions
from IA.statistics.audit import Division, Sample
from tests.backend.store.test_labels import published
from tests.commands import Command, command_of
from tests.serving import Serving, serving, small_pictures, until

IMAGES = 40
UNSCORED = 3  # the last ones


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty small pictures, 00.png to 39.png."""
    return small_pictures(tmp_path / "data", IMAGES, step=6)


def predict(server: Serving, generation: int = 5, threshold: float = 0.4, least: float = 0) -> None:
    """Publish predictions that grow from `least` with the number of the image, and wait until the server has them."""
    probability = np.linspace(least, 1, IMAGES, dtype=np.float32)
    probability[IMAGES - UNSCORED :] = np.nan
    checkpoint = {"generation": generation, "labels": 2, "threshold": threshold, "metrics": {}}
    empty, novelty = np.zeros(0, np.int32).data, np.zeros(IMAGES, np.float32).data
    pickle_file.publish(
        server.session.run, PREDICTIONS, Predictions(probability.data, novelty, empty, IMAGES, 2, checkpoint)
    )
    until(lambda: (server.client.get("/api/status").json()["model"] or {}).get("generation") == generation)


@pytest.fixture
def server(tmp_path: Path, folder: Path) -> Iterator[Serving]:
    """A run with predictions, image 0 answered as negative and image 20 skipped."""
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES)
        predict(server)
        server.answer(0, "negative")
        server.answer(20, "skipped")
        yield server


def look(server: Serving, query: str = "") -> dict[str, Any]:
    """What would become of the rest."""
    answer = server.client.get(f"/api/finish?{query}")
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def finish(server: Serving, threshold: float = 0.4, checkpoint: int = 5) -> dict[str, Any]:
    """Let the model label the rest, and wait until it has."""
    body = {"threshold": threshold, "checkpoint": checkpoint, "id": str(uuid.uuid4()), "client": "me", "anyway": True}
    answer = server.client.post("/api/finish", json=body)
    assert answer.status_code == 202, answer.text
    until(lambda: look(server)["writing"] is None)
    content: dict[str, Any] = answer.json()
    return content


def exported(server: Serving) -> dict[str, dict[str, str]]:
    """The CSV by path; each path is there once."""
    rows = list(csv.DictReader(server.client.get("/api/export?format=csv").text.splitlines()))
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"]: row for row in rows}


def test_figures(server: Serving) -> None:
    """Every image that is scored and without an answer is counted once, at the threshold asked for."""
    told = look(server)
    assert (told["threshold"], told["checkpoint"], told["unscored"], told["drawn"]) == (0.4, 5, UNSCORED, 0)
    above = [image for image in range(IMAGES - UNSCORED) if image / 39 >= 0.4 and image != 20]
    assert told["positive"] == len(above)
    assert told["positive"] + told["negative"] == IMAGES - UNSCORED - 2 == sum(told["histogram"])
    assert (told["precision"], told["recall"], told["standing"], told["writing"]) == (None, None, None, None)
    assert len(told["histogram"]) == 50
    assert look(server, "threshold=0")["negative"] == 0
    assert look(server, "threshold=1")["positive"] == 0
    low, high = 0.1 / 0.7, 0.8 / 1.1  # a quarter of the odds at 0.4, and four times as much
    inside = [image for image in range(IMAGES - UNSCORED) if low <= image / 39 <= high and image != 20]
    doubtful = {"low": pytest.approx(low), "high": pytest.approx(high), "images": len(inside), "next": len(inside)}
    assert told["doubtful"] == doubtful
    assert look(server, "low=0.5&high=0.6")["doubtful"]["images"] == 3
    assert server.client.get("/api/finish?threshold=2").status_code == 422


def test_examples(server: Serving) -> None:
    """Each strip holds what it says, no image is in two of them, and none has an answer."""
    told = look(server, "threshold=0.5")
    strips = {name: [example["image"] for example in strip] for name, strip in told["examples"].items()}
    assert strips["at"] == [24, 23, 22, 21, 19, 18, 17, 16]
    assert strips["above"][0] == 36
    assert strips["below"][-1] == 1
    everything = [image for strip in strips.values() for image in strip]
    assert len(set(everything)) == len(everything) == 24
    assert not {0, 20} & set(everything)
    for example in told["examples"]["above"]:
        assert example["probability"] == pytest.approx(example["image"] / 39)
        assert example["version"] == server.session.images.version(example["image"])


def test_before_there_is_a_model(tmp_path: Path, folder: Path) -> None:
    """Nothing can be labelled, and that is said."""
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES)
        assert look(server)["checkpoint"] is None
        for route, body in (("", {"threshold": 0.5, "checkpoint": 1}), ("/doubtful", {"low": 0, "high": 1})):
            answer = server.client.post(f"/api/finish{route}", json=body)
            assert (answer.status_code, answer.json()["detail"]) == (
                409,
                "There is no model yet that could label anything.",
            )
        assert server.client.post("/api/finish/undo").status_code == 409


def test_an_export_calls_no_label_of_the_model_an_answer(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last sentence of the command counts what people said and what the model said apart."""
    finish(server)
    export = command_of(export_main, monkeypatch, capsys)
    run, to = tmp_path / "run", tmp_path / "a.csv"
    said = f"2 answers and {IMAGES - UNSCORED - 2} labels of the model in {to}\n"
    assert said in export(run, "--format", "csv", "--to", to)


def test_finish_and_undo(server: Serving, tmp_path: Path) -> None:
    """The rest is labelled apart from people's answers; correcting one image counts; undo takes it all away."""
    people = {"00.png": False, "20.png": None}
    told = look(server)
    done = finish(server)
    assert (done["positives"], done["negatives"]) == (told["positive"], told["negative"])
    status = server.client.get("/api/status").json()
    assert status["finished"] == done | {"state": "standing"}
    assert (status["positives"], status["negatives"], status["skipped"]) == (0, 1, 1)
    assert status["left"] == IMAGES - 2
    rows = exported(server)
    assert len(rows) == IMAGES - UNSCORED
    assert {path for path, row in rows.items() if row["source"] != "model"} == {"00.png", "20.png"}
    labelled = rows["36.png"]
    assert (labelled["label"], labelled["checkpoint"], labelled["audit"], labelled["shown_ms"]) == (
        "positive",
        "5",
        "false",
        "",
    )
    assert float(labelled["probability"]) == pytest.approx(36 / 39)
    assert labelled["time"] == done["time"]
    assert rows["01.png"]["label"] == "negative"
    lines = server.client.get("/api/export?format=jsonl").text.splitlines()
    assert [json.loads(line)["path"] for line in lines] == list(rows)
    server.answer(36, "negative")
    assert exported(server)["36.png"]["source"] == "api"
    server.client.post("/api/undo", json={"client": "api"})
    assert exported(server)["36.png"]["source"] == "model"
    until(lambda: published(tmp_path / "run") == people)
    assert server.client.get("/api/annotations").json()["total"] == 2
    assert server.client.get("/api/statistics").json()["answers"] == 1
    assert server.client.post("/api/finish/undo").json()["state"] == "undone"
    assert set(exported(server)) == {"00.png", "20.png"}
    assert server.client.get("/api/status").json()["finished"] is None
    assert server.client.post("/api/finish/undo").status_code == 409


def test_a_decision_is_about_what_was_seen(server: Serving) -> None:
    """If the model has learnt meanwhile nothing is labelled; the same request again is the same finish."""
    body = {"threshold": 0.4, "checkpoint": 5, "id": str(uuid.uuid4()), "anyway": True}
    first = server.client.post("/api/finish", json=body).json()
    until(lambda: server.client.get("/api/status").json()["finished"])
    predict(server, generation=6)
    again = server.client.post("/api/finish", json=body)
    assert (again.status_code, again.json()) == (202, first | {"state": "standing"})
    other = server.client.post("/api/finish", json=body | {"id": str(uuid.uuid4())})
    assert (other.status_code, other.json()["detail"]) == (
        409,
        "The model has learnt since; look at its figures again.",
    )
    for wrong in ({"threshold": 2}, {"checkpoint": -1}, {"id": "x"}, {"more": 1}):
        assert server.client.post("/api/finish", json=body | wrong).status_code == 422


def test_the_band_comes_next(server: Serving) -> None:
    """The doubtful images are asked before all others, the nearest to the threshold first."""
    body = {"low": 0.45, "high": 0.6, "threshold": 0.52}
    assert server.client.post("/api/finish/doubtful", json=body).json()["images"] == 5
    asked = server.client.get("/api/queue?count=7&client=me").json()["images"]
    assert [image["image"] for image in asked[:5]] == [21, 19, 22, 18, 23]
    assert asked[0]["probability"] == pytest.approx(21 / 39)
    assert not {image["image"] for image in asked[5:]} & {18, 19, 21, 22, 23}
    server.answer(21, "negative")
    told = server.client.get("/api/status").json()["asked_first"]
    assert told == {"why": "doubtful", "images": 5, "left": 4}


def test_the_band_drops_what_leaves_it(server: Serving) -> None:
    """When the model has learnt, what it is sure of is asked no more; the others follow the new probabilities."""
    body = {"low": 0.45, "high": 0.6, "threshold": 0.52}
    server.client.post("/api/finish/doubtful", json=body)
    server.answer(21, "negative")
    predict(server, generation=6, least=0.2)  # 22 and 23 have left the band
    asked = server.client.get("/api/queue?count=3&client=me").json()["images"]
    assert [image["image"] for image in asked[:2]] == [18, 19]
    assert asked[2]["image"] not in {22, 23}
    told = server.client.get("/api/status").json()["asked_first"]
    assert told == {"why": "doubtful", "images": 5, "left": 2}
    predict(server, generation=7, least=0.7)
    assert server.client.get("/api/status").json()["asked_first"] == {"why": "doubtful", "images": 5, "left": 0}
    predict(server, generation=8, least=0.2)
    assert server.client.get("/api/status").json()["asked_first"]["left"] == 2


def test_the_band_does_not_depend_on_the_draw(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same whether an image was drawn and answered or not: it becomes what the model asks."""
    monkeypatch.setattr("backend.session.auditing.AUDIT_FROM", 0)
    monkeypatch.setattr("backend.questions.doubtful.EACH_SIDE", 4)
    with serving(tmp_path / "run", folder, audit=1.0) as server:
        until(lambda: server.session.queue.left == IMAGES)
        predict(server)
        band = Doubtful.around(0.4)

        def to_ask() -> list[int]:
            rest = server.session.auditing.unreviewed()
            assert rest is not None
            return [int(image) for image in rest.order(band)]

        before, told = to_ask(), look(server)["doubtful"]
        assert (len(before), told["next"]) == (8, 8)
        for _ in range(30):
            [asked] = server.client.get("/api/queue?count=1&client=me").json()["images"]
            server.answer(asked["image"], "negative", client="me")
        assert to_ask() == before
        now = look(server)["doubtful"]
        assert (now["low"], now["high"]) == (told["low"], told["high"])
        assert now["next"] < told["next"]


@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.5, 0.9, 1.0])
def test_a_band_lies_around_its_threshold(threshold: float) -> None:
    """At most 100 of the rest on either side, the nearest first; what is far away is none of it."""
    probability = np.random.default_rng(0).random(3000).astype(np.float32) ** 3
    rest = np.arange(3000) % 3 > 0
    probability[:100] = np.nan
    band = Doubtful.around(threshold)
    images = band.to_ask(probability, rest)
    asked, chances = images[rest[images]], probability[images]
    assert band.holds(chances).all()
    for side in (probability[asked] >= np.float32(threshold), probability[asked] < np.float32(threshold)):
        assert int(side.sum()) <= 100
    if threshold == 0.5:
        assert band.low == pytest.approx(0.2)
        assert band.high == pytest.approx(0.8)
        assert len(asked) == 200
        distance = np.abs(np.log(chances / (1 - chances)))
        assert (np.diff(distance) > -1e-5).all()
    assert not Doubtful.around(0.5).holds(np.array([0.01, 0.99, np.nan], np.float32)).any()


def test_a_band_of_equals() -> None:
    """Where all have the same probability the first 100 of the rest are asked, not all of them."""
    images = Doubtful.around(0.5).to_ask(np.full(1000, 0.5, np.float32), np.arange(1000) >= 300)
    assert images.tolist() == list(range(400))


def answer_next(server: Serving, label: str, client: str = "me") -> int:
    """Answer what is asked next."""
    [asked] = server.client.get(f"/api/queue?count=1&client={client}").json()["images"]
    assert server.answer(asked["image"], label, client=client).status_code == 201
    number: int = asked["image"]
    return number


def test_off_until_random_answers_tell(tmp_path: Path, folder: Path) -> None:
    """Even without an audit: so many are drawn as it takes, none is learnt, and then the usual questions come again."""
    body = {"threshold": 0.4, "checkpoint": 5}
    with serving(tmp_path / "run", folder, audit=0.0) as server:
        until(lambda: server.session.queue.left == IMAGES)
        assert look(server)["random"] == {"answered": 0, "needed": 8}
        predict(server)
        refused = server.client.post("/api/finish", json=body)
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith(
            "Nobody can tell yet how right that would be: 8 more random answers are needed; answer them first "
        )
        server.client.post("/api/finish/doubtful", json={"low": 0, "high": 1})
        told = server.client.put("/api/audit", json={"share": 1, "until": 8}).json()
        assert (told["share"], told["after"], told["until"]) == (1, 0, 8)
        first = [answer_next(server, "negative") for _ in range(3)]
        assert server.client.get("/api/status").json()["asked_first"] == {"why": "random", "images": 8, "left": 5}
    with serving(tmp_path / "run", folder, audit=None) as server:
        until(lambda: server.session.queue.left == IMAGES - 3)
        answer_next(server, "skipped")  # is no answer, and leaves the rest
        drawn = [*first, *(answer_next(server, "negative") for _ in range(5))]
        server.client.get("/api/queue?count=1&client=me")
        status = server.client.get("/api/status").json()
        assert status["asked_first"] == {"why": "random", "images": 8, "left": 0}
        assert (status["audit"]["share"], status["audit"]["until"]) == (0, None)
        assert look(server)["random"] == {"answered": 8, "needed": 7}
        assert look(server)["drawn"] == 8
        until(lambda: len(published(tmp_path / "run")) == 9)
        asked = {Path(path).stem for path in read_learnable(tmp_path / "run")}
        assert not asked & {f"{image:02d}" for image in drawn}
        assert server.client.post("/api/finish", json=body).status_code == 202


def test_random_answers_that_cannot_be_had_are_not_demanded(server: Serving) -> None:
    """An image that somebody keeps holds up nobody, and the last few images are labelled without any."""
    server.client.put("/api/audit", json={"share": 1, "until": 8})
    server.client.get("/api/queue?count=1&client=idle")
    for _ in range(8):
        answer_next(server, "negative")
    told = look(server)
    assert told["random"] == {"answered": 0, "needed": 7}  # they lie behind the one that is kept
    assert told["drawn"] == 0
    for _ in range(8):
        answer_next(server, "negative")
    assert look(server)["random"] == {"answered": 16, "needed": 7}
    assert server.session.auditing.audit().random_left(8) == 0
    server.client.put("/api/audit", json={"share": 0})
    for image in [image for image in range(IMAGES - UNSCORED) if server.session.queue.states.is_open(image)][3:]:
        server.answer(image, "negative")
    for image in range(IMAGES - UNSCORED, IMAGES):
        server.answer(image, "negative")
    assert look(server)["random"]["needed"] <= look(server)["random"]["answered"]
    until(lambda: server.session.queue.left == 3)
    assert server.client.post("/api/finish", json={"threshold": 0.4, "checkpoint": 5}).status_code == 202


def test_another_wish_ends_the_random_questions(server: Serving) -> None:
    """Whoever asks for the doubtful ones then gets these."""
    server.client.put("/api/audit", json={"share": 1, "until": 8})
    server.client.post("/api/finish/doubtful", json={"low": 0.45, "high": 0.6, "threshold": 0.52})
    asked = server.client.get("/api/queue?count=2&client=me").json()["images"]
    assert [image["image"] for image in asked] == [21, 19]
    assert server.client.get("/api/status").json()["audit"]["until"] is None
    assert server.client.put("/api/audit", json={"share": 1, "until": 0}).status_code == 422


def test_how_right_it_would_be(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals are of the images that get the model's label: what was drawn is known, and has its answer."""
    monkeypatch.setattr("backend.session.auditing.AUDIT_FROM", 0)
    with serving(tmp_path / "run", folder, audit=1.0) as server:
        until(lambda: server.session.queue.left == IMAGES)
        predict(server)
        for _ in range(IMAGES - 1):
            [asked] = server.client.get("/api/queue?count=1&client=me").json()["images"]
            server.answer(asked["image"], "positive" if asked["image"] % 2 else "negative", client="me")
        [left] = server.session.queue.head(1)
        told = look(server, f"threshold={0 if left < IMAGES - UNSCORED else 1}")
        assert told["drawn"] == IMAGES - 1
        if left < IMAGES - UNSCORED:
            assert told["positive"] == 1
            assert (told["precision"]["low"], told["precision"]["high"]) == (0, 1)
            assert told["precision"]["of"] == IMAGES - UNSCORED - 1
        assert told["recall"]["low"] >= 19 / 21


def test_too_few_drawn_above_the_threshold(
    tmp_path: Path, folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random answers are there, but hardly one above the threshold: nobody knows how right that is, and it is said."""
    monkeypatch.setattr("backend.session.auditing.AUDIT_FROM", 0)
    with serving(tmp_path / "run", folder, audit=1.0) as server:
        until(lambda: server.session.queue.left == IMAGES)
        predict(server)
        answered = {answer_next(server, "negative") for _ in range(20)}
        few = []
        for least in range(1, IMAGES - UNSCORED):
            threshold = (least - 0.5) / 39
            above = set(range(least, IMAGES - UNSCORED))
            told = look(server, f"threshold={threshold}")
            drawn, positive = len(above & answered), len(above - answered)
            assert (told["drawn_positive"], told["positive"]) == (drawn, positive)
            assert told["positive_known"] == (drawn >= 5 or positive == 0)
            if positive and not told["positive_known"]:
                few.append((threshold, drawn, positive))
        server.session.model_labels.close()
        server.session.labels.close()
        threshold, drawn, positive = few[0]
        assert drawn == 4
        unknown = f"Nobody knows how right these {positive} positive labels are: only 4 random answers are about what "
        for option in ("--dry-run", "--anyway"):
            told_by_command = command(tmp_path / "run", "--threshold", str(threshold), option)
            assert unknown in told_by_command
            assert "Of those that become positive" not in told_by_command
        assert "Nobody knows" not in command(tmp_path / "run", "--threshold", "0.1", "--dry-run")


def test_a_division_as_the_labels_stand() -> None:
    """By hand: 10 of 30 drawn above, 8 right; 20 of 100 drawn below, 1 positive."""
    division = Division(5, Sample(30, 10, 8), Sample(100, 20, 1))
    low, high = Sample(30, 10, 8).interval()
    assert division.labelled_precision() == ((low - 8) / 20, (high - 8) / 20)
    precision = division.precision()
    assert precision == (low / 30, high / 30)
    recall = division.labelled_recall()
    before = division.recall()
    assert recall is not None
    assert before is not None
    assert recall[0] > before[0]
    (right_low, right_high) = Sample(30, 10, 8).interval(0.975)
    (missed_low, missed_high) = Sample(100, 20, 1).interval(0.975)
    assert recall == (
        (6 + right_low) / (5 + right_low + missed_high),
        (6 + right_high) / (5 + right_high + missed_low),
    )
    assert Division(0, Sample(3, 3, 2), Sample(5, 0, 0)).labelled_precision() is None


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return command_of(main, monkeypatch, capsys)


def test_on_the_command_line(server: Serving, command: Command, tmp_path: Path, folder: Path) -> None:
    """While a session is open only a dry run works, and says what the page says; afterwards it labels and undoes."""
    run = tmp_path / "run"
    told = look(server)
    dry = command(run, "--dry-run")
    assert f"{told['positive']} images become positive, {told['negative']} become negative" in dry
    assert f"{UNSCORED} images get no label" in dry
    assert f"{told['doubtful']['images']} of them are doubtful" in dry
    assert "Nobody can tell how right that is: no image was drawn at random yet\n" in dry
    assert dry.endswith(
        "Nothing was stored. Without --dry-run it would be refused: 7 more random answers are needed "
        "(--anyway stores all the same).\n"
    )
    assert command(run, "--dry-run", "--anyway").endswith("Without --dry-run the labels would be stored.\n")
    with locks.hold(run, "session"):
        assert "is open in a session; end that first, then finish." in command(run)
        assert "end that first, then undo." in command(run, "--undo")
    server.session.model_labels.close()
    server.session.labels.close()
    refused = command(run, "--threshold", "0.9")
    assert refused.startswith("mistake: Nobody can tell yet how right that would be: 7 more random answers are needed;")
    assert "There are no labels of the model" in command(run, "--undo")
    assert "1 image becomes positive, 34 become negative\n" in command(run, "--threshold", "0.9", "--anyway")
    labels = Labels(run)
    model = ModelLabels(labels.database)
    assert model.standing is not None
    assert (model.standing.threshold, model.standing.checkpoint, model.standing.positives) == (0.9, 5, 1)
    model.close()
    labels.close()
    assert "35 labels of the model are taken away" in command(run, "--undo")
    assert "There are no labels of the model" in command(run, "--undo")
    assert "none." in command(run, "--threshold", "2")
    assert "no run that was ever started" in command(tmp_path / "nothing")
    for number in range(0, IMAGES, 2):
        (folder / f"{number:02d}.png").unlink()
    assert "become negative" in command(run, "--dry-run")
    assert command(run, "--dry-run").startswith(f"{sum(1 for i in range(1, 37, 2) if i / 39 >= 0.4)} images")


def test_tiles_on_the_command_line(command: Command, tmp_path: Path, folder: Path) -> None:
    """The command says of tiles what the page says, and labels as many; those of a photo that went are not there."""
    for number in range(IMAGES // 2, IMAGES):
        (folder / f"{number:02d}.png").unlink()
    with serving(tmp_path / "run", folder, tile="2x1") as server:
        until(lambda: server.session.queue.left == IMAGES)
        predict(server)
        told = look(server)
        (folder / "00.png").unlink()
        until(lambda: server.session.queue.left == IMAGES - 2)
    assert command(tmp_path / "run", "--dry-run").startswith(
        f"{told['positive']} tiles become positive, {told['negative'] - 2} become negative"
    )
    command(tmp_path / "run", "--anyway")
    assert f"{IMAGES - UNSCORED - 2} labels of the model" in command(tmp_path / "run", "--undo")


def test_copied_and_not_imported(server: Serving, tmp_path: Path, folder: Path) -> None:
    """A copy of the run has the model's labels; annotations.pickle, which is what is imported, has none of them."""
    finish(server)
    rows = exported(server)
    back_up(tmp_path / "run", tmp_path / "copy")
    with serving(tmp_path / "copy", folder) as copy:
        assert exported(copy) == rows
        assert copy.client.get("/api/status").json()["finished"]["positives"] > 0
    until(lambda: len(published(tmp_path / "run")) == 2)
    with serving(tmp_path / "other", folder) as other:
        until(lambda: other.session.queue.left == IMAGES)
    planned = import_labels(tmp_path / "other", lambda _: read_labelled(tmp_path / "run" / "annotations.pickle"))
    assert set(planned.fresh) == {"00.png", "20.png"}


def test_after_a_restart(tmp_path: Path, folder: Path) -> None:
    """What stood stands."""
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES)
        predict(server)
        finish(server)
        rows, told = exported(server), server.client.get("/api/status").json()["finished"]
    with serving(tmp_path / "run", folder) as server:
        assert exported(server) == rows
        assert server.client.get("/api/status").json()["finished"] == told


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    """As a process: exit code 2 and one sentence."""
    given = [sys.executable, "-m", "backend.finish", str(tmp_path / "nothing")]
    ended = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1

"""The files between the processes: replaced as a whole, read without trust, watched."""

import dataclasses
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from IA import protocol
from IA.protocol import (
    ANNOTATIONS,
    DUPLICATES,
    EXPLANATIONS,
    FEATURES,
    FINE_TUNING,
    HELD_OUT,
    IMAGES,
    PREDICTIONS,
    RANKING,
    SETTINGS,
    SIMILAR,
    WANTED,
    Duplicates,
    Explanations,
    Features,
    FineTuning,
    Latest,
    Predictions,
    Ranking,
    Settings,
    Similar,
    Wanted,
)
from tests.serving import until

TWO: dict[str, bool | None] = {"b": False, "a": True}
FLOATS = np.array([0.5, np.nan], np.float32)
EXPLAINED = Explanations(
    3,
    np.array([4, 0], np.int32),
    np.array([1, 2, 0, 0], np.int32),
    np.array([-127, 5], np.int8),
    np.array([3, 2, -1, 1, -1, -1] * 2, np.int32),
    np.array([1, 0.5, 0, -0.5, 0, 0] * 2, np.float32),
)
SIMILAR_TO_IT = Similar("1d", np.array([4, 0], np.int32), np.array([1, -0.5], np.float32))
EXAMPLES: list[tuple[protocol.PickleFile[Any], Any]] = [
    (SETTINGS, Settings("/data", "tiny", "max_prob", "hat", "no hat", "1d")),
    (IMAGES, ["a.jpg", "späte\nÜbung.png", "\udcff.jpg"]),
    (ANNOTATIONS, {"a.jpg": True, "b.jpg": False, "c.jpg": None}),
    (FINE_TUNING, FineTuning("f" * 16, 500, 0.5, 0.75, 0.9, True)),
    (HELD_OUT, {"a.jpg": 0.25, "\udcff.jpg": 1.0}),
    (DUPLICATES, Duplicates(np.array([0, 0, 2], np.int32))),
    (FEATURES, Features("f" * 16, 2, np.zeros(3, np.float32), np.zeros(6, np.float32), True)),
    (PREDICTIONS, Predictions(FLOATS, FLOATS, np.array([1], np.int32), 2, 1, None)),
    (PREDICTIONS, Predictions(FLOATS, FLOATS, np.array([1], np.int32), 2, 1, None, 0, FLOATS)),
    (RANKING, Ranking(np.array([1, 0], np.int32), FLOATS, 7, "entropy", 3)),
    (EXPLANATIONS, EXPLAINED),
    (WANTED, Wanted(3, "1d")),
    (SIMILAR, SIMILAR_TO_IT),
]


@pytest.mark.parametrize(
    "wrong",
    [
        {"request": 3},
        {"images": np.array([4], np.int32)},
        {"images": np.array([4, -1], np.int32)},
        {"cosine": np.array([0, 1.5], np.float32)},
        {"cosine": np.array([0, np.nan], np.float32)},
        {"images": np.zeros(201, np.int32), "cosine": np.zeros(201, np.float32)},
    ],
)
def test_what_is_similar_fits_together(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Numbers that are none, cosines that are none, and more than may be told are refused."""
    protocol.publish(tmp_path, SIMILAR, dataclasses.replace(SIMILAR_TO_IT, **wrong))
    with pytest.raises(ValueError, match=r"similar\.pickle"):
        protocol.read(tmp_path, SIMILAR)


@pytest.mark.parametrize("similarity", [[0.5], [0.5, 1.5]])
def test_similarity_is_a_cosine_for_each_image(tmp_path: Path, similarity: list[float]) -> None:
    """Predictions with another number of similarities than images, or one beyond 1, are refused."""
    wrong = Predictions(FLOATS, FLOATS, np.array([1], np.int32), 2, 1, None, 0, np.array(similarity, np.float32))
    protocol.publish(tmp_path, PREDICTIONS, wrong)
    with pytest.raises(ValueError, match=r"predictions\.pickle"):
        protocol.read(tmp_path, PREDICTIONS)


@pytest.mark.parametrize("first", [[1, 2, 2], [0, 3], [-1], [0] * 101])
def test_groups_of_duplicates_stand_by_one_of_them(tmp_path: Path, first: list[int]) -> None:
    """Neither a chain, nor an image that is not there, nor more than a question may be about."""
    protocol.publish(tmp_path, DUPLICATES, Duplicates(np.array(first, np.int32)))
    with pytest.raises(ValueError, match=r"duplicates\.pickle"):
        protocol.read(tmp_path, DUPLICATES)


@pytest.mark.parametrize(("file", "content"), EXAMPLES, ids=[file.name for file, _ in EXAMPLES])
def test_round_trip(tmp_path: Path, file: protocol.PickleFile[Any], content: object) -> None:
    """What is published is what is read, and generations count up."""
    assert protocol.publish(tmp_path, file, content) == 1
    assert protocol.publish(tmp_path, file, content) == 2
    version = protocol.read(tmp_path, file)
    assert version.generation == 2
    assert file.pack(version.content) == file.pack(content)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_plain_pickle_reads_the_answers(tmp_path: Path) -> None:
    """A user's three lines read annotations.pickle with plain pickle."""
    protocol.publish(tmp_path, ANNOTATIONS, TWO)
    with (tmp_path / "annotations.pickle").open("rb") as file:
        assert list(pickle.load(file).items()) == [("b", False), ("a", True)]


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=300, deadline=None)
def test_a_flipped_bit_is_refused(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    """No single flipped bit loads."""
    run = tmp_path_factory.getbasetemp()
    answers: dict[str, bool | None] = {f"{number}.jpg": bool(number % 3) for number in range(20)}
    protocol.publish(run, ANNOTATIONS, answers)
    path = run / ANNOTATIONS.name
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"annotations\.pickle"):
        protocol.read(run, ANNOTATIONS)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    """A file cut at any byte does not load."""
    protocol.publish(tmp_path, ANNOTATIONS, {"a": True, "b": None})
    path = tmp_path / ANNOTATIONS.name
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"annotations\.pickle"):
            protocol.read(tmp_path, ANNOTATIONS)


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_code_in_a_pickle_does_not_run(tmp_path: Path) -> None:
    """A pickle that names anything but built-in types is refused, also with a right footer, and runs nothing."""
    ran = tmp_path / "ran"
    evil = protocol.PickleFile[Any](ANNOTATIONS.name, pack=lambda content: content, unpack=lambda content: content)
    protocol.publish(tmp_path, evil, {"a": Attack(f"touch {ran}")})
    with pytest.raises(ValueError, match="has no place"):
        protocol.read(tmp_path, ANNOTATIONS)
    assert not ran.exists()


@pytest.mark.parametrize("content", [[], {"a": 1}, {1: True}, None, "text"])
def test_foreign_content_is_refused(tmp_path: Path, content: object) -> None:
    """Built-in types that are not what the schema says do not load."""
    foreign = protocol.PickleFile[Any](ANNOTATIONS.name, pack=lambda content: content, unpack=lambda content: content)
    protocol.publish(tmp_path, foreign, content)
    with pytest.raises(ValueError, match="is not a good"):
        protocol.read(tmp_path, ANNOTATIONS)


@pytest.mark.parametrize("content", [[], {"a": 1}, {"a": 1.5}, {"a": float("nan")}, {1: 0.5}, {"a": None}])
def test_held_out_figures_are_probabilities(tmp_path: Path, content: object) -> None:
    """Held-out figures that are not path: probability do not load."""
    foreign = protocol.PickleFile[Any](HELD_OUT.name, pack=lambda content: content, unpack=lambda content: content)
    protocol.publish(tmp_path, foreign, content)
    with pytest.raises(ValueError, match="is not a good"):
        protocol.read(tmp_path, HELD_OUT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"checkpoint": -1},
        {"images": np.array([4, -1], np.int32)},
        {"images": np.array([4], np.int32)},
        {"shapes": np.array([2, 2, 0, 0], np.int32)},
        {"shapes": np.array([-1, -2, 0, 0], np.int32)},
        {"shapes": np.array([1, 2], np.int32)},
        {"maps": np.array([-128, 5], np.int8)},
        {"neighbours": np.array([-2] * 12, np.int32)},
        {"neighbours": np.array([3] * 11, np.int32)},
        {"similarity": np.array([np.nan] * 12, np.float32)},
        {"similarity": np.array([1.5] * 12, np.float32)},
    ],
    ids=str,
)
def test_explanations_fit_together(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Explanations whose parts do not fit each other, or say what cannot be, do not load."""
    protocol.publish(tmp_path, EXPLANATIONS, dataclasses.replace(EXPLAINED, **wrong))
    with pytest.raises(ValueError, match="is not a good"):
        protocol.read(tmp_path, EXPLANATIONS)


def test_the_last_good_version_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A torn file is one warning, and the last good version stays in force until a good one comes."""
    latest = Latest(tmp_path, IMAGES)
    assert latest.version() is None
    protocol.publish(tmp_path, IMAGES, ["a.jpg"])
    assert latest.content() == ["a.jpg"]
    protocol.replace(tmp_path / IMAGES.name, b"torn")
    with caplog.at_level(logging.WARNING):
        assert latest.content() == ["a.jpg"]
        assert latest.content() == ["a.jpg"]
    assert len(caplog.records) == 1
    protocol.publish(tmp_path, IMAGES, ["a.jpg", "b.jpg"])
    assert latest.content() == ["a.jpg", "b.jpg"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails leaves the old version in place and no temporary behind."""
    protocol.publish(tmp_path, IMAGES, ["a.jpg"])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        protocol.publish(tmp_path, IMAGES, ["b.jpg"])
    assert protocol.read(tmp_path, IMAGES).content == ["a.jpg"]
    assert [path.name for path in tmp_path.iterdir()] == [IMAGES.name]


def test_leftovers_are_swept(tmp_path: Path) -> None:
    """Temporaries of a dead writer go; those of other files stay."""
    (tmp_path / ".ranking.pickle.1234.tmp").touch()
    (tmp_path / ".images.pickle.1234.tmp").touch()
    protocol.sweep(tmp_path, RANKING.name)
    assert [path.name for path in tmp_path.iterdir()] == [".images.pickle.1234.tmp"]


def test_changes_are_noticed(tmp_path: Path) -> None:
    """A watcher is told at once, then of each replacement, and not of other files or of reading."""
    stop = threading.Event()
    turns = threading.Semaphore(0)

    def watch() -> None:
        for _ in protocol.changes(tmp_path, IMAGES.name, stop=stop, poll_s=0.05):
            turns.release()

    thread = threading.Thread(target=watch)
    thread.start()
    assert turns.acquire(timeout=10)
    protocol.publish(tmp_path, IMAGES, ["a.jpg"])
    assert turns.acquire(timeout=10)
    while turns.acquire(timeout=0.3):
        pass  # creation and replacement may be two turns
    protocol.publish(tmp_path, ANNOTATIONS, {})
    protocol.read(tmp_path, IMAGES)
    assert not turns.acquire(timeout=0.3)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_changes_without_a_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system cannot watch, a look now and then finds the change."""

    def exhausted(*_: object, **__: object) -> None:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", exhausted)
    stop = threading.Event()
    turns = protocol.changes(tmp_path, IMAGES.name, stop=stop, poll_s=0.01)
    next(turns)
    protocol.publish(tmp_path, IMAGES, ["a.jpg"])
    next(turns)
    stop.set()
    assert next(turns, None) is None


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """A loop's lock is held by one process at a time, and free again when that is killed."""
    script = (
        "import sys, pathlib, signal; from IA import protocol\n"
        "with protocol.hold(pathlib.Path(sys.argv[1]), 'trainer') as held:\n"
        "    print(held, flush=True); signal.pause()"
    )
    root = Path(protocol.__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        assert protocol.is_held(tmp_path, "trainer")
        with protocol.hold(tmp_path, "trainer") as held:
            assert not held
        child.send_signal(signal.SIGKILL)
        child.wait()
    until(lambda: not protocol.is_held(tmp_path, "trainer"))
    with protocol.hold(tmp_path, "trainer") as held:
        assert held


def test_what_could_not_be_read_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A read that the machine refuses is one warning, and the file is read as soon as that is over."""
    latest = Latest(tmp_path, IMAGES)
    protocol.publish(tmp_path, IMAGES, ["a.jpg"])

    def exhausted(*_: object) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", exhausted)
        assert latest.content() is None
        assert latest.content() is None
    assert latest.content() == ["a.jpg"]
    assert len(caplog.records) == 1


def test_a_turn_is_taken_now_and_then(tmp_path: Path) -> None:
    """Also where nothing changes: what has failed is tried again."""
    stop = threading.Event()
    turns = protocol.changes(tmp_path, IMAGES.name, stop=stop, poll_s=0.01, again_s=0.01)
    for _ in range(3):
        next(turns)
    stop.set()
    assert next(turns, None) is None

"""One pickle: read with plain pickle, and never believed when it is torn, flipped or foreign."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from IA.protocol import pickle_file
from IA.protocol.files import ANNOTATIONS
from tests.examples import examples

TWO: dict[str, bool | None] = {"b": False, "a": True}


def test_plain_pickle_reads_the_answers(tmp_path: Path) -> None:
    """A user's three lines read annotations.pickle with plain pickle."""
    pickle_file.publish(tmp_path, ANNOTATIONS, TWO)
    with (tmp_path / "annotations.pickle").open("rb") as file:
        assert list(pickle.load(file).items()) == [("b", False), ("a", True)]


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=examples(300), deadline=None)
def test_a_flipped_bit_is_refused(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    """A pickle in which a single bit was flipped does not load."""
    run = tmp_path_factory.getbasetemp()
    answers: dict[str, bool | None] = {f"{number}.jpg": bool(number % 3) for number in range(20)}
    pickle_file.publish(run, ANNOTATIONS, answers)
    path = run / ANNOTATIONS.name
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"annotations\.pickle"):
        pickle_file.read(run, ANNOTATIONS)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    """A file cut at any byte does not load."""
    pickle_file.publish(tmp_path, ANNOTATIONS, {"a": True, "b": None})
    path = tmp_path / ANNOTATIONS.name
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"annotations\.pickle"):
            pickle_file.read(tmp_path, ANNOTATIONS)


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_code_in_a_pickle_does_not_run(tmp_path: Path) -> None:
    """A pickle that names anything but built-in types is refused and runs nothing, even with a right footer."""
    ran = tmp_path / "ran"
    evil = pickle_file.PickleFile[Any](ANNOTATIONS.name, pack=lambda content: content, unpack=lambda content: content)
    pickle_file.publish(tmp_path, evil, {"a": Attack(f"touch {ran}")})
    with pytest.raises(ValueError, match="has no place"):
        pickle_file.read(tmp_path, ANNOTATIONS)
    assert not ran.exists()


@pytest.mark.parametrize("content", [[], {"a": 1}, {1: True}, None, "text"])
def test_foreign_content_is_refused(tmp_path: Path, content: object) -> None:
    """Built-in types that are not what the file may hold do not load."""
    foreign = pickle_file.PickleFile[Any](
        ANNOTATIONS.name, pack=lambda content: content, unpack=lambda content: content
    )
    pickle_file.publish(tmp_path, foreign, content)
    with pytest.raises(ValueError, match="is not a good"):
        pickle_file.read(tmp_path, ANNOTATIONS)

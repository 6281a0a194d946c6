"""The quick part of files that lie; `python -m tests.faults files` tries each byte."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from IA.embedding.cache import Embeddings
from IA.protocol import archive, opcodes, pickle_file
from tests.faults import files
from tests.faults.report import Row
from tests.IA.protocol.test_files import EXAMPLES

SCALE = 0.004


@pytest.fixture(autouse=True)
def small_and_quiet(tiny_network: str) -> Iterator[None]:
    """A small network, one thread, and no thousand warnings."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with files.quiet():
        yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize(
    "row",
    [
        files.pickles_cut,
        files.pickles_flipped,
        files.checkpoints_cut,
        files.checkpoints_flipped,
        files.embeddings_cut,
        files.embeddings_flipped,
        files.embeddings_flipped_in_use,
        files.previews,
        files.answers_cut,
        files.answers_flipped,
        files.log_flipped,
    ],
)
def test_some_lies(row: Callable[[float], Row]) -> None:
    """Cut and flipped files are never believed."""
    told = row(SCALE)
    assert told.is_met, told


@pytest.mark.slow
@pytest.mark.parametrize("row", [files.pickles_forged, files.checkpoints_forged, files.not_finite, files.odd_texts])
def test_all_forgeries(row: Callable[[], Row]) -> None:
    """Forged files are refused, run nothing, and take little memory."""
    told = row()
    assert told.is_met, told


def _unchecked_footer(path: Path) -> tuple[bytes, int]:
    return path.read_bytes(), 1


def _no_check(*_: object, **__: object) -> None:
    pass


def _same_sum(cache: Embeddings, words: Any, keys: Any) -> Any:
    return words[:, -1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "owner", "name", "instead", "scale"),
    [
        (files.pickles_flipped, pickle_file, "whole", _unchecked_footer, 0.02),
        (files.checkpoints_flipped, archive, "check", _no_check, 0.02),
        (files.embeddings_flipped, Embeddings, "checksums", _same_sum, 0.02),
        (files.embeddings_flipped_in_use, Embeddings, "checksums", _same_sum, 0.02),
        (files.answers_flipped, "backend.store.schema", "check", _no_check, 0.02),
        (files.log_flipped, "backend.store.table", "unheard_of", lambda *_: {}, 0.01),
    ],
)
def test_the_lies_are_seen(
    monkeypatch: pytest.MonkeyPatch, row: Callable[[float], Row], owner: Any, name: str, instead: Any, scale: float
) -> None:
    """Without the protection in question the bar is not reached: the harness can fail."""
    if isinstance(owner, str):
        monkeypatch.setattr(f"{owner}.{name}", instead)
    else:
        monkeypatch.setattr(owner, name, instead)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # a thread may well fail on what it is told
    told = row(scale)
    assert told.is_met is False, told


@pytest.mark.slow
def test_a_predictor_that_is_not_finite_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of weights that are no numbers."""
    monkeypatch.setattr("IA.model.check_finite", _no_check)
    assert files.not_finite().is_met is False


def test_opcodes() -> None:
    """What we write passes as a whole and at no other length."""
    for kind, content in EXAMPLES:
        with files.folder() as run:
            pickle_file.publish(run, kind, content)
            data = (run / kind.name).read_bytes()
            end = len(data) - pickle_file.FOOTER.size
            opcodes.check(data, end)
            for length in range(1, end):
                with pytest.raises((ValueError, IndexError)):
                    opcodes.check(data[:length], length)


def test_the_directory_of_a_checkpoint(tmp_path: Path) -> None:
    """A member marked as a folder, of which torch reads nothing, or one outside of the file is refused."""
    path = tmp_path / "some.ckpt"
    torch.save({"state_dict": {"a": torch.ones(3)}}, path)
    data = path.read_bytes()
    entry = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x06\x06")
    for place in (entry + 38, entry + 36, entry + 45, end + 53):
        lie = bytearray(data)
        lie[place] ^= 0x10
        path.write_bytes(lie)
        with pytest.raises(ValueError, match=r"marked|outside|torn"):
            archive.check(path)

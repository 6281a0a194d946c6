"""The quick part of `calls`: a few system calls of a real server fail, and what it said of answers holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.calls import Case, annotation_server, calls_made, start_under, try_case, work
from tests.faults.machine import injection
from tests.faults.machine.ledger import Ledger
from tests.faults.machine.process import ServerProcess

pytestmark = pytest.mark.skipif(bool(injection.missing()), reason=str(injection.missing()))

CASES = [
    Case("fdatasync", 4, "EIO", lasts=True, kills=True),  # stands whole in the log, and must not count after the kill
    Case("fdatasync", 4, "EIO", lasts=True, kills=False),
    Case("pwrite64", 9, "ENOSPC", lasts=True, kills=False),
    Case("openat", 1, "EMFILE", lasts=True, kills=False),
    Case("rename", 1, "EROFS", lasts=True, kills=True),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server in a process of its own."""
    with annotation_server(tmp_path / "here") as server:
        yield server


@pytest.mark.processes
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_call_fails(server: ServerProcess, case: Case) -> None:
    """Acknowledged is durable, refused is not counted, also after kill -9; sent again it is stored once."""
    ledger = Ledger()
    try_case(server, ledger, case)
    assert not ledger.wrong
    assert ledger.faults
    assert ledger.acknowledged
    assert server.deaths == 0


@pytest.mark.processes
def test_a_start_fails(server: ServerProcess) -> None:
    """A start that the disk refuses ends, and the next one has all answers."""
    ledger = Ledger()
    assert calls_made(server)["fdatasync"] > 1
    work(server, ledger, "before")
    server.kill()
    assert start_under(server, ledger, Case("openat", 1, "EROFS", lasts=True, kills=False)).failed
    assert not ledger.wrong
    assert server.deaths > 0

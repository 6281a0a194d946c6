"""A few power cuts on a real file system, and a disk whose fsync fails; needs root, loop devices and strace."""

import contextlib
import http.client
import json
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.deaths.crippled import FSYNCS
from tests.faults.deaths.disk import Disk, why_not
from tests.faults.deaths.nursery import Nursery
from tests.faults.deaths.served import Served
from tests.faults.power import cut
from tests.serving import until

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Has imported the server."""
    with Nursery("backend.server") as started:
        yield started


@pytest.fixture(scope="module")
def loop_device() -> None:
    """Skips where there can be none."""
    reason = why_not()
    if reason is None:
        with tempfile.TemporaryDirectory() as folder:
            disk = Disk(Path(folder))
            try:
                disk.mount()
                disk.unmount()
            except subprocess.CalledProcessError as error:
                reason = f"no loop device: {error.stderr.decode().strip()}"
    if reason is not None:
        pytest.skip(reason)


@pytest.mark.usefixtures("loop_device")
def test_power_cuts(nursery: Nursery) -> None:
    """What was acknowledged is there after each of some power cuts."""
    tally = cut(nursery, 4)
    assert not tally.harmful, tally
    assert tally.ends == 4


@pytest.mark.usefixtures("loop_device")
@pytest.mark.parametrize("without", FSYNCS[:2])  # the directory's shows in one of four cuts only: tests/faults/power.py
def test_it_can_fail(nursery: Nursery, without: str) -> None:
    """Without an fsync, something is lost before long."""
    assert any(cut(nursery, 2, without, seed).harmful for seed in range(20))


def test_an_answer_whose_fsync_failed(nursery: Nursery, tmp_path: Path) -> None:
    """It is refused as long as the disk fails, also when it is sent again; then it is stored, and counted once."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    served = Served(nursery, tmp_path / "run", tmp_path / "images", seed=0)
    served.start()
    try:
        assert served.come_up().is_good
        answer = {"image": 0, "label": "positive", "id": str(uuid.uuid4())}
        with _failing_fsync(served, tmp_path / "calls"):
            assert [_post(served, answer) for _ in range(3)] == [503] * 3
            assert served.status()["positives"] == 0
        until(lambda: _post(served, answer) == 201)
        assert (served.status()["positives"], served.status()["left"]) == (1, served.status()["images"] - 1)
    finally:
        served.end()


@contextlib.contextmanager
def _failing_fsync(served: Served, trace: Path) -> Iterator[None]:
    """Have every fsync of the server fail as long as the block lasts; skips where strace may not do that."""
    assert served.server is not None
    which = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]
    command = ["strace", "-f", *which, "-o", str(trace), "-p", str(served.server.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        try:
            if "attached" not in strace.stderr.readline():
                pytest.skip("strace may not attach")
            yield
        finally:
            strace.terminate()


def _post(served: Served, answer: dict[str, object]) -> int:
    connection = http.client.HTTPConnection(*served.place, timeout=20)
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/annotations", json.dumps(answer), headers)
    status = connection.getresponse().status
    connection.close()
    return status

"""The quick part of `environment`: the annotation server alone, in the troubles that need no other loop."""

import itertools
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.faults.calls import IMAGES, annotation_server
from tests.faults.environment import NO_INOTIFY, TOLD_BY_FILE, has_namespaces
from tests.faults.machine import mounts
from tests.faults.machine.ledger import Ledger, is_published
from tests.faults.machine.process import ServerProcess
from tests.serving import until

pytestmark = pytest.mark.processes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server in a process of its own."""
    with annotation_server(tmp_path / "here") as server:
        yield server


def answer_until(server: ServerProcess, ledger: Ledger, enough: Callable[[], bool]) -> None:
    """Answer one image after another until it is enough."""
    images = itertools.cycle(range(IMAGES))
    until(lambda: (ledger.answer(server, "me", next(images)), enough())[1])


def hold_to_it(server: ServerProcess, ledger: Ledger) -> None:
    """Send what was refused again, kill the server, and compare what it said with what is there."""
    for id, image in list(ledger.refused.items()):
        until(partial(ledger.answer, server, "me", image, again=id))
    until(lambda: is_published(server.run))
    ledger.check(server, "after the trouble")
    server.kill()
    server.wait_until_up()
    ledger.check(server, "after a kill")
    assert not ledger.wrong
    assert server.deaths == 0


def status(server: ServerProcess, what: str) -> object:
    """One entry of the status."""
    return server.client.get("/api/status").json()[what]


@pytest.mark.skipif(bool(mounts.missing()), reason=str(mounts.missing()))
def test_the_disk_is_full(tmp_path: Path) -> None:
    """Answers are refused while the disk is full, or durable; with room again they are all taken."""
    with mounts.disk(tmp_path, "disk", 16) as disk, annotation_server(disk.folder / "here") as server:
        server.wait_until_up()
        ledger = Ledger()
        disk.fill()
        answer_until(server, ledger, lambda: bool(ledger.refused))
        disk.empty()
        hold_to_it(server, ledger)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of other processes can only be set on Linux")
def test_no_descriptors_are_left(server: ServerProcess) -> None:
    """Answers are refused or durable without descriptors, and so is reading; with them all is as before."""
    server.wait_until_up()
    ledger = Ledger()
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    ledger.answer(server, "me", 0)  # taken where the database is open already; below it is held to what it said
    for path in ("/api/annotations", "/api/export", "/api/statistics"):
        assert ledger.ask(server, "GET", path, 503).json()["detail"].endswith("try again.")
    assert status(server, "left") == IMAGES - len(ledger.acknowledged)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
    assert httpx.get(f"{server.client.base_url}/", trust_env=False).status_code == 200
    hold_to_it(server, ledger)


def test_the_disk_of_the_images_is_away(server: ServerProcess) -> None:
    """An empty folder in the place of DATADIR makes nothing forgotten, also at a start; the disk is found again."""
    server.wait_until_up()
    ledger = Ledger()
    away = server.datadir.with_name("away")
    server.datadir.rename(away)
    server.datadir.mkdir()
    assert ledger.answer(server, "me", 0)
    hold_to_it(server, ledger)
    assert status(server, "images") == IMAGES
    assert status(server, "left") == IMAGES - 1
    assert server.client.get("/api/images/1").status_code == 404
    server.datadir.rmdir()
    away.rename(server.datadir)
    shutil.copy(server.datadir / "00.png", server.datadir / "new.png")
    until(lambda: status(server, "images") == IMAGES + 1)
    assert server.client.get("/api/images/1").status_code == 200
    (server.datadir / "new.png").unlink()
    until(lambda: status(server, "images") == IMAGES)


@pytest.mark.skipif(not has_namespaces(), reason="no user namespaces with limits of their own here")
def test_no_inotify_instance_is_left(server: ServerProcess) -> None:
    """What cannot be watched is looked at now and then."""
    server.start(NO_INOTIFY)
    server.wait_until_up()
    shutil.copy(server.datadir / "00.png", server.datadir / "new.png")
    until(lambda: status(server, "images") == IMAGES + 1)
    assert server.deaths == 0


def test_the_clock_goes_back(tmp_path: Path) -> None:
    """Undo and the order of answers follow what was answered, not what the clock said."""
    (tmp_path / "python").mkdir()
    shift = tmp_path / "shift"
    (tmp_path / "python" / "sitecustomize.py").write_text(TOLD_BY_FILE.format(path=str(shift)))
    with annotation_server(tmp_path / "here", {"PYTHONPATH": str(tmp_path / "python")}) as server:
        server.wait_until_up()
        ledger = Ledger()
        for image, seconds in enumerate((0, 86_400, -86_400)):
            shift.write_text(str(seconds))
            assert ledger.answer(server, "me", image)
        listed = server.client.get("/api/annotations").json()["annotations"]
        assert [answer["image"] for answer in listed] == [2, 1, 0]
        assert listed[1]["time"] > listed[2]["time"] > listed[0]["time"]
        ledger.undo(server, "me")
        assert status(server, "left") == IMAGES - 2
        hold_to_it(server, ledger)


def test_a_mount_leaves_nothing(tmp_path: Path) -> None:
    """What the tests mount is unmounted, and its loop device let go of, also when a test fails."""
    if why := mounts.missing("losetup"):
        pytest.skip(why)
    with pytest.raises(RuntimeError), mounts.disk(tmp_path, "disk", 16):
        raise RuntimeError
    listed = subprocess.run(["losetup", "-a"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in listed

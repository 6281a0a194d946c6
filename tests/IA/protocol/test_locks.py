"""A lock is held by one process, for as long as it lives."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from IA.protocol import locks
from tests.faults.machine.injection import arguments, missing
from tests.processes.suite import END_S, Suite, free_port
from tests.serving import until


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """One process at a time holds a loop's lock, and the lock is free again when that process is killed."""
    script = (
        "import sys, pathlib, signal; from IA.protocol import locks\n"
        "with locks.hold(pathlib.Path(sys.argv[1]), 'trainer') as held:\n"
        "    print(held, flush=True); signal.pause()"
    )
    root = Path(locks.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        assert locks.is_held(tmp_path, "trainer")
        with locks.hold(tmp_path, "trainer") as held:
            assert not held
        child.send_signal(signal.SIGKILL)
        child.wait()
    until(lambda: not locks.is_held(tmp_path, "trainer"))
    with locks.hold(tmp_path, "trainer") as held:
        assert held


def test_a_name_of_this_machine_stands_in_for_a_lock(tmp_path: Path) -> None:
    """On a disk without locks one process at a time holds a file, whoever opens it, until it lets go."""
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    with (tmp_path / "a").open() as file, (tmp_path / "a").open() as again, (tmp_path / "b").open() as other:
        with locks.name_of_this_machine(file):
            with pytest.raises(BlockingIOError):
                locks.name_of_this_machine(again)
            locks.name_of_this_machine(other).close()
        locks.name_of_this_machine(again).close()


@pytest.mark.processes
def test_a_disk_without_locks(tmp_path: Path, images_folder: Path) -> None:
    """A session goes on there and says so once, a second one is refused, and without SQLite's locks it ends."""
    if why := missing():
        pytest.skip(why)
    suite = Suite(tmp_path / "run", images_folder, "--no-ai")
    suite.through = _tracing(tmp_path, "flock")
    suite.start()
    try:
        assert suite.terminal().count("Its disk knows no locks") == 1
        suite.answer(0, "positive")
        assert "another session" in _refused(suite, suite.through)
    finally:
        assert suite.ctrl_c() == 0
        suite.client.close()
        assert suite.process.stdout is not None
        suite.process.stdout.close()
    assert "Traceback" not in suite.terminal()
    assert "answers cannot be kept there" in _refused(suite, _tracing(tmp_path, "fcntl", suite.run / ".session.lock"))


def _tracing(folder: Path, call: str, *paths: Path) -> list[str]:
    """Start a process as on a disk without this system call; signals go to the process itself."""
    strace, *rest = arguments(folder / "log", [call], paths, "error=ENOLCK")
    return [strace, "-D", "--seccomp-bpf", *rest]


def _refused(suite: Suite, through: list[str]) -> str:
    """The sentence with which another session on this run ends at once."""
    command = [*through, sys.executable, "-m", "backend.supervisor", "127.0.0.1", str(free_port())]
    command += [str(suite.datadir), "--run", str(suite.run), "--no-ai"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=END_S, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    return ended.stderr

"""Starting, watching and ending processes: back-off as data, real children, real signals."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from backend import reaper
from backend.checks import check, is_free, listen
from backend.children import FIRST_PAUSE_S, LONGEST_PAUSE_S, WELL_AFTER_S, BackOff, Child, Command, end_all
from backend.supervisor import set_aside
from config import Config, UsageError
from IA import protocol
from IA.protocol import SETTINGS, Settings
from tests.serving import until


class Clock:
    """A clock that a test turns."""

    now_s = 0.0

    def __call__(self) -> float:
        """The time as the test has set it."""
        return self.now_s


def child_of(script: str, clock: Clock | None = None, told: list[str] | None = None) -> Child:
    """A child that runs a line of Python."""
    command = Command("child", [sys.executable, "-c", script])
    return Child(command, dict(os.environ), (told if told is not None else []).append, clock or Clock())


def has_died(child: Child) -> bool:
    """Whether its supervisor has noticed."""
    child.keep_alive()
    return child.pid is None


def test_back_off_doubles() -> None:
    """A process that dies at once is started after 0.25 s, then twice as long each time, at most 30 s."""
    back_off = BackOff()
    assert [back_off.after(0.1) for _ in range(10)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert back_off.after(WELL_AFTER_S) == FIRST_PAUSE_S
    assert LONGEST_PAUSE_S == 30


def test_a_dead_child_is_started_again_in_time() -> None:
    """A child that died is started when its pause is over, not before."""
    clock, told = Clock(), list[str]()
    child = child_of("raise SystemExit(3)", clock, told)
    child.keep_alive()
    first = child.pid
    until(partial(has_died, child))
    assert told == [f"+{first}", f"-{first}"]
    assert child.exit_code == 3
    child.keep_alive()
    assert child.pid is None
    clock.now_s += FIRST_PAUSE_S
    child.keep_alive()
    assert child.pid not in (None, first)
    end_all([child], grace_s=5)


def test_what_a_child_leaves_is_ended() -> None:
    """A grandchild does not outlive its parent."""
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    told: list[str] = []
    child = child_of(script, told=told)
    child.keep_alive()
    group = int(told[0][1:])
    until(partial(has_died, child))
    until(lambda: not group_is_there(group))


def test_a_child_that_will_not_end_is_killed() -> None:
    """TERM first, KILL after the grace."""
    child = child_of("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on'); signal.pause()")
    child.keep_alive()
    end_all([child], grace_s=0.3)
    assert child.exit_code is not None
    assert child.exit_code in (-signal.SIGKILL, -signal.SIGTERM)
    assert child.pid is None


def test_a_command_that_is_not_there() -> None:
    """A program that cannot be started is tried again later, and stops nothing."""
    clock = Clock()
    child = Child(Command("child", ["/no/such/program"]), {}, lambda _: None, clock)
    child.keep_alive()
    child.keep_alive()
    assert child.pid is None
    end_all([child], grace_s=1)


def test_the_reaper_ends_what_remains() -> None:
    """At the end of its input the reaper ends the groups that started and did not end, and no other."""
    assert reaper.remaining(["+5\n", "+7\n", "-5\n"]) == {7}
    processes = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(2)]
    waiting = [threading.Thread(target=process.wait) for process in processes]
    for thread in waiting:
        thread.start()
    reaper.reap({processes[0].pid}, grace_s=5)
    waiting[0].join(10)
    assert processes[0].returncode == -signal.SIGTERM
    assert processes[1].poll() is None
    processes[1].kill()
    waiting[1].join(10)


def group_is_there(group: int) -> bool:
    """Whether a process of the group is alive."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings that are right."""
    (tmp_path / "data" / "sub").mkdir(parents=True)
    (tmp_path / "data" / "sub" / "a.JPG").touch()
    return Config(run=tmp_path / "run", datadir=tmp_path / "data", port=0)


def test_right_settings_pass(config: Config) -> None:
    """A folder with an image somewhere below, a new run and a free port are all that is needed."""
    check(config)


def test_a_folder_without_images(config: Config, tmp_path: Path) -> None:
    """A folder with no image is told."""
    (tmp_path / "data" / "sub" / "a.JPG").rename(tmp_path / "data" / "sub" / ".a.jpg")
    with pytest.raises(UsageError, match="no images"):
        check(config)


def test_a_port_in_use(config: Config) -> None:
    """A port that somebody has is told."""
    with listen(config) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(UsageError, match=str(port)):
            listen(Config(run=config.run, port=port))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "a..b", "\ud800"])
def test_a_host_that_is_not_ours(config: Config, host: str) -> None:
    """A host that is no address of this machine is told."""
    with pytest.raises(UsageError):
        listen(Config(run=config.run, host=host, port=0))


def test_a_run_keeps_to_its_folder(config: Config, tmp_path: Path) -> None:
    """A run of another folder is refused, unless that folder is there no more: then the run was moved."""
    config.run.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    protocol.publish(config.run, SETTINGS, Settings(str(other), "n", "max_prob", "a", "b", "1d"))
    with pytest.raises(UsageError, match="--reset"):
        check(config)
    other.rmdir()
    check(config)


def test_reset_deletes_nothing(tmp_path: Path) -> None:
    """An old run is moved aside as often as one likes."""
    for number in range(3):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / f"{number}").touch()
        set_aside(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert sorted(path.name for path in tmp_path.glob("run.*/*")) == ["0", "1", "2"]
    set_aside(tmp_path / "run")

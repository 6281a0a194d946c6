"""Processes that will not end, leave grandchildren, or die at once; and launch.sh on a machine that has nothing."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import ROOT
from tests.processes.suite import END_S, kill, pids
from tests.serving import until

pytestmark = pytest.mark.processes

DRIVER = """
import os, sys
from pathlib import Path
from backend.processes.children import Command
from backend.supervisor import Supervisor
children = [Command(Path(script).stem, [sys.executable, script], vital="vital" in script) for script in sys.argv[1:]]
raise SystemExit(Supervisor(children, dict(os.environ)).supervise())
"""
STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "grandchild"])
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    signal.pause()
"""
POLITE = "import signal; signal.pause()"
MARK = "SUPERVISED_BY_TEST"


class Session:
    """A supervisor of scripted children, in a process of its own; everything it starts bears a mark."""

    def __init__(self, folder: Path, **scripts: str) -> None:
        self._mark = f"{MARK}={folder}".encode()
        self.starts = folder / "starts"
        counted = f"from pathlib import Path; Path({str(self.starts)!r}).open('a').write(Path(__file__).stem + '\\n')\n"
        paths = [folder / f"{name}.py" for name in scripts]
        for path, script in zip(paths, scripts.values(), strict=True):
            path.write_text(counted + script)
        environment = {**os.environ, MARK: str(folder), "PYTHONPATH": str(ROOT)}
        self.terminal = folder / "terminal"
        with self.terminal.open("w") as terminal:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DRIVER, *map(str, paths)], env=environment, stderr=terminal
            )

    def started(self, name: str) -> int:
        """How often a child was started, grandchildren included."""
        return self.starts.read_text().splitlines().count(name) if self.starts.exists() else 0

    def left(self) -> list[int]:
        """Every process of this session that is alive, the supervisor and its reaper included."""
        return [pid for pid in pids() if self._mark in _read(pid, "environ").split(b"\0")]

    def pid_of(self, text: str) -> int:
        """The process whose command holds this text; 0 if there is none."""
        return min((pid for pid in self.left() if text.encode() in _read(pid, "cmdline")), default=0)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


@pytest.fixture(autouse=True)
def hang_up_ends() -> Iterator[None]:
    """Children heed a hang-up also where these tests are run by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@contextlib.contextmanager
def supervising(folder: Path, **scripts: str) -> Iterator[Session]:
    """A session whose processes are gone when the block has ended, however it ends."""
    session = Session(folder, **scripts)
    try:
        yield session
    finally:
        while left := session.left():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    kill(pid)
        session.process.wait()


def test_ctrl_c_ends_what_will_not_end(tmp_path: Path) -> None:
    """Children and grandchildren that ignore TERM are gone when the supervisor is, and its exit code is 0."""
    with supervising(tmp_path, stubborn=STUBBORN, polite=POLITE) as session:
        until(lambda: session.started("stubborn") == 2 and session.started("polite") == 1)
        session.process.send_signal(signal.SIGINT)
        assert session.process.wait(END_S) == 0
        assert session.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_impatience_leaves_no_orphans(tmp_path: Path, number: signal.Signals) -> None:
    """A second Ctrl-C, and a third, change nothing of it."""
    with supervising(tmp_path, stubborn=STUBBORN) as session:
        until(lambda: session.started("stubborn") == 2)
        while session.process.poll() is None:
            session.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                session.process.wait(0.02)
        assert session.process.returncode == 0
        assert session.left() == []


def test_nohup_keeps_a_hang_up_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that was started with SIGHUP ignored goes on when its terminal is gone."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with supervising(tmp_path, polite=POLITE) as session:
            until(lambda: session.started("polite") == 1)
            session.process.send_signal(signal.SIGHUP)
            [polite] = {pid for pid in session.left() if b"polite.py" in _read(pid, "cmdline")} - {session.process.pid}
            kill(polite)
            until(lambda: session.started("polite") == 2)
            session.process.terminate()
            assert session.process.wait(END_S) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_kill_9_of_the_supervisor(tmp_path: Path) -> None:
    """What ignores TERM, and what it started, ends also when the supervisor is killed."""
    with supervising(tmp_path, stubborn=STUBBORN, polite=POLITE) as session:
        until(lambda: session.started("stubborn") == 2 and session.started("polite") == 1)
        session.process.kill()
        until(lambda: not session.left())


def test_kill_9_of_the_reaper_first(tmp_path: Path) -> None:
    """A reaper that was killed is replaced by one that knows the same processes."""
    with supervising(tmp_path, stubborn=STUBBORN) as session:
        until(lambda: session.started("stubborn") == 2)
        before = session.pid_of("backend.processes.reaper")
        kill(before)
        until(lambda: session.pid_of("backend.processes.reaper") not in (0, before))
        session.process.kill()
        until(lambda: not session.left())


def test_the_reaper_outlives_the_terminal(tmp_path: Path) -> None:
    """Signals that are meant for the session do not end the reaper, which has a group of its own."""
    with supervising(tmp_path, polite=POLITE) as session:
        until(lambda: session.started("polite") == 1 and session.pid_of("backend.processes.reaper"))
        reaper = session.pid_of("backend.processes.reaper")
        assert os.getsid(reaper) == reaper
        until(lambda: _ignored(reaper) >= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def _ignored(pid: int) -> set[int]:
    (line,) = (line for line in _read(pid, "status").splitlines() if line.startswith(b"SigIgn"))
    mask = int(line.split()[1], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def test_the_dead_are_started_again(tmp_path: Path) -> None:
    """What dies is started again with one line about it each time; the others keep running."""
    with supervising(tmp_path, dying="raise SystemExit(3)", polite=POLITE) as session:
        until(lambda: session.started("dying") >= 3)
        assert session.started("polite") == 1
        session.process.terminate()
        assert session.process.wait(END_S) == 0
        told = [line for line in session.terminal.read_text().splitlines() if "dying" in line]
        assert session.started("dying") - 1 <= len(told) <= session.started("dying")
        assert all("code 3" in line for line in told)


def test_a_grandchild_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """When a child is killed, what it had started goes with it before it is started again."""
    with supervising(tmp_path, stubborn=STUBBORN) as session:
        until(lambda: session.started("stubborn") == 2)
        before = {pid for pid in session.left() if b"stubborn.py" in _read(pid, "cmdline")} - {session.process.pid}
        assert len(before) == 2
        kill(min(before))
        until(lambda: session.started("stubborn") == 4)
        assert before.isdisjoint(session.left())


def test_a_vital_child_that_refuses_ends_the_session(tmp_path: Path) -> None:
    """Exit code 2 of the server is that of the session, and everything else ends too."""
    with supervising(tmp_path, polite=POLITE, vital="raise SystemExit(2)") as session:
        assert session.process.wait(END_S) == 2
        assert session.left() == []


def test_another_child_that_refuses_does_not(tmp_path: Path) -> None:
    """Exit code 2 of a loop leaves the others running, and is not asked for again at once."""
    with supervising(tmp_path, refusing="raise SystemExit(2)", dying="raise SystemExit(1)") as session:
        until(lambda: session.started("dying") >= 4)
        assert session.started("refusing") == 1
        assert session.process.poll() is None


# --- launch.sh on a machine that has nothing --------------------------------------------------------------------------

PYTHON = f"""#!/bin/bash
# Stands in for every Python of the machine: installs nothing, and writes down what it was asked.
case "$*" in
    -c*) echo "$0" ;;
    *config.py* | *installation.py*) exec {sys.executable} "$@" ;;
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip "*) echo pip >> "$NOTES"; [[ ! -e $NOTES.broken ]] || exit 1; until [[ ! -e $NOTES.wait ]]; do :; done ;;
    *) printf '%s\\n' "$PYTHONSAFEPATH" "${{PYTHONPATH%%:*}}" "$PWD" "$@" ;;
esac
"""


class Machine:
    """A copy of what launch.sh reads, in a folder with a space in its name, and a Python that installs nothing."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "the project"
        self.home = folder / "at home"
        self.notes = folder / "notes"
        for path in (self.root, self.home / "my pictures", folder / "bin"):
            path.mkdir(parents=True)
        (self.root / "backend").mkdir()
        for name in ("launch.sh", "config.py", "pyproject.toml", "backend/installation.py"):
            shutil.copy(ROOT / name, self.root / name)
        shutil.copytree(ROOT / "IA" / "text", self.root / "IA" / "text")
        shutil.copy(ROOT / "IA" / "strategies.py", self.root / "IA")
        (folder / "bin" / "python3").write_text(PYTHON)
        (folder / "bin" / "python3").chmod(0o755)
        path_variable = f"{folder / 'bin'}:/usr/bin:/bin"
        self._environment = {"PATH": path_variable, "NOTES": str(self.notes), "CDPATH": f".:{folder}"}
        self._environment |= {"IA_TORCH_INDEX": "none"}
        self.by = ["bash", "../the project/launch.sh"]

    def launch(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start launch.sh from another folder, by a relative path."""
        return subprocess.Popen(
            [*self.by, *arguments],
            cwd=self.home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def launched(self, *arguments: str) -> tuple[int, str, str]:
        """Run launch.sh to its end: exit code, stdout, stderr."""
        process = self.launch(*arguments)
        stdout, stderr = process.communicate(timeout=END_S)
        return process.returncode, stdout, stderr

    def installations(self) -> int:
        """How often pip was asked to install."""
        return len(self.notes.read_text().splitlines()) if self.notes.exists() else 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing is installed."""
    return Machine(tmp_path)


ARGUMENTS = ["localhost", "8077", "my pictures", "--positive", 'a "b" $c *']


def test_first_start_installs_later_starts_do_not(machine: Machine) -> None:
    """The first start says that it installs; both hand on the arguments as they were given, from where they were."""
    code, stdout, stderr = machine.launched(*ARGUMENTS)
    handed_on = ["1", str(machine.root), str(machine.home), "-m", "backend.supervisor", *ARGUMENTS]
    assert (code, stdout.splitlines()) == (0, handed_on)
    assert "minutes" in stderr
    assert machine.launched(*ARGUMENTS) == (0, stdout, "")
    assert machine.installations() == 1


@pytest.mark.parametrize("way", ["a link", "a link to a link", "sh", "from PATH", "bash from PATH"])
def test_launch_sh_is_found_however_it_is_called(machine: Machine, way: str) -> None:
    """By a link in a folder of commands, by sh, or from PATH."""
    link = machine.home.parent / "bin" / "annotate"
    link.symlink_to("../the project/launch.sh")
    (machine.home / "again").symlink_to(link)
    machine.by = {
        "a link": [str(link)],
        "a link to a link": ["bash", "again"],
        "sh": ["sh", "../the project/launch.sh"],
        "from PATH": ["annotate"],
        "bash from PATH": ["bash", "annotate"],
    }[way]
    code, stdout, stderr = machine.launched(*ARGUMENTS)
    assert (code, stdout.splitlines()[1:3]) == (0, [str(machine.root), str(machine.home)]), stderr


def test_without_a_place_to_install(machine: Machine) -> None:
    """A clone that cannot be written says so in one sentence."""
    (machine.root / ".venv").write_text("no folder")
    code, stdout, stderr = machine.launched(*ARGUMENTS)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert ".venv" in stderr


def test_changed_requirements_are_installed(machine: Machine) -> None:
    """Another pyproject.toml, as after an update, is installed on the next start."""
    machine.launched(*ARGUMENTS)
    with (machine.root / "pyproject.toml").open("a") as file:
        file.write("\n")
    machine.launched(*ARGUMENTS)
    assert machine.installations() == 2


def test_failed_installation_is_repeated(machine: Machine) -> None:
    """An installation that fails is told, starts nothing, and is done again the next time."""
    machine.notes.with_name("notes.broken").touch()
    code, stdout, stderr = machine.launched(*ARGUMENTS)
    assert (code, stdout) == (1, "")
    assert "Start again" in stderr
    machine.notes.with_name("notes.broken").unlink()
    assert machine.launched(*ARGUMENTS)[0] == 0
    assert machine.installations() == 2


def test_two_first_starts_install_once(machine: Machine) -> None:
    """Of two starts at the same moment, one installs and the other waits for it."""
    wait = machine.notes.with_name("notes.wait")
    wait.touch()
    starts = [machine.launch(*ARGUMENTS), machine.launch(*ARGUMENTS)]
    until(lambda: machine.installations() == 1)
    wait.unlink()
    ended = [start.communicate(timeout=END_S)[0] for start in starts]
    assert ended[0] == ended[1] != ""
    assert machine.installations() == 1


@pytest.mark.parametrize(
    "arguments", [["localhost"], ["localhost", "8077", "no such folder"], [*ARGUMENTS, "--resett"]]
)
def test_a_mistake_is_told_before_the_installation(machine: Machine, arguments: list[str]) -> None:
    """Nobody waits minutes to learn of a typing mistake."""
    code, stdout, stderr = machine.launched(*arguments)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert not (machine.root / ".venv").exists()


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], [*ARGUMENTS, "--help"]])
def test_help_needs_no_installation(machine: Machine, arguments: list[str]) -> None:
    """The help is there at once, on any machine."""
    code, stdout, stderr = machine.launched(*arguments)
    assert (code, stderr) == (0, "")
    assert "bash launch.sh HOST PORT DATADIR" in stdout
    assert not (machine.root / ".venv").exists()


def test_without_python(machine: Machine) -> None:
    """A machine whose Python is too old, or that has none, is told so in one sentence."""
    for path in machine.home.parent.glob("bin/*"):
        path.unlink()
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"):
        old = machine.home.parent / "bin" / name
        old.write_text("#!/bin/bash\nexit 1\n")
        old.chmod(0o755)
    code, stdout, stderr = machine.launched(*ARGUMENTS)
    assert (code, stdout, stderr) == (2, "", "Python 3.11 or newer is needed; install it and start again.\n")

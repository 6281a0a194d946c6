"""A whole session: it learns, ends cleanly, resumes, and survives the death of any of its processes."""

import contextlib
import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from config import ROOT
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from tests.processes.suite import START_S, Suite, kill, running
from tests.serving import until

pytestmark = pytest.mark.processes

MODULES = ["backend", "IA.training", "IA.inference", "IA.selector", "backend.processes.tensorboard"]


@pytest.fixture(scope="module")
def datadir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures, every tenth of them red, the others blue."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for number in range(60):
        colour = np.array((200, 40, 40) if number % 10 == 0 else (40, 40, 200))
        pixels = colour + random.integers(-30, 30, (60, 80, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:02d}.jpg")
    return folder


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, datadir: Path) -> Iterator[Suite]:
    """A session with everything running."""
    with running(tmp_path_factory.mktemp("session") / "run", datadir) as suite:
        until(suite.all_run, START_S)
        yield suite


def label_of(path: str) -> str:
    """The truth about a picture."""
    return "positive" if path[1] == "0" else "negative"


def answer_next(suite: Suite, client: str = "me") -> str:
    """Answer the image that is asked first, truthfully; returns its path."""
    image = suite.client.get(f"/api/queue?count=1&client={client}").json()["images"][0]
    suite.answer(image["image"], label_of(image["path"]), client)
    path: str = image["path"]
    return path


def test_learns_ends_and_resumes(tmp_path: Path, datadir: Path) -> None:
    """A session finds the positives early, ends by Ctrl-C with nothing left behind, and resumes with its counts."""
    with running(tmp_path / "run", datadir, "--positive", "red") as suite:
        until(lambda: suite.learnt() == 0, START_S)
        asked = []
        for count in range(1, 16):
            asked.append(answer_next(suite))
            until(partial(has_learnt, suite, count))
        assert sum(label_of(path) == "positive" for path in asked) >= 5
        predictor = suite.client.get("/api/predictor")
        assert len(predictor.content) > 1_000_000
        until(lambda: len(pickle_file.read(suite.run, protocol.ANNOTATIONS).content) == 15)
        before = suite.status()
        assert suite.ctrl_c() == 0
        until(lambda: not suite.processes())
        assert list(suite.run.glob(".*.tmp")) == []
        assert "was killed" not in (suite.run / "logs" / "supervisor.log").read_text()
    with running(tmp_path / "run", datadir) as suite:
        after = suite.status()
        assert [after[name] for name in ("positives", "negatives", "classes")] == [
            before[name] for name in ("positives", "negatives", "classes")
        ]
        until(lambda: suite.learnt() == 15, START_S)
        assert suite.client.post("/api/undo", json={"client": "me"}).json()["path"] == asked[-1]


@pytest.mark.parametrize("module", MODULES)
def test_whatever_dies_is_restarted(suite: Suite, module: str) -> None:
    """Kill -9 of any process: it is started again, and no acknowledged answer is lost."""
    until(lambda: suite.pid_of(module))
    answer_next(suite)
    before = suite.pid_of(module)
    positives, negatives = suite.status()["positives"], suite.status()["negatives"]
    kill(before)
    until(lambda: suite.pid_of(module) not in (0, before), START_S)
    until(lambda: answers(suite), START_S)
    until(suite.all_run, START_S)
    status = suite.status()
    assert (status["positives"], status["negatives"]) == (positives, negatives)
    answer_next(suite)
    answered = int(str(status["positives"])) + int(str(status["negatives"])) + 1
    until(lambda: suite.learnt() >= answered, START_S)


def has_learnt(suite: Suite, count: int) -> bool:
    """Whether the ranking has learnt so many answers."""
    return suite.learnt() >= count


def has_started(terminal: Path) -> bool:
    """Whether the loop has said so."""
    return " started" in terminal.read_text()


def answers(suite: Suite) -> bool:
    """Whether the server is there."""
    try:
        return bool(suite.status())
    except httpx.HTTPError:
        return False


def test_the_page_works_while_loops_are_down(suite: Suite) -> None:
    """While the learning loops are stopped, answers are still taken, and the page is told who is down."""
    until(suite.all_run, START_S)
    stopped = [suite.pid_of(module) for module in MODULES[1:4]]
    for pid in stopped:
        kill(pid)
    until(lambda: "down" in str(suite.status()["loops"]))
    for _ in range(3):
        answer_next(suite)
    until(suite.all_run, START_S)


def test_tensorboard_is_behind_the_token(suite: Suite) -> None:
    """TensorBoard listens on loopback alone, and answers through the page's port to those with the token."""
    until(lambda: suite.client.get("/tensorboard/").status_code == 200, START_S)
    assert b"TensorBoard" in suite.client.get("/tensorboard/").content
    until(lambda: "trainer" in suite.client.get("/tensorboard/data/runs").json(), START_S)
    suite.client.cookies, kept = type(suite.client.cookies)(), suite.client.cookies
    assert suite.client.get("/tensorboard/").status_code == 401
    suite.client.cookies = kept
    assert listening(suite.port + 1) == {"0100007F"}


def listening(port: int) -> set[str]:
    """Addresses on which somebody listens to this port, as Linux writes them."""
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {line[1].split(":")[0] for line in lines if line[3] == "0A" and line[1].endswith(f":{port:04X}")}


def test_no_core_is_kept_busy(suite: Suite) -> None:
    """With nothing to do, all processes together use a small part of one core, and write no log."""
    until(lambda: suite.status()["embedding"] == {"done": 60, "total": 60, "percent": 100.0}, START_S)
    until(lambda: cpu_share(suite, 3.0) < 0.25, START_S)
    logs = {path: path.stat().st_size for path in (suite.run / "logs").glob("*.log")}
    cpu_share(suite, 2.0)
    assert {path: path.stat().st_size for path in (suite.run / "logs").glob("*.log")} == logs


def cpu_share(suite: Suite, period_s: float) -> float:
    """Part of one core that the session used over a period."""

    def used() -> float:
        return sum(cpu_ticks(pid) for pid in suite.processes()) / 100

    began, before = time.monotonic(), used()
    until(lambda: time.monotonic() - began > period_s)
    return (used() - before) / (time.monotonic() - began)


def cpu_ticks(pid: int) -> int:
    """Processor time that a process has used, in hundredths of a second."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def test_a_killed_supervisor_leaves_nothing(tmp_path: Path, datadir: Path) -> None:
    """Kill -9 of the supervisor ends every process; the next start has every answer."""
    with running(tmp_path / "run", datadir) as suite:
        answer_next(suite)
        until(suite.all_run, START_S)
        kill(suite.process.pid)
        until(lambda: not suite.processes())
        suite.process.wait()
    with running(tmp_path / "run", datadir, "--no-ai") as suite:
        assert suite.status()["left"] == 59


def test_a_killed_reaper_is_replaced(tmp_path: Path, datadir: Path) -> None:
    """Kill -9 of the reaper, then of the supervisor: still nothing stays behind."""
    with running(tmp_path / "run", datadir, "--no-ai") as suite:
        before = suite.pid_of("backend.processes.reaper")
        kill(before)
        until(lambda: suite.pid_of("backend.processes.reaper") not in (0, before))
        kill(suite.process.pid)
        until(lambda: not suite.processes())
        suite.process.wait()


def test_no_file_of_ours_is_edited(tmp_path: Path, datadir: Path) -> None:
    """A start changes no source file."""

    def digest() -> str:
        sources = sorted([*ROOT.glob("*.*"), *ROOT.glob("IA/*.py"), *ROOT.glob("backend/**/*.py")])
        return hashlib.sha256(b"".join(path.read_bytes() for path in sources if path.is_file())).hexdigest()

    before = digest()
    with running(tmp_path / "run", datadir, "--no-ai", "--positive", 'red\'s "one"') as suite:
        assert suite.status()["classes"] == {"positive": 'red\'s "one"', "negative": "negative"}
    assert digest() == before


@pytest.mark.parametrize("order", [["selector", "training", "inference"], ["inference", "selector", "training"]])
def test_loops_alone_in_any_order(tmp_path: Path, datadir: Path, order: list[str]) -> None:
    """Each loop, started alone before there is a run, waits quietly; with the server they make a ranking."""
    run = tmp_path / "run"
    terminals = {name: tmp_path / f"{name}.terminal" for name in order}
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(alone(name, run, terminals[name])) for name in order]
        for terminal in terminals.values():
            until(partial(has_started, terminal), START_S)
        with running(run, datadir, "--no-ai") as suite:
            assert [len(terminal.read_text().splitlines()) for terminal in terminals.values()] == [1, 1, 1]
            until(lambda: suite.learnt() == 0, START_S)
        for child in children:
            child.send_signal(signal.SIGINT)
        assert [child.wait(30) for child in children] == [0, 0, 0]


@contextlib.contextmanager
def alone(name: str, run: Path, terminal: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One loop, started by hand."""
    with terminal.open("w") as output:
        child = subprocess.Popen([sys.executable, "-m", f"IA.{name}", "--run", str(run)], cwd=ROOT, stderr=output)
    try:
        yield child
    finally:
        child.kill()
        child.wait()

"""Starting, watching and ending processes: back-off as data, real children, real signals."""

import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import demo
from backend.processes import children, reaper
from backend.processes.children import FIRST_PAUSE_S, LONGEST_PAUSE_S, WELL_AFTER_S, BackOff, Child, Command, end_all
from backend.runs.alone import only_session
from backend.runs.checks import check_place, check_run, is_free, listen
from backend.supervisor import Link, commands, environment, prepare, set_aside
from config import Config, UsageError
from IA.process.streams import LossyStream
from IA.protocol import pickle_file
from IA.protocol.files import SETTINGS
from IA.protocol.records import Settings
from tests.processes.suite import END_S, free_port
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


def test_a_log_that_has_grown_too_long_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output of a process never takes more than so many bytes, however much it says while it runs."""
    monkeypatch.setattr(children, "LOG_BYTES", 1000)
    log, script = tmp_path / "child.log", "while True: print('x' * 99, flush=True); __import__('time').sleep(0.001)"
    child = Child(Command("child", [sys.executable, "-c", script], log=log), dict(os.environ), lambda told: None)
    sizes = []

    def has_begun_anew() -> bool:
        child.keep_alive()
        sizes.append(log.stat().st_size)
        return len(sizes) > 1 and 0 < sizes[-1] < max(sizes[:-1])

    until(has_begun_anew)
    end_all([child], grace_s=5)


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


@pytest.mark.slow
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
    check_place(config)
    check_run(config)


def test_a_folder_without_images(config: Config, tmp_path: Path) -> None:
    """A folder with no image is told."""
    (tmp_path / "data" / "sub" / "a.JPG").rename(tmp_path / "data" / "sub" / ".a.jpg")
    with pytest.raises(UsageError, match="no images"):
        check_place(config)


def test_a_port_in_use(config: Config) -> None:
    """A port that somebody has is told."""
    with listen(config) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(UsageError, match=str(port)):
            listen(Config(run=config.run, port=port))


def test_a_port_that_a_tensorboard_has(config: Config) -> None:
    """Two ports in use, one after the other, may be a session and its TensorBoard: the next free one is named."""
    pairs = range(20000, 32000, 2)
    port = next(port for port in pairs if all(is_free(port + more) for more in range(4)))
    with socket.create_server(("127.0.0.1", port + 1)), pytest.raises(UsageError, match="in use; choose another"):
        listen(replace(config, port=port + 1))
    with (
        socket.create_server(("127.0.0.1", port)),
        socket.create_server(("127.0.0.1", port + 1)),
        pytest.raises(UsageError, match=f"on port {port} may have its TensorBoard there; choose {port + 2}"),
    ):
        listen(replace(config, port=port + 1))


def test_an_answer_is_sent_at_once(config: Config) -> None:
    """Connections send small answers without waiting for the acknowledgement of the last packet (40 ms each)."""
    with listen(Config(run=config.run, port=0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


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
    pickle_file.publish(config.run, SETTINGS, Settings(str(other), "n", "max_prob", "a", "b", "1d"))
    with pytest.raises(UsageError, match="--reset"):
        check_run(config)
    other.rmdir()
    check_run(config)


def test_answers_have_different_names(config: Config) -> None:
    """Names that are one and the same, given now or kept by the run, are refused."""
    config.run.mkdir()
    pickle_file.publish(config.run, SETTINGS, Settings(str(config.datadir), "n", "max_prob", "hat", "no hat", "1d"))
    check_run(config)
    with pytest.raises(UsageError, match="'hat'"):
        check_run(replace(config, negative="hat"))
    check_run(replace(config, positive="cap", negative="hat"))
    with pytest.raises(UsageError, match="cannot tell"):
        check_run(replace(config, negative="HAT"))


def test_a_run_goes_on_with_names_that_would_be_refused_today(tmp_path: Path) -> None:
    """Names that mean the opposite elsewhere are refused, except where a run has them already and keeps them."""
    datadir, run = tmp_path / "images", tmp_path / "run"
    datadir.mkdir()
    run.mkdir()
    settings = Settings(str(datadir), "n", "max_prob", positive="negative", negative="positive", id="i", run=str(run))
    pickle_file.publish(run, SETTINGS, settings)
    arguments = ["localhost", "8077", str(datadir), "--run", str(run)]
    for names in ([], ["--positive", "negative", "--negative", "positive"]):
        check_run(Config.for_session([*arguments, *names]))
    with pytest.raises(UsageError, match="elsewhere"):
        check_run(Config.for_session([*arguments, "--positive", "no"]))
    with pytest.raises(UsageError, match="elsewhere"):
        Config.for_session([*arguments, "--positive", "negative", "--negative", "positive", "--reset"])


def test_reset_deletes_nothing(tmp_path: Path) -> None:
    """An old run is moved aside as often as one likes."""
    for number in range(3):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / f"{number}").touch()
        set_aside(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert sorted(path.name for path in tmp_path.glob("run.*/*")) == ["0", "1", "2"]
    set_aside(tmp_path / "run")


@given(st.lists(st.floats(0, 1000)))
def test_a_pause_is_never_too_short_or_too_long(lives_s: list[float]) -> None:
    """Whatever the lives, a pause is between the first and the longest one, and the first again after a good life."""
    back_off = BackOff()
    pauses_s = [back_off.after(lived_s) for lived_s in lives_s]
    assert all(FIRST_PAUSE_S <= pause_s <= LONGEST_PAUSE_S for pause_s in pauses_s)
    assert {pause_s for pause_s, lived_s in zip(pauses_s, lives_s, strict=True) if lived_s >= WELL_AFTER_S} <= {0.25}


@given(st.lists(st.tuples(st.booleans(), st.integers(2, 9))))
def test_the_reaper_knows_who_is_left(told: list[tuple[bool, int]]) -> None:
    """Of all groups that were started, those remain whose end was not told last."""
    last = {group: started for started, group in told}
    left = reaper.remaining(f"{'+' if started else '-'}{group}\n" for started, group in told)
    assert left == {group for group, started in last.items() if started}


def test_a_persons_mistake_is_not_asked_again_at_once() -> None:
    """A child that has told what is wrong, and exits with 2, is tried again after the longest pause only."""
    clock = Clock()
    child = child_of("raise SystemExit(2)", clock)
    child.keep_alive()
    until(partial(has_died, child))
    clock.now_s += LONGEST_PAUSE_S - 0.01
    child.keep_alive()
    assert child.pid is None
    clock.now_s += 0.01
    child.keep_alive()
    assert child.pid is not None
    end_all([child], grace_s=5)


# --- what a session consists of ---------------------------------------------------------------------------------------


def test_processes_of_a_session(config: Config) -> None:
    """The server ends the session when it refuses; a person waits for all loops, so none of them steps back."""
    started = {command.name: command for command in commands(config)}
    assert list(started) == ["server", "trainer", "inference", "selector", "TensorBoard"]
    assert [name for name, command in started.items() if command.vital] == ["server"]
    nice = {name: command.nice for name, command in started.items() if command.nice}
    assert nice == {"TensorBoard": 10}
    assert started["TensorBoard"].log == config.run / "logs" / "tensorboard.log"


def test_processes_that_were_not_asked_for(config: Config) -> None:
    """Without AI there is the server alone; without TensorBoard everything else."""
    assert [command.name for command in commands(replace(config, ai=False, tensorboard=False))] == ["server"]
    assert "TensorBoard" not in [command.name for command in commands(replace(config, tensorboard=False))]


def test_children_find_their_settings(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children find the settings and the person's environment; the working directory is no place for modules."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("PYTHONPATH", "/theirs")
    found = environment(config)
    assert Config.from_environment(found) == config
    assert (found["OMP_NUM_THREADS"], found["PYTHONSAFEPATH"], found["IA_LOG_LEVEL"]) == ("3", "1", "WARNING")
    assert found["PYTHONPATH"].endswith(":/theirs")


# --- before it starts -------------------------------------------------------------------------------------------------


@pytest.fixture
def session(config: Config) -> Config:
    """Settings that are right, on two ports that are free."""
    return replace(config, port=free_port())


def test_right_settings_are_left_alone(session: Config, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said and nothing is changed where everything is right, however often it is started."""
    assert prepare(session) == prepare(session) == session
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.jpg", ".thumbnails/a.jpg", "jpg"])
def test_what_is_no_image(session: Config, tmp_path: Path, name: str) -> None:
    """Other files and hidden ones are no images."""
    (tmp_path / "empty" / name).parent.mkdir(parents=True)
    (tmp_path / "empty" / name).touch()
    with pytest.raises(UsageError, match="no images"):
        prepare(replace(session, datadir=tmp_path / "empty"))


@pytest.mark.parametrize("name", ["A.JPG", "deep/er/x.TiFf", "a\nb.webp", "x.txt.png"])
def test_what_is_an_image(session: Config, tmp_path: Path, name: str) -> None:
    """One image of any case, however deep, is enough; the folder itself may be hidden."""
    datadir = tmp_path / ".pictures"
    (datadir / name).parent.mkdir(parents=True)
    (datadir / name).touch()
    assert prepare(replace(session, datadir=datadir)).datadir == datadir


def test_tensorboard_without_its_port(session: Config, capsys: pytest.CaptureFixture[str]) -> None:
    """Where PORT + 1 is taken the session goes on without TensorBoard, and says so in one line."""
    with socket.create_server(("127.0.0.1", session.port + 1)):
        assert prepare(session) == replace(session, tensorboard=False)
    said = capsys.readouterr().err
    assert str(session.port + 1) in said
    assert said.count("\n") == 1


def test_tensorboard_cannot_read_every_name(
    session: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run whose name is no UTF-8 goes on without it, and says so in one line."""
    run = tmp_path / os.fsdecode(b"r\xe4n")
    monkeypatch.setattr(sys, "stderr", LossyStream(sys.stderr))
    assert prepare(replace(session, run=run)) == replace(session, run=run, tensorboard=False)
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_that_cannot_be_made(session: Config, tmp_path: Path) -> None:
    """A run directory that is a file, or would be in one, is told."""
    (tmp_path / "file").touch()
    for run in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(UsageError, match="--run"):
            prepare(replace(session, run=run))


def test_torn_settings_refuse_nobody(session: Config) -> None:
    """A run whose settings cannot be read goes on with this folder."""
    session.run.mkdir()
    (session.run / SETTINGS.name).write_bytes(b"torn")
    assert prepare(session) == session


def test_one_session_a_run(session: Config) -> None:
    """Two sessions never share a run, nor does one move the other's run aside; afterwards it is free."""
    with only_session(session.run):
        with pytest.raises(UsageError, match="another session"), only_session(session.run):
            pass
        with pytest.raises(UsageError, match="another session"):
            prepare(replace(session, reset=True))
    with only_session(session.run):
        pass


def test_reset_of_a_run_of_another_folder(session: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--reset` moves a run aside whichever folder it belongs to, and says where it is now; no run is no mistake."""
    reset = replace(session, reset=True)
    assert prepare(reset) == reset
    assert list(tmp_path.glob("run.*")) == []
    pickle_file.publish(session.run, SETTINGS, Settings(str(tmp_path), "n", "max_prob", "a", "b", "1d"))
    assert prepare(reset) == reset
    (aside,) = tmp_path.glob("run.*")
    assert (aside / SETTINGS.name).exists()
    assert str(aside) in capsys.readouterr().err


def test_reset_of_a_session_that_is_refused(session: Config, tmp_path: Path) -> None:
    """`--reset` moves nothing aside when the session cannot start."""
    session.run.mkdir()
    with socket.create_server(("127.0.0.1", session.port)), pytest.raises(UsageError, match=str(session.port)):
        prepare(replace(session, reset=True))
    assert list(tmp_path.glob("run.*")) == []


def test_demo_is_made_once(session: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's pictures are made on the first start, and kept."""
    monkeypatch.setattr(demo.make, "__defaults__", (8, 7))
    folder = tmp_path / "demo"
    prepare(replace(session, datadir=folder, demo=True))
    made = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert len(made) > 8
    prepare(replace(session, datadir=folder, demo=True))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == made


def test_a_demo_that_cannot_be_made_is_one_sentence(session: Config, tmp_path: Path) -> None:
    """It names --run, beside which the pictures go where the project cannot be written; a port in use comes first."""
    (tmp_path / "file").write_bytes(b"")
    config = replace(session, datadir=tmp_path / "file" / "demo", demo=True)
    with pytest.raises(UsageError, match="--run DIR"):
        prepare(config)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="in use"):
        prepare(replace(config, datadir=tmp_path / "demo", port=taken.getsockname()[1]))
    assert not (tmp_path / "demo").exists()


def test_another_network_is_tried_first(session: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that cannot be built ends the start by exit code 2; the default is not tried, nor any without AI."""
    tried: list[str] = []

    def refuse(arguments: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        tried.append(arguments[-1])
        return subprocess.CompletedProcess(arguments, 2)

    monkeypatch.setattr("backend.supervisor.subprocess.run", refuse)
    prepare(session)
    prepare(replace(session, network="efficientnet_lite0"))
    prepare(replace(session, network="no_such", ai=False, tensorboard=False))
    assert tried == []
    with pytest.raises(SystemExit, match="2"):
        prepare(replace(session, network="no_such", reset=True))
    assert tried == ["no_such"]
    assert session.run.is_dir()


# --- the link ---------------------------------------------------------------------------------------------------------


class _Silent(http.server.BaseHTTPRequestHandler):
    """Answers 501 to everything, and keeps no log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def answering(port: int) -> Iterator[None]:
    """A server that knows nothing, but answers."""
    server = http.server.HTTPServer(("127.0.0.1", port), _Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_link_comes_once_the_server_answers(session: Config, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no link before somebody answers, whatever the answer; then it is one line with the token."""
    link = Link(session, "secret")
    assert not link.is_up()
    assert capsys.readouterr().out == ""
    with answering(session.port):
        assert link.is_up()
    assert capsys.readouterr().out == f"http://127.0.0.1:{session.port}/?token=secret\n"


def test_the_link_for_a_network(session: Config, capsys: pytest.CaptureFixture[str]) -> None:
    """A session for every interface names the machine; without a token none is shown."""
    with answering(session.port):
        assert Link(replace(session, host="0.0.0.0"), None).is_up()
    assert capsys.readouterr().out == f"http://{socket.gethostname()}:{session.port}/\n"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_every_address_of_both_kinds(session: Config, capsys: pytest.CaptureFixture[str]) -> None:
    """A session for :: is reached by IPv4 too, and its link names the machine."""
    everywhere = replace(session, host="::")
    with listen(everywhere) as listener:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, session.port), timeout=END_S).close()
        assert listener.family == socket.AF_INET6
    with answering(session.port):
        assert Link(everywhere, None).is_up()
    assert capsys.readouterr().out == f"http://{socket.gethostname()}:{session.port}/\n"


def test_a_link_that_cannot_be_printed(
    session: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The session goes on, and says where the page and its token are."""
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", LossyStream(full))
        with answering(session.port):
            assert Link(session, "secret").is_up()
        full_stream = sys.stdout
        assert isinstance(full_stream, LossyStream)
        full_stream.give_up()
    [told] = caplog.messages
    assert f"http://127.0.0.1:{session.port}/" in told
    assert str(session.run / "token") in told
    assert "secret" not in told

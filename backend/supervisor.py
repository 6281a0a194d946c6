"""Supervisor: starts the loops of a session, restarts what dies, prints the link, ends everything."""

import contextlib
import dataclasses
import http.client
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from backend import demo
from backend.processes.children import PERSONS_MISTAKE, Child, Command, end_all, python
from backend.runs.alone import only_session
from backend.runs.checks import check_address, check_place, check_run, exposed, is_free
from backend.runs.choice import find_run, why_not_first
from backend.runs.question import renaming
from backend.session.scores import check_given_scores
from backend.web.access import TOKEN, token_of
from config import DEFAULT_NETWORK, Config, UsageError, python_path
from IA.process.loop import log_to, one_sentence
from IA.process.streams import say
from IA.protocol import locks
from IA.protocol.locks import is_of_the_disk
from IA.text.image_files import is_text
from IA.text.network_names import AUTO

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
GRACE_S = 4.0
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Keeps a set of processes alive until it is signalled."""

    def __init__(self, commands: list[Command], environment: dict[str, str], link: "Link | None" = None) -> None:
        self._environment = environment
        self._link = link
        self._was_up = False
        self._is_ending = False  # not an Event: the code that a signal interrupts may hold its lock
        self._reaper: subprocess.Popen[str] | None = None
        self._groups: set[str] = set()
        self._children = [Child(command, environment, self._tell_reaper) for command in commands]

    def supervise(self) -> int:
        """Run until SIGINT or SIGTERM; then leave no process behind.

        Returns:
            The exit code: 0, or that of a vital process that ended for a person's mistake.
        """
        for number in ENDS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP already
                signal.signal(number, self._handle_signal)
        try:
            return self._keep_alive()
        finally:
            for number in ENDS:  # a second Ctrl-C changes nothing
                signal.signal(number, signal.SIG_IGN)
            end_all(self._children, GRACE_S)
            self._dismiss_reaper()

    def _handle_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_ending = True

    def _keep_alive(self) -> int:
        while not self._is_ending:
            self._keep_reaper()
            with contextlib.suppress(OSError):  # another session holds the run; our server reports that
                locks.renew()
            for child in self._children:
                child.keep_alive()
                if child.command.vital and child.exit_code == PERSONS_MISTAKE and not self._was_up:
                    return PERSONS_MISTAKE  # after it has served, the machine is at fault, and may recover
            if self._link is not None and self._link.is_up():
                self._link, self._was_up = None, True
            time.sleep(LOOK_EVERY_S)
        return 0

    # --- the reaper ---------------------------------------------------------------------------------------------------

    def _keep_reaper(self) -> None:
        """Start the reaper, or start it again if it died, and give it the groups of all running processes."""
        if self._reaper is not None and self._reaper.poll() is None:
            return
        try:
            self._reaper = subprocess.Popen(
                python("-m", "backend.processes.reaper"),
                stdin=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
                text=True,
            )
        except OSError:  # no descriptors or no memory are left; the next look tries again
            return
        for group in list(self._groups):
            self._tell_reaper(f"+{group}")

    def _tell_reaper(self, line: str) -> None:
        (self._groups.add if line[0] == "+" else self._groups.discard)(line[1:])
        if self._reaper is not None and self._reaper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it died; the next reaper gets all groups
                self._reaper.stdin.write(f"{line}\n")
                self._reaper.stdin.flush()

    def _dismiss_reaper(self) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._reaper.stdin.close()
            self._reaper.wait()


class Link:
    """The one line to open, printed once the server answers."""

    def __init__(self, config: Config, token: str | None) -> None:
        self._hosts = ("127.0.0.1", "::1") if config.is_everywhere else (config.host,)
        self._port = config.port
        self._elsewhere = "" if token is None else f", and the token is in {config.run / TOKEN}"
        self._page = f"http://{config.address}:{config.port}/"
        query = "" if token is None else f"?token={token}"
        self._line = f"{self._page}{query}"

    def is_up(self) -> bool:
        """Ask the server once; print the link if it answers."""
        if not any(_answers(host, self._port) for host in self._hosts):
            return False
        failure = say(self._line)
        if failure is not None:
            log.warning("The link cannot be printed (%s): it is %s%s", failure.strerror, self._page, self._elsewhere)
        return True


def _answers(host: str, port: int) -> bool:
    try:
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=1)) as connection:
            connection.request("GET", "/")
            connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    return True


def commands(config: Config) -> list[Command]:
    """The processes of a session."""
    server = Command("server", python("-m", "backend"), vital=True)
    if not config.ai:
        return [server]
    loops = [
        Command("trainer", python("-m", "IA.training")),
        Command("inference", python("-m", "IA.inference")),  # its embedding threads lower their own priority
        Command("selector", python("-m", "IA.selector")),
    ]
    return [server, *loops, _tensorboard(config)] if config.tensorboard else [server, *loops]


def _tensorboard(config: Config) -> Command:
    log_file = config.run / "logs" / "tensorboard.log"
    return Command("TensorBoard", python("-m", "backend.processes.tensorboard"), nice=10, log=log_file)


def environment(config: Config) -> dict[str, str]:
    """The environment of the processes."""
    ours = {**python_path(), "PYTHONSAFEPATH": "1", "IA_LOG_LEVEL": "WARNING"}
    return {**os.environ, **ours, **config.environment()}


def set_aside(run: Path) -> None:
    """Move an old run to `RUN.<timestamp>`; nothing is ever deleted."""
    if not run.exists():
        return
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = run.with_name(f"{run.name}.{stamp}")
    number = 2
    while aside.exists():
        aside, number = run.with_name(f"{run.name}.{stamp}-{number}"), number + 1
    try:
        run.rename(aside)
    except OSError as error:
        raise UsageError(f"The old run {run} cannot be moved aside ({error.strerror}); move it yourself.") from None
    sys.stderr.write(f"The old run is now {aside}.\n")


def prepare(config: Config) -> Config:
    """Check everything that a person may have got wrong, and make the folders that are missing.

    Returns:
        The settings that the session uses.

    Raises:
        UsageError: with one sentence.
    """
    if config.demo:
        check_address(config)  # A wrong address ends the start before pictures are made.
        _make_demo(config)
    first = config.run
    config = find_run(config)
    check_place(config)  # This and the network are checked before an old run is moved, so a mistake changes nothing.
    check_given_scores(config)
    _check_network(config)
    if config.reset and config.run.is_dir():
        with only_session(config.run):
            pass
        set_aside(config.run)
    check_run(config)
    sys.stderr.write(why_not_first(config, first) + renaming(config))
    if config.tensorboard and not is_free(config.port + 1):
        return _without_tensorboard(config, f"Port {config.port + 1} is in use")
    if config.tensorboard and not is_text(str(config.run)):
        return _without_tensorboard(config, f"The name of {config.run} is no UTF-8")
    return config


def _without_tensorboard(config: Config, reason: str) -> Config:
    sys.stderr.write(f"{reason}: TensorBoard is off in this session.\n")
    return dataclasses.replace(config, tensorboard=False)


def _make_demo(config: Config) -> None:
    folder = config.datadir
    if folder is None or folder.exists():
        return
    sys.stderr.write("Making the pictures of the demo: your question is whether there is a star.\n")
    try:
        demo.make(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"The pictures of the demo cannot be made in {folder.parent}: {reason}; name a run where they can, and "
            "they are made beside it: --run DIR."
        ) from None


def _check_network(config: Config) -> None:
    """Build a network that is not the default once, so that a wrong name is reported at once, be it the second one."""
    if not config.ai or config.network in {None, DEFAULT_NETWORK, AUTO}:
        return
    checked = subprocess.run(python("-m", "IA.networks", str(config.network)), check=False, env=environment(config))
    if checked.returncode:
        raise SystemExit(PERSONS_MISTAKE)


def main() -> None:
    """Run the session that the command line describes."""
    config = prepare(Config.for_session(sys.argv[1:] or ["--help"]))
    with only_session(config.run):
        (config.run / "logs").mkdir(exist_ok=True)
        os.environ["IA_LOG_LEVEL"] = "WARNING"
        log_to(config.run, "supervisor")
        sys.stderr.write(f"Answers and model are kept in {config.run}; Ctrl-C ends, the same command goes on.\n")
        sys.stderr.write(exposed(config))
        if not is_of_the_disk(config.run, "session"):
            sys.stderr.write("Its disk knows no locks: do not open this run on another machine at the same time.\n")
        link = Link(config, token_of(config.run) if config.token else None)
        code = Supervisor(commands(config), environment(config), link).supervise()
    raise SystemExit(code)


def start() -> None:
    """Run the command `intelligent-annotation` of the wheel: what launch.sh does, without the installation."""
    with contextlib.suppress(KeyboardInterrupt):  # A person pressed Ctrl-C before anything was started.
        one_sentence(main)


if __name__ == "__main__":
    start()

"""The web: what is not allowed in, what is sent to hurt, and what is held open to keep others out.

`rows(1)` takes about ten minutes on two cores; schemathesis, if it is installed, is half of it.
"""

import importlib.util
import logging
import math
import resource
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

from backend.app import create_app
from backend.processes.children import python
from backend.supervisor import environment
from backend.web.access import token_of
from backend.web.connections import BACKLOG, CONNECTIONS_AT_MOST, REQUEST_S, STALL_S
from config import Config
from IA.protocol.files import PREDICTOR
from tests.faults.intrusion.hostile import SILENT, Answer, broken_requests, exchange, mutants, odd_requests, request
from tests.faults.intrusion.intruders import let_in
from tests.faults.intrusion.paths import CANARY, requests_with_paths
from tests.faults.intrusion.throng import Crowd, kinds, slowest_s
from tests.faults.intrusion.witness import witnessed
from tests.faults.report import Row, skipped
from tests.processes.suite import Suite, free_port, pids, running
from tests.serving import Serving, serving, until

ANSWERED_S = 1.0
MEMORY = Path("/dev/shm")  # how long a busy disk takes to store an answer is not asked here
DESCRIPTORS = CONNECTIONS_AT_MOST + 3 * BACKLOG + 100
TOKEN = "a-token-of-nobody"
LARGE_BYTES = 8_000_000
LET_GO_S = REQUEST_S + STALL_S
QUIET_S = 0.3  # how long an unfinished request is waited for


def rows(scale: float) -> Iterator[Row]:
    """All of it, as often as `scale` says."""
    _allow_files()
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        folder = Path(place)
        datadir = pictures(folder)
        with serving(folder / "alone", datadir, token=TOKEN) as server:
            until(lambda: not server.session.images.listing)
            yield _strangers(server)
            yield _paths(server)
        yield board_row(folder)
        with running(folder / "run", datadir, "--no-ai") as suite:
            until(lambda: not suite.status()["listing"])
            token = token_of(suite.run)
            yield _answers("odd values in every place", odd_requests(suite.port, token), suite)
            yield _answers("requests that break HTTP", broken_requests(suite.port, token), suite)
            yield _mutants(suite, token, round(20_000 * scale))
            yield _wrong_tokens(suite, token, round(20_000 * scale))
            yield from _crowds(suite, token, max(round(500 * scale), 40))
            yield from _described(suite, token, round(10_000 * scale))
            yield _told(suite, token)


def pictures(folder: Path) -> Path:
    """A folder of two pictures."""
    datadir = folder / "data"
    datadir.mkdir()
    for number in range(2):
        Image.new("RGB", (400, 300), (90 * number, 90, 90)).save(datadir / f"{number}.png")
    return datadir


# --- who is let in ----------------------------------------------------------------------------------------------------


def _strangers(server: Serving) -> Row:
    port = server.client.base_url.port or 0
    outcomes = list(let_in(port, TOKEN, create_app(server.session, TOKEN)))
    wrong = [outcome for outcome in outcomes if outcome is not None]
    what = f"{len(outcomes):,} requests: no token, wrong Host, wrong Origin, other site; every route, ten methods"
    return Row(what, "0 let in", _some(wrong), not wrong)


def _paths(server: Serving) -> Row:
    port = server.client.base_url.port or 0
    asked = requests_with_paths(port, TOKEN)
    touched, wrong = touched_by(port, asked)
    what = f"{len(asked):,} requests that hold paths, addresses or commands"
    return Row(what, "none of them touched, 0 x 5xx", _some(touched + wrong), not (touched or wrong))


def touched_by(port: int, asked: list[bytes]) -> tuple[list[str], list[str]]:
    """What this process touched of what requests name, or connected to; and which requests were answered with 5xx."""
    wrong = []
    with witnessed() as seen:
        for each in asked:
            answer = exchange(port, each, 5.0)
            if answer.status >= 500 or answer.status == SILENT:
                wrong.append(f"{each[:80]!r}: {answer.status}")
    near = f"('127.0.0.1', {port})"
    touched = {f"{event} {what}" for event, what in seen if CANARY in what}
    touched |= {f"{event} {what}" for event, what in seen if event == "socket.connect" and near not in what}
    return sorted(touched), wrong


def board_row(folder: Path) -> Row:
    """TensorBoard on its own port, asked as another person on this machine or a page from elsewhere would."""
    config = Config(run=folder / "board", port=free_port(), datadir=folder)
    token = token_of(config.run)
    (config.run / "tensorboard").mkdir()
    log = (folder / "board.log").open("w")
    with (
        log,
        subprocess.Popen(
            python("-m", "backend.processes.tensorboard"), env=environment(config), stdout=log, stderr=log
        ) as board,
    ):
        try:
            port = config.port + 1
            until(partial(_listens, port), 60)
            bearer = {"authorization": f"Bearer {token}"}
            wanted = {
                "with the token": (bearer, 200),
                "without": ({}, 403),
                "wrong": ({"authorization": f"Bearer {token}x"}, 403),
                "rebound name": (bearer | {"host": f"evil.example:{port}"}, 403),
            }
            answers = {
                name: exchange(port, request(port, "/tensorboard/data/environment", headers=headers)).status
                for name, (headers, _) in wanted.items()
            }
            wrong = [name for name, (_, status) in wanted.items() if answers[name] != status]
            wrong += [f"process {pid} besides" for pid in _children(board.pid)]
        finally:
            board.terminate()
    what = "TensorBoard's own port: no token, a wrong one, another host name; processes that listen besides"
    return Row(what, "only the token opens it; none", _some(wrong), not wrong)


# --- what is sent to hurt ---------------------------------------------------------------------------------------------


def _answers(what: str, asked: dict[str, bytes], suite: Suite) -> Row:
    answers = {name: exchange(suite.port, each, 5.0) for name, each in asked.items()}
    wrong = [f"{name}: {answer.status}" for name, answer in answers.items() if answer.status >= 500]
    return Row(f"{len(asked):,} {what}", "0 x 5xx", _figures(wrong, answers.values()), not wrong)


def _mutants(suite: Suite, token: str, count: int) -> Row:
    bearer = {"authorization": f"Bearer {token}"}
    body = b'{"image": 0, "label": "positive", "source": "key", "client": "me", "shown_ms": 12}'
    port = suite.port
    samples = [
        request(port, "/api/annotations", "POST", body, bearer),
        request(port, "/api/annotations/batch", "POST", b'{"annotations": [' + body + b"]}", bearer),
        request(port, "/api/undo", "POST", b'{"client": "me"}', bearer),
        request(port, "/api/strategy", "PUT", b'{"strategy": "entropy"}', bearer),
        request(port, "/api/annotations?limit=5&label=positive&least=0.5&order=newest", headers=bearer),
        request(port, "/api/images/1?size=64", headers=bearer | {"if-none-match": '"x"', "range": "bytes=0-5"}),
        request(port, "/api/queue?count=3&client=me", headers={"cookie": f"ia_token_{port}={token}; a=b"}),
        request(port, "/", headers=bearer | {"range": "bytes=0-1,3-"}),
    ]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda each: exchange(port, each, QUIET_S), mutants(samples, count, seed=1)))
    wrong = [f"{answer.status} {answer.body[:60]!r}" for answer in answers if answer.status >= 500]
    return Row(f"{count:,} mutants of eight good requests", "0 x 5xx", _figures(wrong, answers), not wrong)


def _wrong_tokens(suite: Suite, token: str, count: int) -> Row:
    def asked(number: int) -> bytes:
        guess = f"{token[:-4]}{number % 1000:03}" if number % 2 else f"guess-{number}"
        headers = {"authorization": f"Bearer {guess}"} if number % 3 else {"cookie": f"ia_token_{suite.port}={guess}"}
        return request(suite.port, "/api/status", headers=headers)

    guesses = [asked(number) for number in range(count)]
    right = request(suite.port, headers={"authorization": f"Bearer {token}"})
    slowest = [0.0]
    with ThreadPoolExecutor(16) as pool:
        pending = pool.map(lambda each: exchange(suite.port, each).status, guesses)
        for _ in range(20):
            started_s = time.monotonic()
            assert exchange(suite.port, right).status == 200
            slowest.append(time.monotonic() - started_s)
        statuses = Counter(pending)
    measured = f"{statuses[200]} accepted; {max(slowest) * 1000:.0f} ms"
    is_met = set(statuses) == {401} and max(slowest) < ANSWERED_S
    return Row(f"{count:,} wrong tokens, 16 at once", "0 accepted, others answered within 1 s", measured, is_met)


# --- what is held open ------------------------------------------------------------------------------------------------


def _crowds(suite: Suite, token: str, count: int) -> Iterator[Row]:
    server = suite.pid_of("backend")
    (suite.run / PREDICTOR).write_bytes(bytes(LARGE_BYTES))
    before = _descriptors(server)
    sizes = [(kind, first, count) for kind, first in kinds(suite.port, token).items()]
    for kind, first, size in [*sizes, ("say nothing", b"", 4 * count)]:
        crowd = Crowd(suite.port)
        try:
            crowd.grow(size, first)
            with crowd.dribbling():
                slowest, most = _watched(suite, token, server, 100)
        finally:
            crowd.close()
        until(lambda: _descriptors(server) <= before + 20, 60)
        yield _crowd_row(f"{size:,} connections that {kind}", slowest, most)
    yield _flood(suite, token, server, count)
    yield _left_alone(suite, token, count)
    (suite.run / PREDICTOR).unlink()


def _flood(suite: Suite, token: str, server: int, count: int) -> Row:
    """New connections all the time, up to 2,500 a second; the latest of them are held."""
    stop, opened = threading.Event(), Counter[str]()

    def flood() -> None:
        crowd = Crowd(suite.port)
        while not stop.wait(0.02):
            crowd.grow(50, b"GET / HTTP/1.1\r\n")
            opened["connections"] += 50
            crowd.forget(2 * count)
        crowd.close()

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        slowest, most = _watched(suite, token, server, 200)
    finally:
        stop.set()
        thread.join()
    return _crowd_row(f"{opened['connections']:,} connections, one after another, {2 * count} held open", slowest, most)


def _left_alone(suite: Suite, token: str, count: int) -> Row:
    """What never asks is closed."""
    crowd = Crowd(suite.port)
    asking = [first for kind, first in kinds(suite.port, token).items() if kind != "never read their events"]
    started_s = time.monotonic()
    try:
        for first in asking:
            crowd.grow(count // len(asking), first)
        with crowd.dribbling():
            until(lambda: crowd.open() == 0, LET_GO_S)
        measured, is_met = f"the last after {time.monotonic() - started_s:.0f} s", True
    except AssertionError:
        measured, is_met = f"{crowd.open()} still open", False
    finally:
        crowd.close()
    return Row(
        f"{count} half-open connections of all kinds, left alone",
        f"all closed within {LET_GO_S:.0f} s",
        measured,
        is_met,
    )


def _watched(suite: Suite, token: str, server: int, count: int) -> tuple[float, int]:
    """The slowest answer to somebody else, and the most files that the server had open meanwhile."""
    slowest, most = 0.0, 0
    for _ in range(count // 10):
        most = max(most, _descriptors(server))
        try:
            slowest = max(slowest, slowest_s(suite.port, token, 10))
        except OSError:
            return math.inf, most
    return slowest, most


def _crowd_row(what: str, slowest: float, most: int) -> Row:
    bar = f"others answered within 1 s, at most {DESCRIPTORS:,} descriptors"
    measured = f"{'no answer' if math.isinf(slowest) else f'{slowest * 1000:.0f} ms'}, {most:,}"
    return Row(what, bar, measured, slowest < ANSWERED_S and most <= DESCRIPTORS)


# --- what the description promises ------------------------------------------------------------------------------------


def _described(suite: Suite, token: str, count: int) -> Iterator[Row]:
    what = "cases that schemathesis makes of our OpenAPI"
    if importlib.util.find_spec("schemathesis") is None:
        yield from skipped(f"{count:,} {what}", "schemathesis is not installed: pip install -e '.[faults]'")
        return
    from tests.faults.intrusion.described import cases

    statuses, wrong = cases(f"http://127.0.0.1:{suite.port}", token, count)
    families = Counter(f"{status // 100}xx" for status in statuses.elements())
    told = ", ".join(f"{number:,} x {family}" for family, number in sorted(families.items()))
    yield Row(f"{statuses.total():,} {what}", "0 x 5xx", f"{_some(wrong)} ({told})", not wrong)


def _told(suite: Suite, token: str) -> Row:
    """What the logs and the terminal hold after all that."""
    logs = [path.read_text(errors="replace") for path in (suite.run / "logs").iterdir()] + [suite.terminal()]
    wrong = [
        f"{word} {sum(text.count(word) for text in logs)}x" for word in (token, "Traceback") if word in "".join(logs)
    ]
    restarts = suite.terminal().count("starting again")
    wrong += [f"{restarts} restarts"] if restarts else []
    return Row("logs and terminal after all that", "no token, no traceback, no restart", _some(wrong), not wrong)


def _some(wrong: list[str]) -> str:
    return f"{len(wrong)}" + (f", such as {'; '.join(wrong[:3])}" if wrong else "")


def _figures(wrong: list[str], answers: Iterable[Answer]) -> str:
    families = Counter(f"{answer.status // 100}xx" if answer.status > 0 else "no answer" for answer in answers)
    return f"{_some(wrong)} ({', '.join(f'{number:,} x {family}' for family, number in sorted(families.items()))})"


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _children(pid: int) -> list[int]:
    return [each for each in pids() if f"\nPPid:\t{pid}\n" in _status(each)]


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""


def _listens(port: int) -> bool:
    try:
        return exchange(port, request(port)).status > 0
    except ConnectionRefusedError:
        return False


def _allow_files() -> None:
    """Let this process hold the other end of all those connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))

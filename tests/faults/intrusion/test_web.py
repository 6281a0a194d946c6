"""The quick part of the web's fault tests."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.routing import Route

from backend.app import create_app
from backend.runs.checks import exposed
from backend.web import connections
from config import ROOT, Config
from IA.protocol.files import PREDICTOR
from tests.faults.intrusion.hostile import broken_requests, exchange, mutants, odd_requests, request
from tests.faults.intrusion.intruders import let_in, targets
from tests.faults.intrusion.paths import requests_with_paths
from tests.faults.intrusion.throng import Crowd, kinds, slowest_s
from tests.faults.intrusion.witness import witnessed
from tests.faults.web import board_row, pictures, touched_by
from tests.processes.suite import free_port, running
from tests.serving import Serving, serving, until

TOKEN = "a-token-of-nobody"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of two pictures, with a token."""
    folder = tmp_path_factory.mktemp("web")
    with serving(folder / "run", pictures(folder), token=TOKEN) as server:
        (server.session.run / PREDICTOR).write_bytes(bytes(30_000_000))
        until(lambda: not server.session.images.listing)
        yield server


def port_of(server: Serving) -> int:
    """Where it listens."""
    return server.client.base_url.port or 0


@pytest.mark.slow
def test_nobody_is_let_in(server: Serving) -> None:
    """Without the token, or from another site, no route answers; every refusal has the headers."""
    app = create_app(server.session, TOKEN)
    outcomes = list(let_in(port_of(server), TOKEN, app, ["GET", "POST"]))
    assert [outcome for outcome in outcomes if outcome is not None] == []
    assert len(outcomes) > 900


def test_every_route_is_tried(server: Serving) -> None:
    """The routes that intruders try are all that the app has, and none of them is a socket."""
    app = create_app(server.session, TOKEN)
    assert all(isinstance(route, Route) for route in app.routes)
    assert {"/", "/assets/x", "/tensorboard/", "/api/docs", "/api/openapi.json", "/api/events"} < set(targets(app))


@pytest.mark.slow
def test_odd_values(server: Serving) -> None:
    """NaN, endless numbers, lone surrogates, 6,000 digits, deep JSON, bad UTF-8, anywhere: never 5xx."""
    port = port_of(server)
    answers = {name: exchange(port, asked).status for name, asked in list(odd_requests(port, TOKEN).items())[::2]}
    assert {name: status for name, status in answers.items() if not 200 <= status < 500} == {}
    stored = {name for name, status in answers.items() if status == 201 and not name.startswith("header")}
    assert stored <= {"repeat: true", "shown_ms: null", "group: null", "client: text", "annotations, body: UTF-16"}


def test_broken_requests(server: Serving) -> None:
    """What breaks HTTP, or stretches it, is refused: long addresses, 10,000 headers, wrong and double lengths."""
    port = port_of(server)
    asked = broken_requests(port, TOKEN)
    endless = asked.pop("chunk size huge")
    answers = {name: exchange(port, each) for name, each in asked.items()}
    assert {name: answer for name, answer in answers.items() if answer.status >= 500} == {}
    assert exchange(port, endless, 0.2).status <= 400
    fine = {"HTTP/9", "bare line ends", "folded header", "trailers", "expects", "expects the odd", "upgrade to h2c"}
    taken = {200, 409}  # some undo, and there may be nothing to
    assert {name for name, answer in answers.items() if answer.status in taken} == fine | {
        "10,000 quotes",
        "many ranges",
    }
    assert {name for name, answer in answers.items() if answer.status == 413} == {
        "length too large",
        "length huge, nothing sent",
        "chunks too large",
    }
    assert answers["chunks and a length"].status == 400
    assert len(answers["many ranges"].body) < 10_000


@pytest.mark.slow
def test_mutants(server: Serving) -> None:
    """Requests with bytes changed are never answered with 5xx."""
    port = port_of(server)
    body = b'{"image": 0, "label": "positive", "source": "key", "client": "me", "shown_ms": 12}'
    samples = [
        request(port, "/api/annotations", "POST", body, BEARER),
        request(port, "/api/annotations?limit=5&label=positive&least=0.5", headers=BEARER),
    ]
    answers = [(each, exchange(port, each, 0.05).status) for each in mutants(samples, 300, seed=7)]
    assert [(each, status) for each, status in answers if status >= 500] == []


@pytest.mark.slow
def test_no_path_is_a_path(server: Serving) -> None:
    """Nothing that a request names is opened, listed, run or connected to."""
    port = port_of(server)
    assert touched_by(port, requests_with_paths(port, TOKEN)[::8]) == ([], [])


def test_the_witness_would_tell(tmp_path: Path) -> None:
    """A file that another thread opens, and a host that it asks, are noticed."""
    with witnessed() as seen, ThreadPoolExecutor(1) as pool:
        pool.submit((tmp_path / "zqcanary").touch).result()
        pool.submit(exchange, 1, b"GET /zqcanary").exception()
    assert "zqcanary" in "".join(what for event, what in seen if event == "open")
    assert "('127.0.0.1', 1)" in "".join(what for event, what in seen if event == "socket.connect")


@pytest.mark.parametrize("kind", kinds(1, TOKEN))
def test_half_open_connections_keep_nobody_out(server: Serving, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """With every place taken by connections that ask for nothing, or read nothing, somebody else is served."""
    monkeypatch.setattr(connections, "CONNECTIONS_AT_MOST", 20)
    crowd = Crowd(port_of(server))
    try:
        crowd.grow(60, kinds(port_of(server), TOKEN)[kind])
        slowest_s(port_of(server), TOKEN, 10)
        until(lambda: crowd.open() <= 20)
    finally:
        crowd.close()


def test_what_never_asks_is_closed(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is not whole in time ends its connection, though a byte more comes each moment."""
    monkeypatch.setattr(connections, "REQUEST_S", 0.3)
    monkeypatch.setattr("tests.faults.intrusion.throng.EVERY_S", 0.05)
    port = port_of(server)
    crowd = Crowd(port)
    asking = {kind: first for kind, first in kinds(port, TOKEN).items() if not kind.startswith("never read")}
    try:
        for first in asking.values():
            crowd.grow(3, first)
        with crowd.dribbling():
            until(lambda: crowd.open() == 0)
    finally:
        crowd.close()


def test_what_is_never_read_is_closed(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is not read ends its connection."""
    monkeypatch.setattr(connections, "STALL_S", 0.3)
    crowd = Crowd(port_of(server))
    try:
        crowd.grow(3, request(port_of(server), "/api/predictor", headers=BEARER))
        until(lambda: crowd.open() == 0)
    finally:
        crowd.close()


def test_events_stay(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event stream that is read goes on, however long ago it was asked for."""
    monkeypatch.setattr(connections, "REQUEST_S", 0.2)
    with server.client.stream("GET", "/api/events", headers=BEARER) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        next(lines)
        crowd = Crowd(port_of(server))
        crowd.grow(1, b"")
        until(lambda: crowd.open() == 0)  # as long as a request may take
        crowd.close()
        server.client.post("/api/annotations", json={"image": 1, "label": "negative"}, headers=BEARER)
        assert next(lines)


@pytest.mark.processes
def test_tensorboard_asks_for_the_token_itself(tmp_path: Path) -> None:
    """On its own port TensorBoard answers neither other people on this machine nor pages from elsewhere."""
    row = board_row(tmp_path)
    assert row.is_met, row.measured


@pytest.mark.processes
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_no_token_is_for_this_machine_alone(tmp_path: Path, host: str) -> None:
    """Without a token nothing but loopback is listened on."""
    arguments = [
        host,
        str(free_port()),
        str(pictures(tmp_path)),
        "--no-token",
        "--no-ai",
        "--run",
        str(tmp_path / "run"),
    ]
    command = [sys.executable, "-m", "backend.supervisor", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "--no-token" in ended.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.processes
def test_what_is_exposed_is_told(tmp_path: Path) -> None:
    """Who starts a session that others can reach is told so; the token is in the link, and in no log."""
    with running(tmp_path / "run", pictures(tmp_path), "--no-ai", host="0.0.0.0") as suite:
        token = (suite.run / "token").read_text().strip()
        assert all(word in suite.terminal() for word in ("every address", "whoever has the link", "ssh -L"))
        logs = "".join(path.read_text() for path in (suite.run / "logs").iterdir())
        assert token not in suite.terminal() + logs
        assert token in suite.link


def test_loopback_is_not_exposed(tmp_path: Path) -> None:
    """Nothing is told, and no token is needed, where this machine alone can ask."""
    for host in ("localhost", "127.0.0.1", "::1", "127.8.8.8"):
        assert exposed(Config(run=tmp_path, host=host)) == ""
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        assert "ssh -L" in exposed(Config(run=tmp_path, host=host))

"""Annotators that answer as fast as they are acknowledged: one lean process apart from that of the test.

    python -m tests.faults.crowds.annotators '{"port": 8077, "token": "...", "annotators": 8, "seconds": 5, ...}'

Every annotator has a connection of its own, sends what a browser sends, and waits for the answer before it goes on. The
last line printed is what came of it, as JSON: `Outcome`.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from typing import Literal

from config import ROOT

PATIENCE_S = 30.0
LABELS = ("positive", "negative", "skipped")

Doing = Generator[bytes, tuple[int, bytes], None]
"""One annotator: yields a request, is sent the status and the body of its answer."""


@dataclass(frozen=True)
class Task:
    """What a group of annotators is to do.

    Attributes:
        port: of the server, on loopback.
        token: of the run.
        annotators: how many there are, each with a connection of its own.
        seconds: how long they go on; what is under way then is still waited for.
        work: `answer` posts single answers, `batch` posts `count` at once, `queue` asks for `count` images and answers
            the first of them.
        first: number of the first image that is answered; the annotators take turns from there.
        images: how many images there are; after the last the first is answered anew.
        count: images of one request.
        streams: event streams that are open meanwhile, as every page has one.
    """

    port: int
    token: str
    annotators: int
    seconds: float
    work: Literal["answer", "batch", "queue"] = "answer"
    first: int = 0
    images: int = 1
    count: int = 8
    streams: int = 0


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        seconds: from the first request to the last answer.
        busy: share of one core that the annotators themselves took.
        latencies_ms: of every request for which an answer was acknowledged.
        acknowledged: id, image and label of every answer that was acknowledged.
        sent: how many answers were sent.
        handed: client, image, and when it was asked for and came, in seconds.
        refused: answers of another status than 200 and 201, a few of them.
    """

    seconds: float = 0.0
    busy: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    acknowledged: list[tuple[str, int, str]] = field(default_factory=list)
    sent: int = 0
    handed: list[tuple[str, int, float, float]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        """Answers acknowledged in a second."""
        return len(self.acknowledged) / self.seconds

    def latency_ms(self, share: float) -> float:
        """The latency that this share of the requests stayed below."""
        return sorted(self.latencies_ms)[int(share * (len(self.latencies_ms) - 1))]


def annotate(task: Task) -> Outcome:
    """Have it done by a process apart."""
    return finish(begin(task))


def begin(task: Task) -> "subprocess.Popen[str]":
    """Have it begun by a process apart."""
    command = [sys.executable, "-m", "tests.faults.crowds.annotators", json.dumps(asdict(task))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> Outcome:
    """Wait for what came of it."""
    printed, _ = process.communicate()
    if process.returncode:
        raise AssertionError(f"the annotators ended with {process.returncode}")
    return Outcome(**json.loads(printed))


# --- the process ------------------------------------------------------------------------------------------------------


class _Connection:
    """One annotator's connection, never blocking."""

    def __init__(self, port: int, doing: Doing) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._doing = doing
        self._received = b""
        self.socket.sendall(next(doing))

    def read(self) -> bool:
        """Take what has come; when that is a whole answer, send the next request. False when there is none."""
        chunk = self.socket.recv(1 << 17)
        if not chunk:
            raise ConnectionError("the server has closed a connection")
        self._received = self._received + chunk if self._received else chunk
        head, parted, body = self._received.partition(b"\r\n\r\n")
        if not parted:
            return True
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        if len(body) < int(length):
            return True
        self._received = b""
        try:
            self.socket.sendall(self._doing.send((int(head[9:12]), body)))
        except StopIteration:
            return False
        return True


class _Group:
    """The annotators of one task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._outcome = Outcome()
        self._numbers = iter(range(task.first, sys.maxsize))
        self._until_s = 0.0
        self._head = (
            f"Host: 127.0.0.1:{task.port}\r\nConnection: keep-alive\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0\r\n"
            f"Accept: */*\r\nOrigin: http://127.0.0.1:{task.port}\r\nSec-Fetch-Site: same-origin\r\n"
            "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nAccept-Encoding: gzip, deflate, br\r\n"
            f"Accept-Language: en\r\nCookie: ia_token_{task.port}={task.token}\r\n"
        )

    def run(self) -> Outcome:
        """Answer until the time is over."""
        streams = [self._stream() for _ in range(self._task.streams)]
        do = {"answer": self._answer, "batch": self._batch, "queue": self._ask}[self._task.work]
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        self._until_s = began_s + self._task.seconds
        with selectors.DefaultSelector() as selector:
            for stream in streams:
                selector.register(stream, selectors.EVENT_READ, None)
            for number in range(self._task.annotators):
                connection = _Connection(self._task.port, do(f"annotator-{number}"))
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            working = self._task.annotators
            while working:
                ready = selector.select(PATIENCE_S)
                if not ready:
                    raise TimeoutError(f"no answer in {PATIENCE_S:.0f} s")
                for key, _ in ready:
                    if key.data is None:
                        key.fileobj.recv(1 << 17)  # type: ignore[union-attr]
                    elif not key.data.read():
                        selector.unregister(key.fileobj)
                        key.data.socket.close()
                        working -= 1
        for stream in streams:
            stream.close()
        self._outcome.seconds = time.perf_counter() - began_s
        self._outcome.busy = (time.process_time() - began_cpu_s) / self._outcome.seconds
        return self._outcome

    def _stream(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._task.port), PATIENCE_S)
        connection.sendall(self._request("GET", "/api/events"))
        return connection

    def _request(self, method: str, path: str, body: str = "") -> bytes:
        content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{method} {path} HTTP/1.1\r\n{self._head}{content}\r\n{body}".encode()

    def _is_good(self, status: int, body: bytes) -> bool:
        if status in (200, 201):
            return True
        if len(self._outcome.refused) < 10:
            self._outcome.refused.append(f"{status} {body[:200].decode('utf-8', 'replace')}")
        return False

    def _entry(self, client: str, image: int) -> tuple[str, tuple[str, int, str]]:
        """The body of one answer, and what is remembered of it."""
        id, label = str(uuid.uuid4()), LABELS[image % 3]
        self._outcome.sent += 1
        body = (
            f'{{"image":{image},"label":"{label}","source":"key","client":"{client}","shown_ms":830,"id":"{id}",'
            '"repeat":false}'
        )
        return body, (id, image, label)

    def _answer(self, client: str) -> Doing:
        while (sent_s := time.perf_counter()) < self._until_s:
            body, entry = self._entry(client, next(self._numbers) % self._task.images)
            if self._is_good(*(yield self._request("POST", "/api/annotations", body))):
                self._outcome.latencies_ms.append(1000 * (time.perf_counter() - sent_s))
                self._outcome.acknowledged.append(entry)

    def _batch(self, client: str) -> Doing:
        while (sent_s := time.perf_counter()) < self._until_s:
            images = [next(self._numbers) % self._task.images for _ in range(self._task.count)]
            bodies, entries = zip(*(self._entry(client, image) for image in images), strict=True)
            body = f'{{"annotations":[{",".join(bodies)}]}}'
            if self._is_good(*(yield self._request("POST", "/api/annotations/batch", body))):
                self._outcome.latencies_ms.append(1000 * (time.perf_counter() - sent_s))
                self._outcome.acknowledged += entries

    def _ask(self, client: str) -> Doing:
        path = f"/api/queue?count={self._task.count}&client={client}"
        while (sent_s := time.perf_counter()) < self._until_s:
            status, content = yield self._request("GET", path)
            now_s = time.perf_counter()
            if not self._is_good(status, content):
                continue
            images = [image["image"] for image in json.loads(content)["images"]]
            self._outcome.handed += [(client, image, sent_s, now_s) for image in images]
            if not images:
                return
            body, entry = self._entry(client, images[0])
            if self._is_good(*(yield self._request("POST", "/api/annotations", body))):
                self._outcome.latencies_ms.append(1000 * (time.perf_counter() - now_s))
                self._outcome.acknowledged.append(entry)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_Group(Task(**json.loads(sys.argv[1]))).run())))

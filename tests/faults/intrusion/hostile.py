"""Requests as no browser sends them, over a plain socket, and what came of them."""

import contextlib
import http.client
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

ANSWER_S = 10.0
SILENT, DROPPED = 0, -1
ENDLESS = "text/event-stream"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: the HTTP status; `SILENT` where nothing came in time, `DROPPED` where the connection was closed.
        headers: their names in lower case.
        body: all of it, but of an event stream nothing.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def exchange(port: int, request: bytes, wait_s: float = ANSWER_S) -> Answer:
    """Send these bytes over a connection of their own, and read the first answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before it was sent whole
            connection.sendall(request)
        answer = http.client.HTTPResponse(connection, method=request.split(b" ", 1)[0].decode("latin-1"))
        try:
            answer.begin()
            headers = {name.lower(): answer.getheader(name, "") for name, _ in answer.getheaders()}
            body = b"" if ENDLESS in headers.get("content-type", "") else answer.read()
            return Answer(answer.status, headers, body)
        except TimeoutError:
            return Answer(SILENT)
        except (http.client.HTTPException, ConnectionError):
            return Answer(DROPPED)
        finally:
            answer.close()


def request(
    port: int,
    target: str = "/api/status",
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str | None] = MappingProxyType({}),
) -> bytes:
    """A request as it goes over the wire; `Host` and the body's length are added unless given, None leaves one out."""
    given: dict[str, str | None] = {"Host": f"127.0.0.1:{port}"}
    if body or method in {"POST", "PUT"}:
        given |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape") + body


def answer_of(text: str) -> bytes:
    """The body of an answer, with one field as it is given here."""
    fields = {"image": "0", "label": '"positive"'}
    name, _, value = text.partition("=")
    return ("{" + ", ".join(f'"{key}": {said}' for key, said in (fields | {name: value}).items()) + "}").encode(
        "utf-8", "surrogatepass"
    )


LONG = "9" * 6000
ODD_VALUES = {
    "not a number": "NaN",
    "endless": "Infinity",
    "endless below": "-Infinity",
    "6,000 digits": LONG,
    "6,000 digits below": f"-{LONG}",
    "6,000 digits after the point": f"0.{LONG}",
    "exponent": "1e400",
    "lone surrogate": '"\\ud800"',
    "lone surrogate as bytes": '"\ud800"',
    "zero byte": '"\\u0000"',
    "deep list": "[" * 30_000 + "]" * 30_000,
    "deep object": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "true": "true",
    "null": "null",
    "text": '"x"',
    "long text": f'"{"x" * 60_000}"',
    "object": "{}",
}
ODD_BODIES = {
    "nothing": b"",
    "only blanks": b" " * 60_000,
    "no UTF-8": b'{"image": 0, "label": "\xff\xfe"}',
    "UTF-16": '{"image": 0, "label": "positive"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"image": 0, "label": "x"}',
    "never closed, 60,000 deep": b"[" * 60_000,
    "never closed, 100,000 deep": b"[" * 100_000,
    "never closed objects": b'{"a":' * 12_000,
    "same key twice": b'{"image": 0, "image": 1e999, "label": "positive"}',
    "many keys": b"{" + b",".join(b'"k%d":1' % number for number in range(6000)) + b"}",
    "a number": b"1",
    "6,000 digits alone": LONG.encode(),
    "NaN alone": b"NaN",
    "zero bytes": b"\0" * 1000,
    "form": b"image=0&label=positive",
}
ODD_TEXTS = {
    "zero byte": "%00",
    "no UTF-8": "%ff%fe",
    "lone surrogate": "%ed%a0%80",
    "6,000 digits": LONG,
    "not a number": "nan",
    "endless": "inf",
    "negative": "-1",
    "exponent": "1e309",
    "line ends": "%0d%0aSet-Cookie:%20x=1",
    "half a code": "%",
    "wrong code": "%zz",
    "underscores": "1_000",
    "other digits": "%d9%a1",
    "list": "1&{name}=2",
    "brackets": "[]",
}
NUMBERS = ("limit", "offset", "least", "most", "points", "count", "size")
WORDS = ("label", "source", "order", "disagrees", "client", "format", "version")


def odd_requests(port: int, token: str) -> dict[str, bytes]:
    """Every odd value in every place that takes one, by a name of its own; all with the token."""
    bearer = f"Bearer {token}"
    made: dict[str, bytes] = {}
    for name, value in ODD_VALUES.items():
        for place in ("image", "label", "source", "client", "shown_ms", "id", "group", "repeat", "other"):
            body = answer_of(f"{place}={value}")
            made[f"{place}: {name}"] = request(
                port, "/api/annotations", "POST", body, headers={"authorization": bearer}
            )
        for route, key in {"undo": "client", "annotations/batch": "annotations"}.items():
            body = f'{{"{key}": {value}}}'.encode("utf-8", "surrogatepass")
            made[f"{route}: {name}"] = request(port, f"/api/{route}", "POST", body, headers={"authorization": bearer})
        body = f'{{"strategy": {value}}}'.encode("utf-8", "surrogatepass")
        made[f"strategy: {name}"] = request(port, "/api/strategy", "PUT", body, headers={"authorization": bearer})
    for name, body in ODD_BODIES.items():
        for route in ("annotations", "annotations/batch", "undo"):
            made[f"{route}, body: {name}"] = request(
                port, f"/api/{route}", "POST", body, headers={"authorization": bearer}
            )
    for name, text in ODD_TEXTS.items():
        for key in NUMBERS + WORDS:
            for route in ("annotations", "statistics", "queue", "images/0", "export"):
                target = f"/api/{route}?{key}={text.replace('{name}', key)}"
                made[f"{route}?{key}: {name}"] = request(port, target, headers={"authorization": bearer})
        for place in ("/api/images/{}", "/assets/{}", "/{}", "/tensorboard/{}", "/api/{}"):
            made[f"{place}: {name}"] = request(port, place.format(text), headers={"authorization": bearer})
        for header in ("cookie", "origin", "referer", "if_none_match", "range", "accept", "content_type", "te"):
            odd: dict[str, str | None] = {header: f"ia_token_{port}={text}; a={text}" if header == "cookie" else text}
            made[f"header {header}: {name}"] = request(port, headers={"authorization": bearer} | odd)
    for name, raw in {"no UTF-8": "\udcff\udcfe", "all bytes": "".join(map(chr, range(128, 256)))}.items():
        for header in ("cookie", "origin", "if_none_match", "authorization", "accept"):
            made[f"header {header}: bytes, {name}"] = request(port, headers={"authorization": bearer} | {header: raw})
    return made


def broken_requests(port: int, token: str) -> dict[str, bytes]:
    """Requests that break HTTP itself, or stretch it."""
    start = f"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n".encode()
    post = start.replace(b"GET /api/status", b"POST /api/undo") + b"Content-Type: application/json\r\n"
    return {
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "two hosts": start + b"Host: evil.example\r\n\r\n",
        "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/9": start.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n",
        "no version": b"GET /\r\n\r\n",
        "TLS": bytes.fromhex("16030100a5010000a10303") + b"\0" * 200 + b"\r\n\r\n",
        "zero bytes": b"\0" * 500 + b"\r\n\r\n",
        "bare line ends": start.replace(b"\r\n", b"\n") + b"\n",
        "bare returns": start + b"A: b\rC: d\r\n\r\n",
        "folded header": start + b"A: b\r\n c\r\n\r\n",
        "blank before colon": start + b"A : b\r\n\r\n",
        "no name": start + b": b\r\n\r\n",
        "zero byte in a header": start + b"A: b\0c\r\n\r\n",
        "odd method": start.replace(b"GET", b"G\xff T") + b"\r\n",
        "long method": start.replace(b"GET", b"G" * 20_000) + b"\r\n",
        "long address": start.replace(b"/api/status", b"/" + b"a" * 200_000) + b"\r\n",
        "long query": start.replace(b"/api/status", b"/api/status?" + b"a=b&" * 50_000) + b"\r\n",
        "long header": start + b"A: " + b"b" * 200_000 + b"\r\n\r\n",
        "10,000 headers": start + b"".join(b"A%d: b\r\n" % number for number in range(10_000)) + b"\r\n",
        "10,000 cookies": start + b"Cookie: " + b"a=b; " * 10_000 + b"\r\n\r\n",
        "10,000 quotes": start + b'Cookie: a="' + b"\\" * 10_000 + b"\r\n\r\n",
        "address with a host": start.replace(b"/api/status", b"http://evil.example/api/status") + b"\r\n",
        "address *": start.replace(b"GET /api/status", b"OPTIONS *") + b"\r\n",
        "CONNECT": start.replace(b"GET /api/status", b"CONNECT evil.example:80") + b"\r\n",
        "length -1": post + b"Content-Length: -1\r\n\r\n{}",
        "length +2": post + b"Content-Length: +2\r\n\r\n{}",
        "length 0x2": post + b"Content-Length: 0x2\r\n\r\n{}",
        "length 2, 3": post + b"Content-Length: 2, 3\r\n\r\n{}",
        "two lengths": post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        "length of 5,000 digits": post + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
        "length too large": post + b"Content-Length: 65537\r\n\r\n" + b" " * 65_537,
        "length huge, nothing sent": post + b"Content-Length: 99999999999\r\n\r\n",
        "chunks too large": post
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"ffff\r\n"
        + b" " * 65535
        + b"\r\n" * 1
        + b"2\r\n  \r\n0\r\n\r\n",
        "chunk size huge": post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "chunk size -1": post + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
        "chunks and a length": post + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "gzip chunks": post + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "xchunked": post + b"Transfer-Encoding: xchunked\r\n\r\n{}",
        "trailers": post + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nHost: evil.example\r\n\r\n",
        "gzip body": post + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
        "expects": post + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        "expects the odd": post + b"Expect: the unexpected\r\nContent-Length: 2\r\n\r\n{}",
        "upgrade to h2c": start + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
        "many ranges": start.replace(b"/api/status", b"/")
        + b"Range: bytes="
        + b",".join(b"%d-%d" % (2 * at, 2 * at) for at in range(3000))
        + b"\r\n\r\n",
    }


def mutants(samples: list[bytes], count: int, seed: int) -> list[bytes]:
    """Requests of these with bytes changed, taken out, put in, doubled, or parts of two joined."""
    source = random.Random(seed)
    return [_mutant(source, samples) for _ in range(count)]


def _mutant(source: random.Random, samples: list[bytes]) -> bytes:
    text = bytearray(source.choice(samples)[:20_000])
    for _ in range(source.choice([1, 1, 2, 4, 16])):
        at = source.randrange(len(text) + 1)
        kind = source.randrange(6)
        if kind == 0:
            text[at:at] = source.randbytes(source.choice([1, 2, 8]))
        elif kind == 1:
            del text[at : at + source.choice([1, 2, 16])]
        elif kind == 2 and at < len(text):
            text[at] ^= 1 << source.randrange(8)
        elif kind == 3:
            text[at:at] = source.choice([b"\r\n", b"\0", b"%00", b"\xff", b":", b" ", b"-", b"9" * 30, b"\r\n\r\n"])
        elif kind == 4:
            text[at:at] = text[at : at + source.randrange(200)]
        else:
            other = source.choice(samples)
            text[at:] = other[source.randrange(len(other)) :]
        text = text or bytearray(b"\n")
    return bytes(text)

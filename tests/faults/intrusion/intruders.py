"""Everything that somebody without the token, or from another site, may try on every route."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.routing import Route

from tests.faults.intrusion.hostile import exchange, request

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get")
HEADERS = ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy")


@dataclass(frozen=True)
class Intruder:
    """One way to ask, and what it must be told.

    Attributes:
        name: of the way.
        headers: that are sent, beside the usual ones.
        status: that must come back.
        query: that is added to the address.
    """

    name: str
    headers: Mapping[str, str]
    status: int
    query: str = ""


def targets(app: FastAPI) -> list[str]:
    """An address for every route of the app, and some that are none."""
    paths = [route.path for route in app.routes if isinstance(route, Route)]
    filled = [path.replace("{image}", "0").replace("{name}", "x").replace("{path:path}", "") for path in paths]
    return [*filled, "/tensorboard/data/runs", "/nothing", "/api", "/api/status/", "//", "/./api/status", "*"]


def intruders(port: int, token: str) -> list[Intruder]:
    """Those without the token, and those with it whose Host, Origin or site is another one."""
    bearer, cookie = f"Bearer {token}", f"ia_token_{port}={token}"
    socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    return [
        Intruder("no token", {}, 401),
        Intruder("empty token", {"Authorization": "Bearer "}, 401, "?token="),
        Intruder("wrong token", {"Authorization": f"Bearer {token}x", "Cookie": f"{cookie}x"}, 401, "?token=x"),
        Intruder("part of the token", {"Authorization": bearer[:-1], "Cookie": cookie[:-1]}, 401),
        Intruder("other scheme", {"Authorization": f"Basic {token}"}, 401),
        Intruder("cookie of another port", {"Cookie": f"ia_token_{port + 1}={token}; token={token}"}, 401),
        Intruder("token where none is read", {"X-Token": token, "Referer": f"http://127.0.0.1/?token={token}"}, 401),
        Intruder("claims to be near", {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}, 401),
        Intruder("WebSocket, no token", socket | key, 401),
        Intruder("foreign host", {"Host": "evil.example", "Authorization": bearer}, 400),
        Intruder("rebound name", {"Host": f"127.0.0.1.evil.example:{port}", "Cookie": cookie}, 400),
        Intruder("host with a path", {"Host": f"127.0.0.1:{port}/api/docs?x=", "Cookie": cookie}, 400),
        Intruder("host with a user", {"Host": f"evil@127.0.0.1:{port}", "Cookie": cookie}, 400),
        Intruder("foreign origin", {"Origin": "http://evil.example", "Cookie": cookie}, 403),
        Intruder("origin null", {"Origin": "null", "Cookie": cookie}, 403),
        Intruder(
            "origin that begins alike", {"Origin": f"http://127.0.0.1:{port}.evil.example", "Cookie": cookie}, 403
        ),
        Intruder("origin of another port", {"Origin": f"http://127.0.0.1:{port + 1}", "Cookie": cookie}, 403),
        Intruder(
            "picture in a foreign page",
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Cookie": cookie},
            403,
        ),
        Intruder("WebSocket, foreign origin", socket | key | {"Origin": "http://evil.example", "Cookie": cookie}, 403),
    ]


def let_in(port: int, token: str, app: FastAPI, methods: Sequence[str] = METHODS) -> Iterator[str | None]:
    """Try everything everywhere: for each try, what went wrong, or None."""
    for intruder in intruders(port, token):
        for target in targets(app):
            for method in methods:
                asked = request(port, target + intruder.query, method, headers=intruder.headers)
                answer = exchange(port, asked)
                wanted = 404 if _may_read_program(intruder, method, target) else intruder.status
                missing = [name for name in HEADERS if name not in answer.headers]
                if answer.status != wanted or missing or token.encode() in answer.body:
                    yield f"{intruder.name}: {method} {target}: {answer.status}, without {missing}"
                else:
                    yield None


def _may_read_program(intruder: Intruder, method: str, target: str) -> bool:
    """Whether only the Origin is wrong: it is not looked at for the files that the page consists of (here is none)."""
    is_only_origin = "Origin" in intruder.headers and intruder.status == 403
    return is_only_origin and method in {"GET", "HEAD"} and target.startswith("/assets/")

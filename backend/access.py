"""Who may ask: the token, the Host and Origin rules, the size of a body, and the headers every answer carries."""

import contextlib
import hmac
import ipaddress
import re
import secrets
import socket
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config import Config, UsageError
from IA.replacement import replace

TOKEN = "token"
MAX_BODY_BYTES = 64 * 1024
MOST_TOKEN_BYTES = 256
MAX_HEAD_BYTES = 32 * 1024
PROMPT_STYLE = """:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 26rem; margin: 20vh auto 0; padding: 0 1rem }
h1 { font-size: 1.4rem } form { display: flex; gap: .5rem } label { flex: 1; display: flex; gap: .5rem }
input { flex: 1; min-width: 0 } input, button { font: inherit; padding: .4rem .6rem } [role=alert] { color: #c2410c }"""
TOKEN_PROMPT = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Intelligent Annotation</title><style>{style}</style>
<h1>Intelligent Annotation</h1>
{wrong}<p>Open the link that the terminal printed, or paste its token here.</p>
<form method="get" action="/"><label>Token <input name="token" autofocus autocomplete="off"></label>
<button>Open</button></form></html>"""
WRONG_TOKEN = '<p role="alert">That is not the token of this run.</p>'
PAGE_POLICY = (  # pictures are fetched and decoded ahead (blob:), and the page's icon is a line of text (data:)
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
PROMPT_POLICY = f"{PAGE_POLICY}; style-src 'sha256-{b64encode(sha256(PROMPT_STYLE.encode()).digest()).decode()}'"
HOST = re.compile(r"(\[[0-9a-f:.]+(?:%[a-z0-9._~-]+)?\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)


def token_of(run: Path) -> str:
    """The run's access token; made on first use, readable by its owner alone, the same after any restart.

    Raises:
        OSError: the run directory cannot be written.
        UsageError: what stands in the file cannot be a token.
    """
    run.mkdir(parents=True, exist_ok=True)
    path = run / TOKEN
    known = _known_token(path)
    if known:
        with contextlib.suppress(OSError):  # a copy of a run may have lost its permissions
            path.chmod(0o600)
        return known
    token = secrets.token_urlsafe(24)
    keep_token(run, token)
    return token


def keep_token(run: Path, token: str) -> None:
    """Write the token to the run directory. Raises OSError."""
    replace(run / TOKEN, f"{token}\n".encode(), mode=0o600)


def _known_token(path: Path) -> str:
    """The token in the file; empty where there is none yet."""
    if not path.exists():
        return ""
    if path.is_file():  # a pipe would keep us waiting
        with path.open("rb") as file:
            token = file.read(MOST_TOKEN_BYTES).strip()
        if all(33 <= byte < 127 for byte in token):
            return token.decode("ascii")
    raise UsageError(f"What stands in {path} is no token; delete it, and another one is made.")


class TooLargeError(Exception):
    """The body of a request is larger than its path takes."""


class Access:
    """ASGI middleware: nothing reaches a route that is not allowed to."""

    def __init__(self, app: ASGIApp, config: Config, token: str | None, limits: Mapping[str, int]) -> None:
        """Stand in front of an app.

        Args:
            app: what is asked if nothing is wrong.
            config: of the session.
            token: what everybody must show; None: nothing.
            limits: bytes of a body, where a path takes more than `MAX_BODY_BYTES`.
        """
        self._app = app
        self._limits = limits
        self._serves_network = config.is_everywhere
        self._names = {config.host.lower().partition("%")[0], "localhost", "127.0.0.1", "::1"}
        if self._serves_network:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._token = token
        self._cookie = f"ia_token_{config.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; hand on the rest, with the body's size watched and the headers added."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, _with_headers(send))
            return
        await self._limited(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _head_bytes(scope) > MAX_HEAD_BYTES:
            return _sentence(431, f"Address and headers are larger than {MAX_HEAD_BYTES} bytes.")
        if not self._is_own_host(headers.get("host", "")):
            return _sentence(400, "This host name is not one that this server answers to.")
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{headers['host']}", f"https://{headers['host']}"}:
            return _foreign()
        if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and headers.get("sec-fetch-mode") != "navigate":
            return _foreign()  # a browser says so also where it sends no Origin, as for a picture
        if "transfer-encoding" in headers and "content-length" in headers:
            return _sentence(400, "A body has a length or comes in chunks, not both.")
        if not headers.get("content-length", "0").isdecimal():
            return _sentence(400, "The length of the body is not a number.")
        if int(headers.get("content-length", "0")[:20]) > self._limit(scope):
            return _too_large(self._limit(scope))
        return self._token_refusal(scope, headers)

    def _limit(self, scope: Scope) -> int:
        path: str = scope["path"]
        return self._limits.get(path, MAX_BODY_BYTES)

    def _is_own_host(self, host: str) -> bool:
        """Names that a page elsewhere cannot point at us: our own, loopback, and addresses if we serve a network."""
        match = HOST.fullmatch(host)
        name = match[1].strip("[]").lower().partition("%")[0] if match else ""
        return name in self._names or (self._serves_network and _is_address(name))

    def _token_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if self._token is None:
            return None
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        given = asked.pop("token", [""])[0]
        if given and scope["method"] == "GET" and self._is_token(given):
            return self._welcome(scope, urlencode(asked, doseq=True))
        bearer = headers.get("authorization", "")
        if bearer.lower().startswith("bearer ") and self._is_token(bearer[7:].strip()):
            return None
        if self._is_token(cookie_parser(headers.get("cookie", "")).get(self._cookie, "")):
            return None
        if scope["path"] == "/":
            wrong = WRONG_TOKEN if given else ""
            prompt = TOKEN_PROMPT.format(style=PROMPT_STYLE, wrong=wrong)
            return HTMLResponse(prompt, 401, {"content-security-policy": PROMPT_POLICY})
        return _sentence(401, "The token is missing or wrong; open the link that the terminal printed.")

    def _welcome(self, scope: Scope, query: str) -> Response:
        """Keep the token in a cookie and take it out of the address."""
        path = "/" + scope["path"].lstrip("/")  # two slashes would name another host
        response = RedirectResponse(f"{path}?{query}" if query else path, 303)
        response.set_cookie(self._cookie, self._token or "", max_age=31_536_000, httponly=True, samesite="lax")
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), (self._token or "").encode())

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body as it comes: a chunked one says no length beforehand."""
        received, limit = 0, self._limit(scope)

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLargeError
            return message

        async def watched(message: Message) -> None:
            if received <= limit:  # else the app takes the broken-off body for a bad one, and says so
                await send(message)

        with contextlib.suppress(TooLargeError):
            await self._app(scope, counted, watched)
        if received > limit:
            await _too_large(limit)(scope, receive, send)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _head_bytes(scope: Scope) -> int:
    """How long address and headers are; the parser knows only how long the part is that it waits to see the end of."""
    headers = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    return len(scope["raw_path"]) + len(scope["query_string"]) + headers


def _sentence(status: int, sentence: str) -> Response:
    return JSONResponse({"detail": sentence}, status)


def _foreign() -> Response:
    return _sentence(403, "Requests from other sites are not answered.")


def _too_large(limit: int) -> Response:
    return _sentence(413, f"The body is larger than {limit} bytes.")


def _with_headers(send: Send) -> Send:
    """Add the headers that keep a browser from guessing, framing or telling others."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["x-frame-options"] = "SAMEORIGIN"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers.setdefault("content-security-policy", PAGE_POLICY)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return wrapped

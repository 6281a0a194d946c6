"""Who may ask: the token, the rules for Host and Origin, the size of a body, and the headers of every answer."""

import contextlib
import hmac
import ipaddress
import logging
import re
import secrets
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.web import refusals
from backend.web.refusals import sentence
from config import Config, UsageError
from IA.protocol.replacement import replace

log = logging.getLogger(__name__)

TOKEN = "token"
MAX_BODY_BYTES = 64 * 1024
MOST_TOKEN_BYTES = 256
MAX_HEAD_BYTES = 32 * 1024
PROGRAM = "/assets/"  # The files of the page are the same in every copy, and hold nothing of the run.
PAGE_KEY = "x-page-key"
TELLS_KEY = frozenset({"/api/status", "/api/queue"})
WARNINGS_AT_MOST = 10
HOST = re.compile(r"(\[[0-9a-f:.]+(?:%[a-z0-9._~-]+)?\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)


def token_of(run: Path) -> str:
    """The access token of the run. It is made on first use, only its owner can read it, and a restart keeps it.

    Raises:
        OSError: the run directory cannot be written.
        UsageError: the file holds something that cannot be a token.
    """
    run.mkdir(parents=True, exist_ok=True)
    path = run / TOKEN
    known = _known_token(path)
    if known:
        with contextlib.suppress(OSError):  # A copy of a run may have lost its permissions.
            path.chmod(0o600)
        return known
    token = secrets.token_urlsafe(24)
    keep_token(run, token)
    return token


def keep_token(run: Path, token: str) -> None:
    """Write the token to the run directory. Raises OSError."""
    replace(run / TOKEN, f"{token}\n".encode(), mode=0o600)


def _known_token(path: Path) -> str:
    """The token in the file; empty where there is no file yet."""
    if not path.exists():
        return ""
    if path.is_file():  # A pipe would keep us waiting.
        with path.open("rb") as file:
            token = file.read(MOST_TOKEN_BYTES).strip()
        if all(33 <= byte < 127 for byte in token):
            return token.decode("ascii")
    raise UsageError(f"What stands in {path} is no token; delete it, and another one is made.")


class TooLargeError(Exception):
    """The body of a request is larger than its path takes."""


class Access:
    """ASGI middleware: a request that is not allowed reaches no route."""

    def __init__(self, app: ASGIApp, config: Config, token: str | None, limits: Mapping[str, int]) -> None:
        """Stand in front of an app.

        Args:
            app: serves a request that is allowed.
            config: of the session.
            token: what every request must show; None: nothing.
            limits: by path, the bytes that a body may have, where that is more than `MAX_BODY_BYTES`.
        """
        self._app = app
        self._limits = limits
        self._serves_network = config.is_everywhere
        self._names = {config.host.lower().partition("%")[0], "localhost", "127.0.0.1", "::1"}
        if self._serves_network:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._token = token
        self._cookie = f"ia_token_{config.port}"
        self._key = None if token is None else _page_key(token)
        self._own_address = f"{config.address}:{config.port}"
        self._warned: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or hand it on; its body is counted, and the answer gets the headers."""
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
        key = self._key if scope["path"] in TELLS_KEY else None
        await self._limited(scope, receive, _with_headers(send, key))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _head_bytes(scope) > MAX_HEAD_BYTES:
            return sentence(431, f"Address and headers are larger than {MAX_HEAD_BYTES} bytes.", headers)
        if not self._is_own_host(headers.get("host", "")):
            return self._unknown_host(headers)
        if self._is_foreign(scope, headers):
            return self._foreign(headers)
        if "transfer-encoding" in headers and "content-length" in headers:
            return sentence(400, "A body has a length or comes in chunks, not both.")
        if not headers.get("content-length", "0").isdecimal():
            return sentence(400, "The length of the body is not a number.")
        if int(headers.get("content-length", "0")[:20]) > self._limit(scope):
            return _too_large(self._limit(scope))
        return self._token_refusal(scope, headers)

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        """Whether a page from elsewhere asks.

        Host and Origin of our own page's requests differ behind a proxy that does not pass the Host on. Where there is
        a token, two things show that such a request is ours. Either the browser says so: no page can set the header
        Sec-Fetch-Site. Or the request names the page's key, which only a page that may read our answers knows, in a
        header that another site may send only if we allow it.
        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if site in {"cross-site", "same-site"} and headers.get("sec-fetch-mode") != "navigate":
            return True  # A browser says so even where it sends no Origin, as for a picture.
        if origin is None or origin in {f"http://{headers['host']}", f"https://{headers['host']}"}:
            return False
        if scope["method"] in {"GET", "HEAD"} and scope["path"].startswith(PROGRAM):
            return False
        if self._key is None:
            return True
        return site != "same-origin" and not _is_same(headers.get(PAGE_KEY, ""), self._key)

    def _unknown_host(self, headers: Headers) -> Response:
        asked = headers.get("host", "")
        text = "This host name is not one that this server answers to."
        if HOST.fullmatch(asked):
            proxy = f"Behind a proxy, let it ask for one: in nginx, proxy_set_header Host {self._own_address};"
            self._warn(asked, "Asked as %r, which is not a name of this server. %s", asked[:100], proxy)
            text = f"{text} {proxy}"
        return sentence(400, text, headers)

    def _foreign(self, headers: Headers) -> Response:
        text = "Requests from other sites are not answered."
        if self._key is None:
            text += " If this page is your own, behind a proxy that changes the Host header: start without --no-token."
        asked, origin = headers["host"], headers.get("origin", "of another site")
        self._warn(f"{asked} {origin}", "Refused what a page %r asked of %r. %s", origin[:100], asked[:100], text)
        return sentence(403, text, headers)

    def _warn(self, what: str, message: str, *args: str) -> None:
        """Warn once of each thing, and of few things in all: whoever asks can make up any number of them."""
        if what[:200] not in self._warned and len(self._warned) < WARNINGS_AT_MOST:
            self._warned.add(what[:200])
            log.warning(message, *args)

    def _limit(self, scope: Scope) -> int:
        path: str = scope["path"]
        return self._limits.get(path, MAX_BODY_BYTES)

    def _is_own_host(self, host: str) -> bool:
        """Whether no page elsewhere can make this name mean us: our own, loopback, an address if we serve a network."""
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
        if any(self._is_token(value) for value in _cookies(headers, self._cookie)):
            return None
        if scope["path"] == "/":
            return refusals.token_prompt(is_wrong=bool(given))
        return sentence(401, "The token is missing or wrong; open the link that the terminal printed.", headers)

    def _welcome(self, scope: Scope, query: str) -> Response:
        """Keep the token in a cookie and take it out of the address.

        A proxy may serve us below a path that we do not know. So the redirection is relative, and the cookie names no
        path, which makes it hold below the present one (RFC 6265, 5.1.4). A script, which asks for something else than
        the page first, gets a cookie for all paths.
        """
        path = None if scope["path"] == "/" else "/"
        here = "./" + scope["raw_path"].decode("latin-1").rpartition("/")[2]
        response = RedirectResponse(f"{here}?{query}" if query else here, 303)
        seconds = 31_536_000
        response.set_cookie(self._cookie, self._token or "", seconds, path=path, httponly=True, samesite="lax")
        return response

    def _is_token(self, given: str) -> bool:
        return _is_same(given, self._token or "")

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body as it comes: a chunked one does not announce its length."""
        received, limit = 0, self._limit(scope)

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLargeError
            return message

        async def watched(message: Message) -> None:
            if received <= limit:  # If not, the app took the cut-off body for a bad one.
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
    """How long address and headers are together; the parser limits only what it has not seen the end of."""
    headers = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    return len(scope["raw_path"]) + len(scope["query_string"]) + headers


def _is_same(given: str, wanted: str) -> bool:
    """Whether a secret is right; every wrong one takes equally long."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _page_key(token: str) -> str:
    """A key which proves that a request comes from our page, and from which nobody learns the token."""
    return hmac.new(token.encode(), b"page", "sha256").hexdigest()


def _cookies(headers: Headers, wanted: str) -> Iterator[str]:
    """The values of all cookies of this name; an older one may hold for a path above."""
    for pair in headers.get("cookie", "").split(";"):
        name, _, value = pair.partition("=")
        if name.strip() == wanted:
            yield value.strip().strip('"')


def _too_large(limit: int) -> Response:
    return sentence(413, f"The body is larger than {limit} bytes.")


def _with_headers(send: Send, key: str | None = None) -> Send:
    """Add the page's key, and headers that keep a browser from guessing types, framing us and naming us."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["x-frame-options"] = "SAMEORIGIN"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers.setdefault("content-security-policy", refusals.POLICY)
            headers.setdefault("cache-control", "no-store")
            if key is not None:
                headers[PAGE_KEY] = key
        await send(message)

    return wrapped

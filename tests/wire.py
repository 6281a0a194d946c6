"""Compares the responses of a real server with the committed OpenAPI document: no key more, and none less."""

import json
import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
import jsonschema_rs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.openapi import DOCUMENT

JSON_TYPE, STREAM_TYPE = "application/json", "text/event-stream"
DESCRIBED = "/api/openapi.json"  # the document does not describe itself
METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})


class Checked:
    """ASGI middleware that passes everything on, and notes responses that the document does not describe.

    Attributes:
        differences: one text for each response that differs from the document.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.differences: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the app's response on, and note its differences from the document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, kind, body = 0, "", bytearray()

        async def noted(message: Message) -> None:
            nonlocal status, kind
            await send(message)
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                status, kind = message["status"], headers.get(b"content-type", b"").decode("latin-1")
            elif kind.startswith((JSON_TYPE, STREAM_TYPE)):
                body.extend(message.get("body", b""))
                if kind.startswith(STREAM_TYPE):
                    self._note(differences_of_events(bytes(body[: body.rfind(b"\n\n") + 2])))
                    del body[: body.rfind(b"\n\n") + 2]
                elif not message.get("more_body"):
                    self._note(differences(scope["method"], scope["path"], status, bytes(body)))

        await self._app(scope, receive, noted)

    def _note(self, found: Iterator[str]) -> None:
        self.differences += found


def differences(method: str, path: str, status: int, body: bytes) -> Iterator[str]:
    """How a JSON response differs from the document; empty if it agrees, or if it is not from a route of the API."""
    is_ours = path.startswith("/api/") and path != DESCRIBED and method in METHODS
    if is_ours and status != HTTPStatus.NO_CONTENT:
        for error in _validator(*_place_of(method, path, status)).iter_errors(_content_of(body)):
            yield f"{method} {path} {status}: {error.instance_path} {error.message}"


def differences_of_events(events: bytes) -> Iterator[str]:
    """How the statuses in whole events of the stream differ from the document."""
    for data in re.findall(rb"^event: status\ndata: (.*)$", events, re.MULTILINE):
        for error in _validator("components", "schemas", "Status").iter_errors(_content_of(data)):
            yield f"GET /api/events: {error.instance_path} {error.message}"


def check(response: httpx.Response) -> None:
    """Fail if a response differs from the document; a hook for httpx clients."""
    if response.headers.get("content-type", "").startswith(JSON_TYPE):
        request = response.request
        found = list(differences(request.method, request.url.path, response.status_code, response.read()))
        assert not found, found


def _content_of(text: bytes) -> Any:
    return json.loads(text, parse_constant=_no_json)


def _no_json(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def _place_of(method: str, path: str, status: int) -> tuple[str, ...]:
    """The place of a response's schema in the document."""
    for template, pattern in _patterns().items():
        if pattern.fullmatch(path) and method.lower() in _document()["paths"][template]:
            responses = _document()["paths"][template][method.lower()]["responses"]
            key = str(status) if JSON_TYPE in responses.get(str(status), {}).get("content", {}) else "default"
            return "paths", template, method.lower(), "responses", key, "content", JSON_TYPE, "schema"
    return "components", "schemas", "Refusal"


@cache
def _document() -> dict[str, Any]:
    """The document, changed so that no object may have keys that it does not name."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    _close(document)
    return document


def _close(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            _close(each)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {path: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))) for path in _document()["paths"]}


@cache
def _validator(*place: str) -> jsonschema_rs.Validator:
    schema: Any = _document()
    for step in place:
        schema = schema[step]
    return jsonschema_rs.validator_for({"components": _document()["components"], **schema})

"""A short way for the requests that take answers: what FastAPI does for any request takes longer than to store one."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Route = tuple[type[BaseModel], Callable[[Any], Awaitable[dict[str, Any]]]]
"""The model of a body, and what answers it."""


class Express:
    """ASGI middleware that answers good bodies itself; whatever else comes goes the usual way, to the same routes."""

    def __init__(self, app: ASGIApp, routes: Mapping[str, Route], handlers: Mapping[Any, Any]) -> None:
        """Stand in front of the routes.

        Args:
            app: the usual way.
            routes: by path; each takes POST with JSON, and answers 201.
            handlers: what becomes of the exceptions that they raise.
        """
        self._app = app
        self._routes = routes
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on unchanged."""
        route = self._routes.get(scope.get("path", ""))
        if route is None or scope["method"] != "POST" or (b"content-type", b"application/json") not in scope["headers"]:
            await self._app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        try:
            body = route[0].model_validate(json.loads(b"".join(message.get("body", b"") for message in messages)))
        except (ValueError, RecursionError):  # the usual way says what is wrong with it
            await self._app(scope, _again(messages, receive), send)
            return
        await (await self._answer(route, body, scope))(scope, receive, send)

    async def _answer(self, route: Route, body: BaseModel, scope: Scope) -> ASGIApp:
        try:
            return JSONResponse(await route[1](body), 201)
        except tuple(self._handlers) as error:
            handler = next(handler for kind, handler in self._handlers.items() if isinstance(error, kind))
            response: ASGIApp = await handler(Request(scope), error)
            return response


def _again(messages: list[Message], receive: Receive) -> Receive:
    """The messages that were taken, and then what comes after them."""
    taken = iter(messages)

    async def receive_again() -> Message:
        return next(taken, None) or await receive()

    return receive_again

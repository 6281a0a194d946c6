"""A route for answers, which takes a third less time for each than FastAPI's own way of serving a request."""

import inspect
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request
from fastapi.params import Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from backend.web.documented import DocumentedRoute

JSON = "application/json"


class FastRoute(DocumentedRoute):
    """Validates a good JSON body itself and calls the endpoint; FastAPI serves whatever else comes, as it does always.

    The endpoint is a coroutine function of a `body`, which is a model, and of parts of the session.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What serves a request."""
        usual = super().get_route_handler()
        hints = get_type_hints(self.endpoint, include_extras=True)
        model: type[BaseModel] = hints["body"]
        parts = {name: _dependency(hint) for name, hint in hints.items() if name not in ("body", "return")}
        status_code = self.status_code or 200

        async def serve(request: Request) -> Response:
            if request.headers.get("content-type") != JSON:
                return await usual(request)
            try:
                body = model.model_validate(json.loads(await request.body()))
            except (ValueError, RecursionError):  # FastAPI says what is wrong with it
                return await usual(request)
            given = {name: await part(request) for name, part in parts.items()}
            return JSONResponse(await self.endpoint(body=body, **given), status_code)

        return serve


def _dependency(hint: Any) -> Callable[[Request], Awaitable[Any]]:
    """The function that finds a part of the session, of an `Annotated` type of `backend.web.parts`."""
    found = next(data for data in hint.__metadata__ if isinstance(data, Depends))
    if found.dependency is None or not inspect.iscoroutinefunction(found.dependency):
        raise TypeError(f"{hint} is no part of the session")
    return found.dependency

"""Routes whose answers are described by their return types, and the OpenAPI document that comes of it."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.routing import APIRoute

NAMES_BELOW = frozenset({"properties", "schemas", "paths"})  # keys there are names that somebody gave, also `title`


class DocumentedRoute(APIRoute):
    """A route whose JSON answer OpenAPI describes by its return type, and that sends the answer as it is.

    FastAPI by itself would check and copy every answer on its way; here the tests check them (`tests/wire.py`).
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        answer = endpoint.__annotations__.get("return")
        if answer is not None and not _is_response(answer):
            described = {given.get("status_code") or 200: {"model": answer}}
            given |= {"response_model": Any, "responses": described | (given.get("responses") or {})}
        super().__init__(path, endpoint, **given)


class DocumentedApp(FastAPI):
    """An app whose OpenAPI document has no other words than those that somebody wrote."""

    def openapi(self) -> dict[str, Any]:
        """The document, without the titles that pydantic makes of all names."""
        if self.openapi_schema is None:
            document = super().openapi()
            self.openapi_schema = document | {part: _untitled(document[part]) for part in ("paths", "components")}
        return self.openapi_schema


def operation_of(route: APIRoute) -> str:
    """A short name of a route for programs, such as `post_finish_undo`: it changes only with method and path."""
    steps = route.path_format.removeprefix("/api/").split("/")
    words = [*sorted(method.lower() for method in route.methods or ()), *(step for step in steps if "{" not in step)]
    return "_".join(words).replace("-", "_").replace(".", "_")


def _is_response(answer: object) -> bool:
    return isinstance(answer, type) and issubclass(answer, Response)


def _untitled(part: Any, are_names: bool = False) -> Any:
    if isinstance(part, list):
        return [_untitled(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {key: value for key, value in part.items() if are_names or key != "title"}
    return {key: _untitled(value, not are_names and key in NAMES_BELOW) for key, value in kept.items()}

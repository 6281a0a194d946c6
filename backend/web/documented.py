"""Routes whose answers are described by their return types, and the OpenAPI document that comes of it."""

from collections.abc import Callable
from functools import reduce
from operator import or_
from types import UnionType
from typing import Any, get_args

from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.routing import APIRoute

from backend.wire.transfers import Refusal

NAMES_BELOW = frozenset({"properties", "schemas", "paths"})  # Keys there are names that somebody gave, even `title`.
REFUSED = "Refused, with the reason in one sentence"
JSON = "application/json"
FILE = {"type": "string", "format": "binary"}
JSON_FILE = {"description": "A file in the format of another program, which says what stands in it."}


class DocumentedRoute(APIRoute):
    """A route whose JSON answer OpenAPI describes by its return type, and that sends the answer as it is.

    FastAPI by itself would check and copy every answer on its way; here the tests check them (`tests/wire.py`).
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        answer = _described(endpoint.__annotations__.get("return"))
        responses: dict[int | str, Any] = {"default": {"model": Refusal, "description": REFUSED}}
        if answer is not None:
            given["response_model"] = Any
            responses[given.get("status_code") or 200] = {"model": answer}
        given["responses"] = responses | (given.get("responses") or {})
        given["generate_unique_id_function"] = operation_of
        super().__init__(path, endpoint, **given)


class DocumentedApp(FastAPI):
    """An app whose OpenAPI document has no other words than those that somebody wrote."""

    def openapi(self) -> dict[str, Any]:
        """The document, without the titles that pydantic makes of all names."""
        if self.openapi_schema is None:
            document = super().openapi()
            self.openapi_schema = document | {part: _untitled(document[part]) for part in ("paths", "components")}
        return self.openapi_schema


def file_answer(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with a file of one of these media types."""
    return {200: {"content": {name: {"schema": JSON_FILE if name == JSON else FILE} for name in media_types}}}


def operation_of(route: APIRoute) -> str:
    """A short name of a route for programs, such as `post_finish_undo`: it changes only with method and path."""
    steps = route.path_format.removeprefix("/api/").split("/")
    words = [*sorted(method.lower() for method in route.methods or ()), *(step for step in steps if "{" not in step)]
    return "_".join(words).replace("-", "_").replace(".", "_")


def _described(answer: Any) -> Any:
    """The part of a return type that describes JSON; None where a route makes all its answers itself."""
    kinds = get_args(answer) if isinstance(answer, UnionType) else (answer,)
    described = [kind for kind in kinds if kind is not None and not _is_response(kind)]
    return reduce(or_, described) if described else None


def _is_response(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Response)


def _untitled(part: Any, are_names: bool = False) -> Any:
    if isinstance(part, list):
        return [_untitled(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {key: value for key, value in part.items() if are_names or key != "title"}
    return {key: _untitled(value, not are_names and key in NAMES_BELOW) for key, value in kept.items()}

"""The OpenAPI document says what the routes answer, it is committed, and a difference between the two is noticed."""

import asyncio
import json
import re
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message

from backend.openapi import DOCUMENT, document
from tests.wire import Checked

COUNTED = {"image": 3, "label": "positive", "positives": 1, "negatives": 0, "skipped": 0, "left": 11}
PROBLEMS = [
    (COUNTED, 201, ""),
    ({**COUNTED, "alike": [None, 4]}, 201, ""),
    ({**COUNTED, "told": True}, 201, "told"),
    ({name: COUNTED[name] for name in COUNTED if name != "left"}, 201, "left"),
    ({**COUNTED, "label": "maybe"}, 201, "maybe"),
    ({**COUNTED, "left": None}, 201, "null"),
    ({"detail": "There is no image 3."}, 404, ""),
    ({"error": "There is no image 3."}, 404, "error"),
]


def paths() -> dict[str, dict[str, Any]]:
    """What the committed document says of each path."""
    described: dict[str, dict[str, Any]] = json.loads(DOCUMENT.read_text("utf-8"))["paths"]
    return described


def asked(app: ASGIApp, method: str, path: str) -> list[str]:
    """What is noted of one answer of an app."""
    checked = Checked(app)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        pass

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    asyncio.run(checked(scope, receive, send))
    return checked.differences


def test_the_committed_document_is_that_of_the_code() -> None:
    """Whoever changes a route commits what `python -m backend.openapi` writes."""
    assert DOCUMENT.read_text("utf-8") == document(), "run `make docs`, or python -m backend.openapi, and commit it"


def test_every_answer_is_described() -> None:
    """Each route of the document says what it answers, what a refusal looks like, and has a short name of its own."""
    names = []
    for path, methods in paths().items():
        for method, route in methods.items():
            names.append(route["operationId"])
            responses = route["responses"]
            assert responses["default"]["content"]["application/json"]["schema"], (method, path)
            good = [response for status, response in responses.items() if status.startswith("2") and status != "204"]
            for response in good:
                assert all(content["schema"] for content in response["content"].values()), (method, path)
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"(get|post|put|delete)(_[a-z]+)+", name)] == []


@pytest.mark.parametrize(("content", "status", "noted"), PROBLEMS)
def test_a_difference_is_noted(content: dict[str, object], status: int, noted: str) -> None:
    """A key more, a key less, another kind of value: the checked server says which."""
    found = asked(JSONResponse(content, status), "POST", "/api/annotations")
    assert bool(found) == bool(noted)
    assert noted in " ".join(found)


def test_a_difference_in_an_event_is_noted() -> None:
    """The statuses of the event stream are held against the document, too."""
    events = 'event: beat\ndata:\n\nevent: status\ndata: {"positives": "one"}\n\n'
    found = asked(Response(events, media_type="text/event-stream"), "GET", "/api/events")
    assert any("positives" in each for each in found)


def test_what_is_no_route_is_refused_in_the_same_words() -> None:
    """The refusal of an address that no route has is held against the document as well."""
    assert asked(JSONResponse({"detail": "no"}, 404), "GET", "/api/nothing") == []
    assert asked(JSONResponse({"nothing": 1}, 404), "GET", "/api/nothing") != []

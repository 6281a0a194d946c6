"""Whatever is sent to the routes of the answers, the server says what is wrong with it, and goes on."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.examples import examples
from tests.serving import Serving, serving, until

SETTINGS = settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(ODD, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner))
FIELDS = ("image", "label", "source", "client", "shown_ms", "id", "group", "repeat", "other")
GOOD = {"image": 0, "label": "positive", "source": "key", "client": "me", "repeat": True}
QUERIES = ("limit", "offset", "label", "source", "least", "most", "disagrees", "order", "points", "count", "size")
ROUTES = ("annotations", "statistics", "instructions", "queue", "images/0", "images/7", "status", "export")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of two pictures."""
    folder = tmp_path_factory.mktemp("any")
    (folder / "data").mkdir()
    for number in range(2):
        Image.new("RGB", (40, 30)).save(folder / "data" / f"{number}.png")
    with serving(folder / "run", folder / "data") as server:
        until(lambda: not server.session.images.listing)
        yield server


@SETTINGS
@given(changed=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3), places=st.integers(1, 3), wrapped=JSON)
def test_any_body(server: Serving, changed: dict[str, object], places: int, wrapped: object) -> None:
    """Any body is answered, and a refused one with a sentence."""
    body = GOOD | changed
    for route, content in {
        "annotations": body,
        "annotations/batch": {"annotations": [GOOD] * places + [body]},
        "undo": changed,
        "annotations/batch?": {"annotations": wrapped},
    }.items():
        text = json.dumps(content).encode()
        response = server.client.post(f"/api/{route}", content=text, headers={"content-type": "application/json"})
        assert response.status_code < 500, (route, text, response.text)
        if response.status_code >= 400:
            assert isinstance(response.json()["detail"], str)


@SETTINGS
@given(
    route=st.sampled_from(ROUTES),
    query=st.dictionaries(st.sampled_from(QUERIES), ODD.map(str) | st.sampled_from(["1", "0.5", "true"]), max_size=4),
    known=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
def test_any_question(server: Serving, route: str, query: dict[str, str], known: str) -> None:
    """Any query and any tag are answered."""
    response = server.client.get(f"/api/{route}", params=query, headers={"if-none-match": known.strip()})
    assert response.status_code < 500, (route, query, response.text)

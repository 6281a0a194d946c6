"""The routes, over real HTTP."""

import base64
import csv
import hashlib
import io
import json
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from backend.exports.fields import fields
from backend.questions.leases import LEASE_S
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS, RANKING
from IA.protocol.records import Predictions, Ranking
from tests.serving import Serving, serving, until

COUNT = 12


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Twelve pictures of 400 x 300, one of them turned by EXIF, one broken."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT - 2):
        Image.new("RGB", (400, 300), (20 * number, 90, 200)).save(folder / f"{number}.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 300), "red").save(folder / "turned.jpg", exif=exif)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def server(tmp_path: Path, datadir: Path) -> Iterator[Serving]:
    """A server that has listed them all."""
    with serving(tmp_path / "run", datadir, positive="cat", negative="no cat") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        yield server


def number(server: Serving, path: str) -> int:
    """Number of a path."""
    found = server.session.images.number(path)
    assert found is not None
    return found


def test_status(server: Serving) -> None:
    """The status holds all that the contract names."""
    status = server.client.get("/api/status").json()
    expected = {"images": COUNT, "positives": 0, "negatives": 0, "skipped": 0, "left": COUNT, "unreadable": 0}
    assert {name: status[name] for name in expected} == expected
    assert status["classes"] == {"positive": "cat", "negative": "no cat"}
    assert (status["model"], status["ranking"]) == (None, None)
    assert status["loops"] == {"trainer": "off", "inference": "off", "selector": "off"}


def test_annotate_undo_and_count(server: Serving) -> None:
    """Answers count, a repeated id counts once, an answer given again replaces, and undo takes back skips too."""
    id = str(uuid.uuid4())
    first = server.answer(3, "positive", id=id, client="me", source="key", shown_ms=830)
    assert (first.status_code, first.json()) == (
        201,
        {"image": 3, "label": "positive", "positives": 1, "negatives": 0, "skipped": 0, "left": COUNT - 1},
    )
    assert server.answer(3, "positive", id=id, client="me").json() == first.json()
    assert server.answer(3, "negative", client="me").json()["negatives"] == 1
    assert server.answer(4, "skipped", client="me").json()["skipped"] == 1
    undone = server.client.post("/api/undo", json={"client": "me"})
    assert (undone.status_code, undone.json()["image"], undone.json()["label"]) == (200, 4, "skipped")
    assert server.client.post("/api/undo", json={"client": "me"}).json()["label"] == "negative"
    assert server.client.get("/api/status").json()["positives"] == 1
    assert server.client.post("/api/undo", json={"client": "me"}).json()["label"] == "positive"
    assert server.client.post("/api/undo", json={"client": "me"}).status_code == 409
    assert server.client.get("/api/status").json()["left"] == COUNT


def test_undo_is_per_client_and_outlives_a_restart(tmp_path: Path, datadir: Path) -> None:
    """Undo takes back this client's last answer, also after a restart."""
    with serving(tmp_path / "run", datadir) as server:
        until(lambda: server.client.get("/api/status").json()["images"] == COUNT)
        server.answer(1, "skipped", client="me")
        server.answer(2, "positive", client="you")
    with serving(tmp_path / "run", datadir) as server:
        status = server.client.get("/api/status").json()
        assert (status["positives"], status["skipped"]) == (1, 1)
        assert server.client.post("/api/undo", json={"client": "me"}).json()["image"] == 1
        assert server.client.post("/api/undo", json={"client": "me"}).status_code == 409


def test_skip_is_a_skip(server: Serving) -> None:
    """A skipped image is None in annotations.pickle, never a positive, and is not asked again."""
    server.answer(5, "skipped")
    until(lambda: (server.session.run / "annotations.pickle").exists())
    until(
        lambda: (
            pickle_file.read(server.session.run, protocol.ANNOTATIONS).content == {server.session.images.path(5): None}
        )
    )
    queue = server.client.get("/api/queue?count=100").json()
    assert 5 not in [image["image"] for image in queue["images"]]


def test_the_queue_follows_a_ranking(server: Serving) -> None:
    """Ranked images come first with their probability; two clients never hold the same image."""
    run = server.session.run
    probability = np.linspace(0, 1, COUNT, dtype=np.float32)
    checkpoint = {"generation": 7, "labels": 4, "metrics": {"accuracy": 0.9, "loss": float("nan")}}
    nothing = np.array([], np.int32)
    pickle_file.publish(run, PREDICTIONS, Predictions(probability, probability, nothing, COUNT, 4, checkpoint))
    order = np.array([9, 2, 5], np.int32)
    pickle_file.publish(run, RANKING, Ranking(order, probability[order], 4, "max_prob", 7))
    until(lambda: server.client.get("/api/status").json()["ranking"])
    status = server.client.get("/api/status").json()
    assert status["model"] == {"generation": 7, "labels": 4, "metrics": {"accuracy": 0.9}}
    assert status["ranking"] == {"generation": 1, "labels": 4}
    assert status["embedding"]["percent"] == 100
    mine = server.client.get("/api/queue?count=2&client=me").json()
    assert [image["image"] for image in mine["images"]] == [9, 2]
    assert mine["images"][0]["probability"] == pytest.approx(9 / 11)
    assert mine["ranking"] == 1
    yours = server.client.get("/api/queue?count=1&client=you").json()
    assert [image["image"] for image in yours["images"]] == [5]
    assert LEASE_S == 60
    assert server.client.post("/api/queue/release", json={"client": "you"}).status_code == 204
    again = server.client.get("/api/queue?count=1&client=somebody").json()
    assert [image["image"] for image in again["images"]] == [5]
    server.answer(9, "positive", client="me")
    listed = server.client.get("/api/annotations").json()
    assert listed["annotations"][0]["probability"] == pytest.approx(9 / 11)
    assert listed["total"] == 1


def test_images_are_upright_and_fit(server: Serving) -> None:
    """A picture comes upright, at most as large as asked, cacheable for good."""
    response = server.client.get(f"/api/images/{number(server, 'turned.jpg')}?size=200")
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (96, 128)
    assert "immutable" in response.headers["cache-control"]
    original = server.client.get(f"/api/images/{number(server, '0.jpg')}")
    assert original.content == (server.session.images.datadir / "0.jpg").read_bytes()
    assert original.headers["content-type"] == "image/jpeg"
    assert original.headers["x-content-type-options"] == "nosniff"


def test_unreadable_and_unknown_images(server: Serving) -> None:
    """What cannot be decoded is 415, counted unreadable, and asked no more; unknown numbers are 404."""
    broken = number(server, "broken.png")
    for _ in range(2):
        response = server.client.get(f"/api/images/{broken}?size=640")
        assert response.status_code == 415
        assert "shown" in response.json()["detail"]
    status = server.client.get("/api/status").json()
    assert (status["unreadable"], status["left"]) == (1, COUNT - 1)
    assert broken not in [image["image"] for image in server.client.get("/api/queue?count=100").json()["images"]]
    for unknown in ("999", str(2**31 - 1)):
        assert server.client.get(f"/api/images/{unknown}").status_code == 404
    for wrong in ("-1", "x", "..%2f..%2fetc%2fpasswd", "1?size=0"):
        assert server.client.get(f"/api/images/{wrong}").status_code in (404, 422)


def test_a_mended_image_is_asked_again(server: Serving) -> None:
    """An unreadable file that is written anew counts as readable."""
    broken = number(server, "broken.png")
    assert server.client.get(f"/api/images/{broken}").status_code == 415
    Image.new("RGB", (20, 20)).save(server.session.images.datadir / "broken.png")
    until(lambda: server.client.get("/api/status").json()["unreadable"] == 0)
    assert server.client.get(f"/api/images/{broken}").status_code == 200


BAD_ANSWERS = [
    '{"image": 1, "label": "maybe"}',
    '{"image": 1, "label": "positive", "extra": 1}',
    '{"image": true, "label": "positive"}',
    '{"image": "1", "label": "positive"}',
    '{"image": NaN, "label": "positive"}',
    '{"image": 1, "label": "positive", "shown_ms": Infinity}',
    '{"image": 1, "label": "positive", "shown_ms": -1}',
    '{"image": 1, "label": "positive", "client": "\\ud800"}',
    '{"image": 1, "label": "positive", "id": "no uuid"}',
    '{"image": ' + "9" * 6000 + ', "label": "positive"}',
    "[" * 20000,
    "\xff",
    "",
    "null",
]


def test_bad_answers_are_refused(server: Serving) -> None:
    """Bad input gets one sentence and a 4xx, and nothing is stored."""
    for body in BAD_ANSWERS:
        response = server.client.post(
            "/api/annotations", content=body.encode("latin-1"), headers={"content-type": "application/json"}
        )
        assert response.status_code in (400, 422), body
        assert isinstance(response.json()["detail"], str)
    assert server.client.get("/api/annotations").json()["total"] == 0


def test_unknown_images_cannot_be_answered(server: Serving) -> None:
    """An answer to a number that no image has is 404."""
    assert server.answer(4711).status_code == 404


def test_large_bodies_are_refused(server: Serving) -> None:
    """A body over 64 KB is 413, whether it says its length or not."""
    large = b" " * 70_000
    assert server.client.post("/api/annotations", content=large).status_code == 413
    chunks = (large[:1000] for _ in range(70))
    assert server.client.post("/api/annotations", content=chunks).status_code == 413


def test_exports(server: Serving) -> None:
    """CSV and JSON lines hold every answer, in the order given."""
    server.answer(2, "positive", source="key", shown_ms=12)
    server.answer(1, "skipped")
    rows = list(csv.DictReader(io.StringIO(server.client.get("/api/export").text)))
    lines = [json.loads(line) for line in server.client.get("/api/export?format=jsonl").text.splitlines()]
    assert [row["label"] for row in rows] == [line["label"] for line in lines] == ["positive", "skipped"]
    assert list(rows[0]) == list(lines[0]) == list(fields(False))
    assert (rows[0]["audit"], lines[0]["audit"]) == ("false", False)
    assert rows[0]["shown_ms"] == "12"
    assert server.client.get("/api/export?format=xml").status_code == 422


def test_predictor(server: Serving) -> None:
    """The predictor is 404 before there is one, then the file as it is."""
    assert server.client.get("/api/predictor").status_code == 404
    (server.session.run / "predictor.ckpt").write_bytes(b"weights" * 1000)
    assert server.client.get("/api/predictor").content == b"weights" * 1000


def test_strategy(server: Serving) -> None:
    """A strategy is changed at once for the selector, and kept; an unknown one is refused."""
    assert server.client.put("/api/strategy", json={"strategy": "entropy"}).status_code == 200
    assert pickle_file.read(server.session.run, protocol.SETTINGS).content.strategy == "entropy"
    assert server.client.get("/api/status").json()["strategy"] == "entropy"
    assert server.client.put("/api/strategy", json={"strategy": "luck"}).status_code == 422


def test_events(server: Serving) -> None:
    """The event stream tells the status at once and after each answer."""
    with server.client.stream("GET", "/api/events") as stream:
        told = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        assert next(told)["positives"] == 0
        server.answer(1)
        assert next(status for status in told if status["positives"])["left"] == COUNT - 1


def test_settings_resume(tmp_path: Path, datadir: Path) -> None:
    """Names, strategy and how long AUTO waits stay when a later start does not give them."""
    with serving(tmp_path / "run", datadir, positive="cat", strategy="entropy", auto_idle=600.0):
        pass
    with serving(tmp_path / "run", datadir) as server:
        status = server.client.get("/api/status").json()
    assert (status["classes"]["positive"], status["strategy"], status["auto_idle"]) == ("cat", "entropy", 600)


def test_the_token(tmp_path: Path, datadir: Path) -> None:
    """Every route needs the token, by cookie or header; the link sets the cookie and hides the token."""
    with serving(tmp_path / "run", datadir, token="s3cret") as server:
        client = server.client
        paths = [
            "/api/status",
            "/api/queue",
            "/api/images/0",
            "/api/docs",
            "/api/openapi.json",
            "/api/events",
            "/assets/x",
        ]
        assert {client.get(path).status_code for path in [*paths, "/tensorboard/", "/api/export"]} == {401}
        assert server.answer(1).status_code == 401
        assert client.get("/").status_code == 401
        assert "token" in client.get("/").text
        assert client.get("/api/status", headers={"authorization": "Bearer wrong"}).status_code == 401
        wrong = client.get("/?token=wrong")
        assert wrong.status_code == 401
        assert "not the token" in wrong.text
        style = base64.b64encode(hashlib.sha256(wrong.text.split("<style>")[1].split("</style>")[0].encode()).digest())
        assert f"'sha256-{style.decode()}'" in wrong.headers["content-security-policy"]
        assert client.get("/api/status", headers={"authorization": "Bearer s3cret"}).status_code == 200
        opened = client.get("/?token=s3cret")
        assert (opened.status_code, opened.headers["location"]) == (303, "./")
        elsewhere = client.get(f"{client.base_url}//evil.example/?token=s3cret")
        assert elsewhere.headers["location"] == "./"
        assert "httponly" in opened.headers["set-cookie"].lower()
        assert client.get("/api/status").status_code == 200


def test_foreign_hosts_and_origins(server: Serving) -> None:
    """A foreign Host is 400 and a foreign Origin 403, also for what a page elsewhere may post without asking."""
    client = server.client
    port = client.base_url.port
    assert client.get("/api/status", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/api/status", headers={"host": f"evil.example:{port}"}).status_code == 400
    assert client.get("/api/status", headers={"host": f"localhost:{port}"}).status_code == 200
    for origin in ("http://evil.example", "null", "http://[", "", f"http://127.0.0.1:{(port or 0) + 1}"):
        assert client.get("/api/status", headers={"origin": origin}).status_code == 403
    post = {"origin": "http://evil.example", "content-type": "text/plain"}
    assert client.post("/api/undo", content="{}", headers=post).status_code == 403
    assert client.get("/api/status", headers={"origin": f"http://127.0.0.1:{port}"}).status_code == 200


def test_our_own_page_behind_a_proxy(tmp_path: Path, datadir: Path) -> None:
    """Where a proxy changes the Host, the page's key or the browser's word lets its requests in, with a token."""
    own = {"origin": "http://photos.example", "authorization": "Bearer t"}
    with serving(tmp_path / "run", datadir, token="t") as server:
        client = server.client
        key = client.get("/api/status", headers={"authorization": "Bearer t"}).headers["x-page-key"]
        assert "x-page-key" not in client.get("/").headers
        for proof, status in (
            ({"x-page-key": key}, 409),
            ({"sec-fetch-site": "same-origin"}, 409),
            ({"x-page-key": ""}, 403),
            ({"x-page-key": "t"}, 403),
            ({"x-page-key": key, "sec-fetch-site": "same-site"}, 403),
            ({"x-page-key": key, "authorization": "Bearer u"}, 401),
        ):
            answer = client.post("/api/undo", json={"client": "me"}, headers={**own, **proof})
            assert (proof, answer.status_code) == (proof, status)
    with serving(tmp_path / "open", datadir) as server:
        assert "x-page-key" not in server.client.get("/api/status").headers
        proof = {"x-page-key": key, "sec-fetch-site": "same-origin"}
        answer = server.client.post("/api/undo", json={"client": "me"}, headers={**own, **proof})
        assert (answer.status_code, "--no-token" in answer.json()["detail"]) == (403, True)


def test_refusals_are_pages_for_people(tmp_path: Path, datadir: Path) -> None:
    """A browser that is to show an answer gets a page of one sentence; the log names the way, and not too often."""
    with serving(tmp_path / "run", datadir, token="t") as server:
        client = server.client
        browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        for path, more, status, text in (
            ("/", {"host": "backend"}, 400, f"proxy_set_header Host {client.base_url.host}:"),
            ("/api/status", {}, 401, "open the link"),
            ("/annotate/", {"authorization": "Bearer t"}, 404, "proxy_pass with a slash"),
        ):
            page = client.get(path, headers=browser | more)
            assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
            assert text in page.text
            program = client.get(path, headers=more)
            assert text in program.json()["detail"]


def test_a_cookie_that_stayed_behind(tmp_path: Path, datadir: Path) -> None:
    """An older token in a cookie of a path above does not keep out who has the right one."""
    with serving(tmp_path / "run", datadir, token="t") as server:
        name = f"ia_token_{server.session.config.port}"
        for cookie in (f"{name}=t; {name}=old", f"{name}=old; {name}=t"):
            assert server.client.get("/api/status", headers={"cookie": cookie}).status_code == 200


def test_the_status_names_the_page(server: Serving) -> None:
    """A tab of an older version learns from the status that the page consists of another program by now."""
    page = server.client.get("/").text
    assert f"./assets/{server.client.get('/api/status').json()['page']}" in page


def test_pages_say_what_a_browser_may_do(server: Serving) -> None:
    """The page may load from its own origin only, and the API's page lists every route."""
    response = server.client.get("/api/docs")
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert "/api/annotations" in response.text
    assert server.client.get("/api/openapi.json").json()["openapi"].startswith("3")


def test_half_a_request_harms_nobody(server: Serving) -> None:
    """Rubbish on the port is answered or dropped, and others are served."""
    address = ("127.0.0.1", server.client.base_url.port)
    for rubbish in (
        b"\x00\xff\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"POST /api/annotations HTTP/1.1\r\nHost: localhost",
    ):
        with socket.create_connection(address) as connection:
            connection.sendall(rubbish)
            assert server.client.get("/api/status").status_code == 200


def test_tensorboard_off(server: Serving) -> None:
    """Without TensorBoard its route says so."""
    assert server.client.get("/tensorboard/").status_code == 404


def test_tensorboard_not_there_yet(tmp_path: Path, datadir: Path) -> None:
    """While TensorBoard does not answer, its route says so in one sentence."""
    with serving(tmp_path / "run", datadir, tensorboard=True) as server:
        response: httpx.Response = server.client.get("/tensorboard/")
        assert (response.status_code, list(response.json())) == (502, ["detail"])
        assert server.client.get("/tensorboard/%00").status_code == 404

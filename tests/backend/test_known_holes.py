"""Known holes of other tools in this field, one test each: what the hole was, and that it is none here.

What each identifier stands for was read in its public advisory; docs/concepts/security.md has the table.
"""

import json
import stat
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from backend.web.access import token_of
from tests.faults.intrusion.hostile import DROPPED, exchange, request
from tests.faults.intrusion.paths import CANARY
from tests.faults.intrusion.witness import witnessed
from tests.serving import Serving, serving, until

TOKEN = "a-token-of-nobody"
BEARER = {"authorization": f"Bearer {TOKEN}"}
SCRIPT = "<script>alert(document.domain)</script>"
PICTURES = {"image/png", "image/jpeg", "image/webp", "image/gif"}
HTML_IN_A_PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x09\0\0\0\x08\x08\x02\0\0\0" + SCRIPT.encode()
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{SCRIPT}</svg>'.encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of two pictures, two that hold scripts, and files that are no pictures; TensorBoard is awaited."""
    folder = tmp_path_factory.mktemp("holes")
    data = folder / "data"
    data.mkdir()
    for number in range(2):
        Image.new("RGB", (40, 30)).save(data / f"{number}.png")
    for name, content in {"html.png": HTML_IN_A_PICTURE, "svg.jpg": SVG, "page.html": SVG, "x.svg": SVG}.items():
        (data / name).write_bytes(content)
    (data / f"{SCRIPT.replace('/', '')}.png").write_bytes((data / "0.png").read_bytes())
    with serving(folder / "run", data, token=TOKEN, tensorboard=True) as server:
        until(lambda: not server.session.images.listing)
        yield server


def port_of(server: Serving) -> int:
    """Where it listens."""
    return server.client.base_url.port or 0


def asked_for(server: Serving, requests: list[bytes]) -> set[str]:
    """What this process opened or connected to besides what it was asked over; all requests are answered."""
    with witnessed() as seen:
        for each in requests:
            assert exchange(port_of(server), each).status > 0
    near = f"('127.0.0.1', {port_of(server)})"
    connected = {what for event, what in seen if event == "socket.connect" and near not in what}
    return connected | {what for _, what in seen if CANARY in what}


def reflected(server: Serving, requests: list[bytes]) -> list[bytes]:
    """The answers that a browser would take for a page, and that hold the script that was sent."""
    found = []
    for each in requests:
        answer = exchange(port_of(server), each)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        is_page = "html" in answer.headers["content-type"] or "svg" in answer.headers["content-type"]
        if is_page and SCRIPT.encode() in answer.body:
            found.append(each)
    return found


# --- Label Studio -----------------------------------------------------------------------------------------------------


def test_cve_2022_36551(server: Serving) -> None:
    """The import took any URL, files of the server included: here no request makes the server fetch or open one."""
    urls = [f"file:///etc/{CANARY}", f"http://127.0.0.1:1/{CANARY}", f"http://{CANARY}.example/", f"/etc/{CANARY}"]
    bodies = [json.dumps({"image": 0, "label": "positive", "url": url, "data": url}).encode() for url in urls]
    routes = ("annotations", "annotations/batch", "import", "undo")
    port = port_of(server)
    asked = [request(port, f"/api/{route}", "POST", body, BEARER) for body in bodies for route in routes]
    asked += [request(port, f"/api/annotations?url={url}&file={url}", headers=BEARER) for url in urls]
    assert asked_for(server, asked) == set()


def test_cve_2023_43791(server: Serving, tmp_path: Path) -> None:
    """Sessions were signed with a key that stood in the source: here each run draws its own token, for its owner."""
    first, second = token_of(tmp_path / "first"), token_of(tmp_path / "second")
    assert first != second
    assert min(len(first), len(second)) >= 32
    assert stat.S_IMODE((tmp_path / "first" / "token").stat().st_mode) == 0o600
    headers = {"cookie": f"ia_token_{port_of(server)}={first}"}
    assert exchange(port_of(server), request(port_of(server), headers=headers)).status == 401


def test_cve_2023_47115(server: Serving) -> None:
    """An uploaded picture was served as a page, by its name: here files are served as pictures or not at all."""
    paths = [server.session.images.path(image) for image in range(len(server.session.images))]
    assert not [path for path in paths if path.endswith((".html", ".svg"))]
    port = port_of(server)
    for image, path in enumerate(paths):
        for query in ("", "?size=64"):
            answer = exchange(port, request(port, f"/api/images/{image}{query}", headers=BEARER))
            is_sound = path not in {"html.png", "svg.jpg"}
            assert answer.status == (200 if is_sound else 415), path
            assert answer.headers["content-type"] in (PICTURES if is_sound else {"application/json"})
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert SCRIPT.encode() not in answer.body
    multipart = {"content-type": "multipart/form-data; boundary=x"} | BEARER
    for route in ("/api/images", "/api/images/0", "/upload", "/"):
        assert exchange(port, request(port, route, "POST", b"--x\r\n\r\n--x--", multipart)).status in {404, 405}


def test_cve_2023_47116(server: Serving) -> None:
    """A guard against inner addresses was passed by a redirect or a second look-up: here nothing is looked up."""
    port = port_of(server)
    names = [f"{CANARY}.example", "169.254.169.254", "127.0.0.1:1", "0x7f000001:1", "[::1]:1"]
    asked = [request(port, f"http://{name}/", headers=BEARER) for name in names]
    asked += [request(port, f"/api/images/0?url=http://{name}/&size=64", headers=BEARER) for name in names]
    asked += [request(port, "/api/queue", headers=BEARER | {"x-forwarded-host": name}) for name in names]
    asked += [request(port, f"//{name}/", headers=BEARER) for name in names]
    assert asked_for(server, asked) == set()


def test_cve_2023_47117(server: Serving) -> None:
    """Filters reached into any column, letter by letter: here they are a closed set, and no answer holds the token."""
    port = port_of(server)
    exchange(port, request(port, "/api/annotations", "POST", b'{"image": 0, "label": "positive"}', BEARER))
    plain = exchange(port, request(port, "/api/annotations", headers=BEARER))
    assert json.loads(plain.body)["total"] == 1
    for query in ("client__regex=^x", "id__startswith=0", "token__gt=a", "filter:client=x", "where=1%3D0"):
        assert exchange(port, request(port, f"/api/annotations?{query}", headers=BEARER)).body == plain.body
    for query in ("order=client", "order=time;--", "label=x%27%20OR%201=1", "source=%25", "least=0%20OR%201"):
        assert exchange(port, request(port, f"/api/annotations?{query}", headers=BEARER)).status == 422
    assert TOKEN.encode() not in plain.body


def test_cve_2025_25296(server: Serving) -> None:
    """A page repeated a part of its address as HTML: here no page holds what a request brought."""
    port, script = port_of(server), "%3Cscript%3Ealert(document.domain)%3C/script%3E"
    places = ["/?token={}", "/?x={}", "/{}", "/api/docs?x={}", "/api/{}", "/assets/{}", "/api/annotations?label={}"]
    places += [
        "/api/images/{}",
        "/api/export?format={}",
        "/api/openapi.json?{}",
        "/tensorboard/{}",
        "/api/queue?client={}",
    ]
    targets = [place.format(script) for place in places]
    asked = [request(port, target, headers=headers) for target in targets for headers in (BEARER, {})]
    assert reflected(server, asked) == []


def test_cve_2025_47783(server: Serving) -> None:
    """The same by POST: here no page holds what a body or a header brought, nor the name of a file."""
    port = port_of(server)
    form = {"content-type": "application/x-www-form-urlencoded"} | BEARER
    asked = []
    for route in ("/", "/api/annotations", "/api/undo", "/api/docs", "/api/upload-example"):
        asked.append(request(port, route, "POST", f"label_config={SCRIPT}".encode(), form))
        asked.append(request(port, route, "POST", json.dumps({"label": SCRIPT, SCRIPT: 1}).encode(), BEARER))
        asked.append(request(port, route, headers=BEARER | {"user-agent": SCRIPT, "accept": SCRIPT, "referer": SCRIPT}))
    asked.append(request(port, "/api/queue?count=100", headers=BEARER))
    assert reflected(server, asked) == []
    assert b"script" in exchange(port, asked[-1]).body  # the name of a file, as JSON


# --- Gradio -----------------------------------------------------------------------------------------------------------


def test_cve_2026_28414(server: Serving) -> None:
    """A path from the root was not taken for absolute, on Windows with Python 3.13: here no path is joined at all."""
    port = port_of(server)
    paths = [f"/windows/{CANARY}", f"C:/windows/{CANARY}", f"%5cwindows%5c{CANARY}", f"%5c%5chost%5c{CANARY}"]
    asked = [
        request(port, f"{place}{path}", headers=BEARER) for path in paths for place in ("/assets/", "/static/", "/")
    ]
    assert asked_for(server, asked) == set()
    assert {exchange(port, each).status for each in asked} == {404}


def test_cve_2026_28416(server: Serving) -> None:
    """A proxy trusted addresses out of a foreign configuration: here it asks TensorBoard's address and no other."""
    port = port_of(server)
    tails = ["", "//evil.example/", "@evil.example/", "http://evil.example/", "..//evil.example", "%2f%2fevil.example"]
    asked = [request(port, f"/tensorboard/{tail}", headers=BEARER) for tail in tails]
    asked += [request(port, "/tensorboard/", headers=BEARER | {"x-forwarded-host": "evil.example"})]
    asked += [request(port, f"/proxy=http://{CANARY}.example/", headers=BEARER)]
    connected = asked_for(server, asked)
    assert connected
    assert all(f"('127.0.0.1', {port + 1})" in what for what in connected)


# --- Jupyter ----------------------------------------------------------------------------------------------------------


def test_cve_2026_40110(server: Serving) -> None:
    """An Origin needed only to begin like the trusted one: here it must be the same to the last letter."""
    port = port_of(server)
    own = f"http://127.0.0.1:{port}"
    wrong = [
        f"{own}.evil.example",
        f"{own}@evil.example",
        f"{own}0",
        f"{own}/",
        f"{own}/x",
        f"http://evil.example/{own}",
    ]
    wrong += [f"http://127.0.0.1.evil.example:{port}", f"http://x127.0.0.1:{port}", f"{own} http://evil.example"]
    for origin in wrong:
        asked = request(port, "/api/undo", "POST", b"{}", BEARER | {"origin": origin})
        assert exchange(port, asked).status == 403, origin
    assert exchange(port, request(port, headers=BEARER | {"origin": own})).status == 200


def test_cve_2026_40934(tmp_path: Path) -> None:
    """Cookies outlived a change of the password: here a cookie is worth as much as the token of the moment."""
    (tmp_path / "data").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "data" / "0.png")
    run = tmp_path / "run"
    before = token_of(run)
    with serving(run, tmp_path / "data", token=before) as server:
        cookie = {"cookie": f"ia_token_{port_of(server)}={before}"}
        assert exchange(port_of(server), request(port_of(server), headers=cookie)).status == 200
    (run / "token").unlink()
    with serving(run, tmp_path / "data", token=token_of(run)) as server:
        cookie = {"cookie": f"ia_token_{port_of(server)}={before}"}
        assert exchange(port_of(server), request(port_of(server), headers=cookie)).status == 401


# --- Starlette --------------------------------------------------------------------------------------------------------


def test_cve_2025_62727(server: Serving) -> None:
    """Many ranges took time with their square: here a head is short, and many ranges are answered as none."""
    assert tuple(map(int, version("starlette").split(".")[:3])) >= (0, 49, 1)
    port = port_of(server)
    whole = exchange(port, request(port, "/", headers=BEARER))
    many = "bytes=" + ",".join(f"{2 * at}-{2 * at}" for at in range(3000))
    answer = exchange(port, request(port, "/", headers=BEARER | {"range": many}))
    assert len(answer.body) <= len(whole.body)
    assert exchange(port, request(port, "/", headers=BEARER | {"range": many * 10})).status in {431, 400, DROPPED}


def test_cve_2026_48710(server: Serving) -> None:
    """A path in the Host header passed for the path that was asked: here such a Host is refused."""
    assert tuple(map(int, version("starlette").split(".")[:3])) >= (1, 0, 1)
    port = port_of(server)
    for host in ("localhost/", "localhost/?", "localhost?x", "localhost#", "localhost/api/docs?", "a@localhost", ""):
        for path in ("/api/status", "/"):
            assert exchange(port, request(port, path, headers={"host": host})).status == 400, host


# --- COCO Annotator, and what needs no hole ---------------------------------------------------------------------------


def test_cve_2026_2109(server: Serving) -> None:
    """Undo took any id from anybody: here it needs the token, takes no id, and takes back one's own last answer."""
    port = port_of(server)
    for client in ("mine", "yours"):
        body = json.dumps({"image": 1, "label": "negative", "client": client}).encode()
        assert exchange(port, request(port, "/api/annotations", "POST", body, BEARER)).status == 201
    assert exchange(port, request(port, "/api/undo", "POST", b'{"client": "yours"}')).status == 401
    for more in ({"id": 1}, {"image": 1}, {"category": 1}):
        body = json.dumps({"client": "mine"} | more).encode()
        assert exchange(port, request(port, "/api/undo", "POST", body, BEARER)).status == 422
    assert exchange(port, request(port, "/api/undo?id=1", "POST", b'{"client": "nobody"}', BEARER)).status == 409
    assert exchange(port, request(port, "/api/undo", "POST", b'{"client": "yours"}', BEARER)).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_cross_site_posts(server: Serving, content_type: str) -> None:
    """What a page elsewhere may post without asking first changes nothing, with the cookie or without a token."""
    port = port_of(server)
    total = exchange(port, request(port, "/api/annotations?limit=0", headers=BEARER)).body
    body = b'{"image": 0, "label": "positive"}'
    cookie = {"cookie": f"ia_token_{port}={TOKEN}", "content-type": content_type}
    foreign = cookie | {"origin": "http://evil.example"}
    assert exchange(port, request(port, "/api/annotations", "POST", body, foreign)).status == 403
    navigation = cookie | {"origin": "null", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert exchange(port, request(port, "/api/annotations", "POST", body, navigation)).status == 403
    assert exchange(port, request(port, "/api/annotations", "POST", body, cookie)).status == 422
    assert exchange(port, request(port, "/api/annotations?limit=0", headers=BEARER)).body == total


def test_the_cookie(server: Serving) -> None:
    """The cookie is out of reach for scripts and for what other sites load, and the address loses the token."""
    port = port_of(server)
    answer = exchange(port, request(port, f"/?token={TOKEN}&x=1"))
    assert (answer.status, answer.headers["location"]) == (303, "./?x=1")
    assert {"HttpOnly", "SameSite=lax"} <= set(answer.headers["set-cookie"].split("; "))
    assert answer.headers["referrer-policy"] == "no-referrer"
    split = exchange(port, request(port, f"/%0d%0aSet-Cookie:%20x=1?token={TOKEN}&%0d%0a=1"))
    assert "x=1" not in split.headers["set-cookie"]

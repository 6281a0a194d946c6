"""The page behind a real nginx, with its default settings, below a path."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.benchmarks.browser.chromium import launched
from tests.browser.courses.test_tabs import PATIENCE_MS, painted
from tests.browser.test_page import stored
from tests.nginx import PATH, proxied
from tests.serving import DEADLINE_S, Serving

pytestmark = pytest.mark.browser

LINKS = re.compile(r'(?:href|src|action)="([^"]*)"')
NAME = "annotate.test"  # not this machine to a browser: over plain HTTP it does not say where a request comes from


@pytest.fixture
def port(server: Serving, tmp_path: Path) -> Iterator[int]:
    """Of an nginx before it."""
    with proxied(tmp_path / "nginx", server.session.config.port) as port:
        yield port


def test_the_page(server: Serving, port: int, tmp_path: Path, playwright: Playwright) -> None:
    """It opens by the link, an answer goes through, news arrive, and nothing is asked outside of its path."""
    errors: list[str] = []
    with launched(playwright, f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://{NAME}:{port}{PATH}?token=t")
        assert page.url == f"http://{NAME}:{port}{PATH}"
        painted(page)
        page.keyboard.press("f")
        expect(page.locator("#positives")).to_have_text("1", timeout=PATIENCE_MS)
        assert server.session.answering.counts()["positives"] == 1
        answered = {image for image, _, _ in stored(server)}
        left = next(image for image in range(12) if image not in answered)
        assert server.answer(left).status_code == 201
        expect(page.locator("#positives")).to_have_text("2", timeout=PATIENCE_MS)
        assert server.session.changes.streams == 1
        page.click("#more")
        page.click("#info")
        expect(page.get_by_role("dialog")).to_be_visible()
        leaving = [address for address in addresses(page) if not address.startswith((page.url, "blob:"))]
        page.goto("about:blank")
    asked = re.findall(r'"[A-Z]+ (\S+) HTTP', (tmp_path / "nginx/access.log").read_text())
    assert [address for address in asked if not address.startswith(PATH)] == []
    assert (leaving, errors) == ([], [])


def addresses(page: Page) -> list[str]:
    """What everything in the page leads to."""
    script = "all => all.map(each => each.href ?? each.src ?? each.action)"
    return [str(address) for address in page.eval_on_selector_all("a, img, iframe, form", script)]


@pytest.mark.parametrize("more", ["", "gzip_types text/event-stream; gzip_proxied any;"])
def test_events(server: Serving, tmp_path: Path, more: str) -> None:
    """What the server tells goes through at once, also where everything is compressed."""
    headers = {"authorization": "Bearer t", "accept-encoding": "gzip"}
    with proxied(tmp_path / "other", server.session.config.port, more) as port:
        base = f"http://127.0.0.1:{port}{PATH}"
        with (
            httpx.Client(base_url=base, headers=headers, timeout=DEADLINE_S, trust_env=False) as client,
            client.stream("GET", "api/events") as stream,
        ):
            lines = stream.iter_lines()
            assert '"positives": 0' in next(line for line in lines if line.startswith("data:"))
            server.answer(0)
            assert '"positives": 1' in next(line for line in lines if line.startswith("data:"))


def test_links_stay_below_the_path(server: Serving, port: int) -> None:
    """Redirects, prompt, cookie, page, list of routes and openapi.json name no place from the root of the host."""
    base = f"http://127.0.0.1:{port}{PATH}"
    with httpx.Client(base_url=base, timeout=DEADLINE_S, trust_env=False) as client:
        named = LINKS.findall(client.get("").text)
        for link in ("?token=t", "?token=t&x=1", "api/docs?token=t", "tensorboard"):
            answer = client.get(link)
            named.append(answer.headers["location"])
            assert urljoin(f"{base}{link}", named[-1]).startswith(base)
            if link.startswith("?"):
                assert "Path=" not in answer.headers["set-cookie"]  # then it holds where it was given
        client.cookies.clear()
        for place in ("?token=t", "", "api/docs"):
            named += LINKS.findall(client.get(place).text)
        described = client.get("api/openapi.json")
        assert urljoin(str(described.url), described.json()["servers"][0]["url"]) == base
    assert len(named) > 7
    assert [place for place in named if place.startswith(("/", "http"))] == []


def test_a_wrong_setting_is_named(server: Serving, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A Host that is not ours, and a path that the proxy keeps, are one sentence on a page, with the way."""
    browser = {"accept": "text/html,*/*;q=0.8", "cookie": f"ia_token_{server.session.config.port}=t"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=browser, trust_env=False) as client:
        for place, status, way in (
            ("/named/", 400, "proxy_set_header Host 127.0.0.1:"),
            ("/whole/", 404, "proxy_pass with a slash at its end"),
        ):
            answer = client.get(place)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
            assert way in answer.text
    assert [record.getMessage() for record in caplog.records if "'backend', which is not a name" in record.getMessage()]

"""A real Chromium, and pages that fail their test when the page itself complains."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.benchmarks.browser.chromium import launched
from tests.serving import Serving, serving, until

OpenPage = Callable[[str], Page]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives browsers; there can be only one in a process."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with launched(playwright) as browser:
        yield browser


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A person's browser profile: what the page stores outlives a reload."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield context
    for page in context.pages:
        page.unroute_all(behavior="ignoreErrors")  # else an answer that is under way fails the next test
    context.unroute_all(behavior="ignoreErrors")
    context.close()


@pytest.fixture
def open_page(context: BrowserContext) -> Iterator[OpenPage]:
    """Opens a link; afterwards no page may have asked another host or thrown an error."""
    foreign: list[str] = []
    errors: list[str] = []

    def open_page(link: str) -> Page:
        own = link.split("?")[0]
        page = context.new_page()
        page.on(
            "request", lambda request: None if request.url.startswith((own, "blob:")) else foreign.append(request.url)
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(link)
        return page

    yield open_page
    assert (foreign, errors) == ([], [])


@pytest.fixture
def server(tmp_path: Path, images_folder: Path) -> Iterator[Serving]:
    """A server with a token that has listed twelve pictures; its client may ask."""
    with serving(tmp_path / "run", images_folder, token="t") as server:
        server.client.headers["authorization"] = "Bearer t"
        until(lambda: not server.session.images.listing)
        yield server

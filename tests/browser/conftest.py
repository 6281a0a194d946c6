"""A real Chromium, and pages that fail their test when the page itself complains."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    executable = shutil.which("chromium")
    assert executable, "Chromium is not installed; bash tests/run.sh installs it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A person's browser profile: what the page stores outlives a reload."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def open_page(context: BrowserContext) -> Iterator[Callable[[str], Page]]:
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

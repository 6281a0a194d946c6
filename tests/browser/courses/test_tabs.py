"""Many tabs of one browser on one server: a browser opens six connections to it and no more."""

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_page import link_of, page_until, stored
from tests.browser.test_page import painted as painted_now
from tests.serving import Serving, until

pytestmark = pytest.mark.browser

TABS = 8
PATIENCE_MS = 30_000  # a busy machine is no failure


def painted(tab: Page) -> int:
    """Wait until an image is on the screen, however busy the machine is; its number."""
    tab.wait_for_selector('#image[data-painted="true"]')
    return painted_now(tab)


def shows(tabs: list[Page], positives: int) -> None:
    """Every tab comes to show so many positives."""
    for tab in tabs:
        expect(tab.locator("#positives")).to_have_text(str(positives), timeout=PATIENCE_MS)


def answer(server: Serving, tab: Page, key: str) -> None:
    """Press a key, and wait until the server has stored what it says of the image on the screen."""
    image, label = painted(tab), {"f": "positive", "j": "negative"}[key]
    tab.keyboard.press(key)
    page_until(tab, lambda: (image, label) in [(image, label) for image, label, _ in stored(server)])


def positives(server: Serving) -> int:
    """How many the server counts."""
    return server.session.answering.counts()["positives"]


def test_eight_tabs(server: Serving, open_page: OpenPage) -> None:
    """An answer in each tab is stored, every tab's counts follow, and all hear of it through one stream."""
    tabs = [open_page(link_of(server)) for _ in range(TABS)]
    for number, tab in enumerate(tabs):  # all are one person to the server, and may show the same image
        answer(server, tab, "fj"[number % 2])
        shows(tabs, positives(server))
    assert server.session.changes.streams == 1
    for tab in tabs[1:]:
        tab.close()
    answer(server, tabs[0], "f")
    shows(tabs[:1], positives(server))
    tabs[0].close()
    until(lambda: server.session.changes.streams == 0)


def test_the_tab_that_began_crashes(server: Serving, open_page: OpenPage) -> None:
    """The stream goes on in the other tabs when the tab that began it crashes, or is closed."""
    first, *others = [open_page(link_of(server)) for _ in range(3)]
    for tab in [first, *others]:
        painted(tab)
    others.pop(0).close()
    with first.expect_event("crash"), pytest.raises(Error):
        first.goto("chrome://crash")  # the worker runs in its process
    until(lambda: server.session.changes.streams == 0)
    assert server.answer(0).status_code == 201
    shows(others, 1)
    assert server.session.changes.streams == 1


def test_without_shared_workers(server: Serving, context: BrowserContext, open_page: OpenPage) -> None:
    """A browser that shares no workers gives each tab that is seen a stream of its own."""
    context.add_init_script("delete window.SharedWorker")
    tab = open_page(link_of(server))
    painted(tab)
    assert server.answer(0).status_code == 201
    shows([tab], 1)


def test_a_token_that_does_not_hold_any_more(server: Serving, context: BrowserContext, open_page: OpenPage) -> None:
    """A tab says so, keeps its answer, and sends it once the link has been opened in another tab."""
    tab = open_page(link_of(server))
    painted(tab)
    context.clear_cookies()
    tab.keyboard.press("f")
    sentence = "Open the link printed in the terminal; your answers are kept"
    expect(tab.locator("#banner")).to_contain_text(sentence, timeout=PATIENCE_MS)
    assert stored(server) == []
    open_page(link_of(server))
    shows([tab], 1)
    expect(tab.locator("#banner")).to_be_hidden(timeout=PATIENCE_MS)

"""Finish in a real Chromium against a real server: look, label the rest, export, take it back; the doubtful band."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import findings
from tests.serving import Serving, serving, until
from tests.test_finish import IMAGES, UNSCORED, predict
from tests.test_finish import folder as folder

pytestmark = pytest.mark.browser

OpenPage = Callable[[str], Page]


@pytest.fixture
def server(tmp_path: Path, folder: Path) -> Iterator[Serving]:
    """Forty pictures with predictions, the first two answered."""
    with serving(tmp_path / "run", folder, positive="cat", negative="no cat") as server:
        until(lambda: server.session.queue.left == IMAGES)
        predict(server)
        server.answer(0, "negative")
        server.answer(36, "positive")
        yield server


def opened(server: Serving, open_page: OpenPage) -> Page:
    """The finish, opened by its key."""
    page = open_page(f"{server.client.base_url}/")
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator("#becoming")).to_be_visible()
    return page


def sources(page: Page) -> dict[str, str]:
    """Path and source of each line that is downloaded."""
    with page.expect_download() as download:
        page.click("#finished a:text-is('CSV')")
    rows = csv.DictReader(download.value.path().read_text().splitlines())
    return {row["path"]: row["source"] for row in rows}


def test_finish_export_undo(server: Serving, open_page: OpenPage) -> None:
    """By another threshold the rest is labelled, exported beside the answers, and taken back in one click."""
    page = opened(server, open_page)
    expect(page.locator("#becoming")).to_contain_text("20 become “cat”")
    page.locator("#threshold").fill("0.8")
    expect(page.locator("#becoming")).to_contain_text("4 become “cat”")
    expect(page.locator(".strip[data-strip=at] li")).to_have_count(8)
    page.click("#finish-ask")
    page.click("#finish-now")
    expect(page.locator("#finished")).to_contain_text("4 “cat” and 31 “no cat”")
    exported = sources(page)
    assert exported.pop("00.png") == exported.pop("36.png") == "api"
    assert set(exported.values()) == {"model"}
    assert len(exported) == IMAGES - UNSCORED - 2
    assert findings(page) == []
    page.click("#finish-undo")
    expect(page.locator("#finished")).to_have_count(0)
    assert server.client.get("/api/export?format=csv").text.count("\n") == 3
    assert server.client.get("/api/annotations").json()["total"] == 2


def test_the_doubtful_ones_are_asked_next(server: Serving, open_page: OpenPage) -> None:
    """Q sends them to the queue: the image after the one on the screen is the nearest to the threshold."""
    page = opened(server, open_page)
    page.locator("#threshold").fill("0.52")
    expect(page.locator("#becoming")).to_contain_text("15 become “cat”")
    expect(page.locator("#ask-next")).to_be_enabled()
    expect(page.locator("#doubtful")).to_have_text("24")
    page.focus(".finish .sheet")
    page.keyboard.press("q")
    expect(page.locator("dialog.finish")).to_have_count(0)
    seen = []
    for _ in range(8):  # those that were decoded already come before
        image = page.locator('#image[data-painted="true"]').get_attribute("data-image")
        seen.append(int(str(image)))
        page.keyboard.press("j")
        expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
        expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    assert {20, 21, 19} <= set(seen)
    expect(page.locator("#first")).to_have_text(re.compile(r"^doubtful: 1\d of 24 left$"))
    assert findings(page) == []
    for number in range(IMAGES):
        server.answer(number, "negative", client="somebody")
    expect(page.locator("#first-over")).to_contain_text("All 24 doubtful images are answered")
    assert findings(page) == []

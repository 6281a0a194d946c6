"""Finish in a real Chromium against a real server: look, label the rest, export, take it back; the doubtful band."""

import csv
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.backend.test_finish import IMAGES, predict
from tests.backend.test_finish import folder as folder
from tests.browser.test_accessibility import findings
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

AHEAD = 16  # so many images may be decoded before the order changes, see the page's pictures.ts

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


def answer(page: Page) -> int:
    """Answer the image on the screen by key, once it is painted, and say which it was."""
    image = page.locator('#image[data-painted="true"]').get_attribute("data-image")
    page.keyboard.press("j")
    expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    return int(str(image))


def is_left(server: Serving, images: int) -> bool:
    """Whether so many are to be asked, as far as the server knows."""
    return server.session.queue.left == images


def sources(page: Page) -> dict[str, str]:
    """Path and source of each line that is downloaded."""
    with page.expect_download() as download:
        page.click("#finished a:text-is('CSV')")
    rows = csv.DictReader(download.value.path().read_text().splitlines())
    return {row["path"]: row["source"] for row in rows}


def test_finish_export_undo(server: Serving, open_page: OpenPage) -> None:
    """After the random questions that it takes the rest is labelled, exported, and taken back in one click."""
    page = opened(server, open_page)
    expect(page.locator("#becoming")).to_contain_text("20 become “cat”")
    expect(page.locator("#finish-ask")).to_be_disabled()
    assert findings(page) == []
    page.click("#finish-random")
    expect(page.locator("#first")).to_have_text("random: 7 of 7 left")
    answers = 2
    while server.session.auditing.audit().random_left(7):  # those that were decoded already come before
        answer(page)
        answers += 1
        until(partial(is_left, server, IMAGES - answers))
    expect(page.locator("dialog.finish")).to_be_visible()  # by itself
    page.locator("#threshold").fill("0.8")
    told = server.client.get("/api/finish?threshold=0.8").json()
    expect(page.locator("#becoming")).to_contain_text(f"{told['negative']} become “no cat”")
    expect(page.locator(".strip[data-strip=at] li")).to_have_count(len(told["examples"]["at"]))
    page.click("#finish-ask")
    page.click("#finish-now")
    expect(page.locator("#finished")).to_contain_text(f"{told['positive']} “cat” and {told['negative']} “no cat”")
    given = list(sources(page).values())
    assert (given.count("api"), given.count("key")) == (2, answers - 2)
    assert given.count("model") == len(given) - answers == told["positive"] + told["negative"]
    assert findings(page) == []
    page.click("#finish-undo")
    expect(page.locator("#finished")).to_have_count(0)
    assert server.client.get("/api/export?format=csv").text.count("\n") == answers + 1
    assert server.client.get("/api/annotations").json()["total"] == answers


def test_the_doubtful_ones_are_asked_next(server: Serving, open_page: OpenPage) -> None:
    """Q sends them to the queue: the image after the one on the screen is the nearest to the threshold."""
    page = opened(server, open_page)
    page.locator("#threshold").fill("0.52")
    expect(page.locator("#becoming")).to_contain_text("15 become “cat”")
    expect(page.locator("#ask-next")).to_be_enabled()
    expect(page.locator("#doubtful")).to_have_text("23")
    page.focus(".finish .sheet")
    page.keyboard.press("q")
    expect(page.locator("dialog.finish")).to_have_count(0)
    expect(page.locator("#first")).to_have_text("doubtful: 23 of 23 left")
    seen: list[int] = []
    while not {20, 21, 19} <= set(seen) and len(seen) <= AHEAD + 3:  # those that were decoded already come before
        seen.append(answer(page))
    assert {20, 21, 19} <= set(seen)
    expect(page.locator("#first")).to_have_text(re.compile(r"^doubtful: (1\d|\d) of 23 left$"))
    assert findings(page) == []
    for number in range(IMAGES):
        server.answer(number, "negative", client="somebody")
    expect(page.locator("#first-over")).to_contain_text("No doubtful image is left")
    assert findings(page) == []

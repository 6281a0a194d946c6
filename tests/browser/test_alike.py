"""Near duplicates in a real Chromium: one answer for all, split, taken back, seen before they are answered."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from backend.demo import draw_picture
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.files import DUPLICATES
from IA.protocol.records import Duplicates, Ranking
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import findings
from tests.browser.test_page import has_stored, link_of, page_until, painted, press
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

COUNT = 8
COPIES = [0, 1, 2, 3]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """Eight pictures, the first four of which are copies, and are asked first."""
    folder, run = tmp_path / "data", tmp_path / "run"
    folder.mkdir()
    run.mkdir()
    for number in range(COUNT):
        shown = draw_picture(False, random.Random(0 if number in COPIES else number))
        shown.save(folder / f"{number}.jpg", quality=90 - number)
    first = np.arange(COUNT, dtype=np.int32)
    first[COPIES] = 0
    pickle_file.publish(run, DUPLICATES, Duplicates(first.data))
    with serving(run, folder, token="t", positive="cat", negative="no cat") as server:
        server.client.headers["authorization"] = "Bearer t"
        until(lambda: server.client.get("/api/status").json()["alike"] == 3)
        order = sorted(range(COUNT), key=lambda number: server.session.images.path(number))
        numbers = np.array(order, np.int32)
        likely = np.linspace(0.9, 0.1, COUNT, dtype=np.float32)
        pickle_file.publish(run, protocol.RANKING, Ranking(numbers.data, likely.data, 2, "max_prob", 1))
        until(lambda: server.session.following.ranking is not None)
        yield server


def together(page: Page) -> list[int]:
    """The near duplicates that are shown small; all of them can be seen."""
    images = page.locator("#alike img")
    for image in images.all():
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0
    return [int(image.get_attribute("data-image") or -1) for image in images.all()]


def test_one_answer_for_all(server: Serving, open_page: OpenPage) -> None:
    """They are shown, one key answers all, Backspace takes all back, the answer of the past changes all."""
    page = open_page(link_of(server))
    image = painted(page)
    expect(page.locator("#alike b")).to_have_text("4 alike")
    copies = together(page)
    group = server.session.queue.states.members(image)
    assert sorted([image, *copies]) == group
    press(page, "f")
    expect(page.locator("#alike")).to_have_count(0)
    page_until(page, lambda: has_stored(server, 4))
    rows = list(csv.DictReader(server.client.get("/api/export").text.splitlines()))
    assert [row["label"] for row in rows] == ["positive"] * 4
    assert sorted(bool(row["copy_of"]) for row in rows) == [False, True, True, True]
    page.keyboard.press("Backspace")
    page_until(page, lambda: has_stored(server, 0))
    assert painted(page) == image
    assert together(page) == copies
    press(page, "f")
    page_until(page, lambda: has_stored(server, 4))
    page.reload()
    painted(page)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f'#image[data-image="{image}"][data-painted="true"]')).to_be_visible()
    assert sorted(together(page)) == sorted(copies)
    page.keyboard.press("j")
    page_until(page, lambda: server.session.labels.counts()["negative"] == 4)
    assert page.locator("#history .thumbnail").count() == 1


def test_split(server: Serving, open_page: OpenPage) -> None:
    """D has them asked one by one: the next key is for the one on the screen alone, however soon it comes."""
    page = open_page(link_of(server))
    image = painted(page)
    expect(page.locator("#alike b")).to_have_text("4 alike")
    page.keyboard.press("d")
    press(page, "f")
    page_until(page, lambda: has_stored(server, 1))
    until(lambda: len(server.session.labels.splits) == 4)
    assert server.session.labels.label(server.session.images.path(image)) == "positive"
    for count in range(2, COUNT + 1):
        expect(page.locator("#alike")).to_have_count(0)
        press(page, "j")
        page_until(page, lambda count=count: has_stored(server, count))  # type: ignore[misc]
    assert server.session.labels.counts() == {"positive": 1, "negative": 7, "skipped": 0}


def test_a_split_is_taken_back(server: Serving, open_page: OpenPage) -> None:
    """Backspace takes back what came after D, then D itself, also after a reload: one question again, one answer."""
    page = open_page(link_of(server))
    painted(page)
    page.keyboard.press("d")
    page.keyboard.press("Backspace")
    expect(page.locator("#alike b")).to_have_text("4 alike")
    until(lambda: not server.session.labels.splits)
    page.keyboard.press("d")
    expect(page.locator("#alike")).to_have_count(0)
    until(lambda: len(server.session.labels.splits) == 4)
    press(page, "f")
    page_until(page, lambda: has_stored(server, 1))
    page.reload()
    painted(page)
    page.keyboard.press("Backspace")
    page_until(page, lambda: has_stored(server, 0))
    expect(page.locator("#note")).to_contain_text("Taken back")
    expect(page.locator("#alike")).to_have_count(0)
    page.keyboard.press("Backspace")
    expect(page.locator("#note")).to_contain_text("Together again")
    expect(page.locator("#alike b")).to_have_text("4 alike")
    press(page, "f")
    page_until(page, lambda: has_stored(server, 4))


def test_split_in_the_grid(server: Serving, open_page: OpenPage) -> None:
    """D is for the image under the mouse or in focus; Backspace has it stand for all again."""
    page = open_page(link_of(server))
    painted(page)
    page.keyboard.press("g")
    cells = page.locator('#grid .grid-cell[data-painted="true"]')
    expect(cells).to_have_count(COUNT - 3)
    page.locator(".slot:has(.together) .grid-cell").hover()
    page.keyboard.press("d")
    expect(cells).to_have_count(COUNT)
    expect(page.locator(".slot .together")).to_have_count(0)
    page.keyboard.press("Backspace")
    expect(page.locator(".slot .together")).to_have_text("4 alike")
    expect(cells).to_have_count(COUNT - 3)
    page.keyboard.press("Enter")
    page_until(page, lambda: has_stored(server, COUNT))


def test_in_the_grid(server: Serving, open_page: OpenPage) -> None:
    """A cell says for how many it stands; Enter answers them all, and one undo takes them all back."""
    page = open_page(link_of(server))
    painted(page)
    page.keyboard.press("g")
    expect(page.locator('#grid .grid-cell[data-painted="true"]')).to_have_count(COUNT - 3)
    expect(page.locator(".slot .together")).to_have_text("4 alike")
    assert findings(page) == []
    page.keyboard.press("Enter")
    page_until(page, lambda: has_stored(server, COUNT))
    expect(page.get_by_text("All images are answered")).to_be_visible()
    page.keyboard.press("Backspace")
    page_until(page, lambda: has_stored(server, 0))


def test_nothing_serious(server: Serving, open_page: OpenPage) -> None:
    """The strip under axe, in every view."""
    page = open_page(link_of(server))
    painted(page)
    expect(page.locator("#alike")).to_be_visible()
    assert findings(page) == []

"""The grid and the strip of the last answers in a real Chromium against a real server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from IA.protocol import pickle_file
from IA.protocol.files import RANKING
from IA.protocol.records import Ranking
from tests.browser.test_accessibility import findings
from tests.browser.test_page import link_of, painted, press, stored
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

COUNT = 30
OpenPage = Callable[[str], Page]


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Thirty pictures of all shapes."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT):
        size = [(640, 480), (480, 640), (64, 64), (1600, 200)][number % 4]
        Image.new("RGB", size, (8 * number, 120, 255 - 8 * number)).save(folder / f"{number:02d}.jpg")
    return folder


@pytest.fixture
def server(tmp_path: Path, datadir: Path) -> Iterator[Serving]:
    """A server that has listed them all."""
    with serving(tmp_path / "run", datadir, token="t", positive="cat", negative="no cat") as server:
        server.client.headers["authorization"] = "Bearer t"
        until(lambda: not server.client.get("/api/status").json()["listing"])
        yield server


def cells(page: Page, count: int) -> list[int]:
    """Wait until so many cells are on the screen, and no more; their images."""
    expect(page.locator("#grid .grid-cell")).to_have_count(count)
    expect(page.locator('#grid .grid-cell[data-painted="true"]')).to_have_count(count)
    return [int(cell.get_attribute("data-image") or -1) for cell in page.locator("#grid .grid-cell").all()]


def opened(page: Page, count: int = 12) -> list[int]:
    """Open the grid by its key; its images."""
    painted(page)
    page.keyboard.press("g")
    return cells(page, count)


def after(page: Page, images: list[int]) -> None:
    """Wait until the grid shows other images than these."""
    for image in images:
        expect(page.locator(f'#grid .grid-cell[data-image="{image}"]')).to_have_count(0)


def test_enter_answers_all(server: Serving, open_page: OpenPage) -> None:
    """Marked by key and by click, the rest negative, one skipped: stored in reading order; the next grid is there."""
    page = open_page(link_of(server))
    images = opened(page)
    page.keyboard.press("2")
    page.keyboard.press("=")
    page.locator("#grid .grid-cell").nth(4).click()
    page.keyboard.press("s")
    page.keyboard.press("0")
    page.locator("#grid .grid-cell").nth(6).click(button="right")
    page.keyboard.press("Enter")
    after(page, images)
    labels = dict.fromkeys(images, "negative")
    labels |= {images[place]: "positive" for place in (1, 11, 4)}
    labels |= {images[place]: "skipped" for place in (9, 6)}
    until(lambda: stored(server) == [(image, label, "grid") for image, label in labels.items()])
    expect(page.locator("#positives")).to_have_text("3")
    cells(page, 12)
    told = server.client.get("/api/annotations?limit=100").json()["annotations"]
    assert all(answer["shown_ms"] > 0 for answer in told)


def test_one_undo_for_a_grid(server: Serving, open_page: OpenPage) -> None:
    """One Backspace takes the whole grid back, also after a reload, and shows it with its marks."""
    page = open_page(link_of(server))
    images = opened(page)
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    after(page, images)
    until(lambda: len(stored(server)) == len(images))
    page.reload()
    opened(page)
    page.keyboard.press("Backspace")
    expect(page.locator(f'#grid .grid-cell[data-image="{images[2]}"][data-mark="positive"]')).to_be_visible()
    assert cells(page, 12) == images
    assert stored(server) == []
    expect(page.locator("#grid [aria-pressed=true]")).to_have_count(1)


def test_the_button_answers_all(server: Serving, open_page: OpenPage) -> None:
    """The button says what Enter does, and does it; a held Enter on it answers once."""
    page = open_page(link_of(server))
    images = opened(page)
    page.keyboard.press("2")
    page.get_by_role("button", name="1 cat, 11 no cat").click()
    after(page, images)
    until(lambda: [source for _, _, source in stored(server)] == ["grid"] * 12)
    cells(page, 12)
    page.locator("#store").focus()
    for _ in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    cells(page, COUNT - 24)
    until(lambda: len(stored(server)) == 24)


def rank(server: Serving, probability: list[float]) -> None:
    """Have the images asked in their order, as of a model that gives them these probabilities."""
    order = np.arange(len(probability), dtype=np.int32)
    pickle_file.publish(
        server.session.run, RANKING, Ranking(order, np.array(probability, np.float32), 4, "max_prob", 7)
    )
    until(lambda: server.client.get("/api/status").json()["ranking"])


def test_what_the_model_marks(server: Serving, open_page: OpenPage) -> None:
    """Images from 50 % on come marked, the button follows each mark, and Enter stores what it says."""
    rank(server, [0.97, 0.5, 0.49, 0.3] + [0.6] * 8 + [0.2] * 12)
    page = open_page(link_of(server))
    images = opened(page)
    store = page.locator("#store")
    expect(store).to_have_accessible_name("10 cat, 2 no cat")
    page.keyboard.press("3")
    expect(store).to_have_accessible_name("11 cat, 1 no cat")
    page.keyboard.press("2")
    expect(store).to_have_accessible_name("10 cat, 2 no cat")
    page.keyboard.press("Enter")
    after(page, images)
    wanted = ["positive", "negative", "positive", "negative", *["positive"] * 8]
    until(lambda: [label for _, label, _ in stored(server)] == wanted)
    cells(page, 12)
    page.keyboard.press("b")
    expect(page.locator("#grid [aria-pressed=true]")).to_have_count(0)


def test_a_page_against_the_model(server: Serving, open_page: OpenPage) -> None:
    """Twelve images at 97 % that lose their marks are asked about once; Escape goes back, Enter stores."""
    rank(server, [0.97] * 24)
    page = open_page(link_of(server))
    images = opened(page)
    for key in "1234567890-=":
        page.keyboard.press(key)
    expect(page.locator("#store")).to_have_accessible_name("0 cat, 12 no cat")
    page.keyboard.press("Enter")
    question = page.get_by_role("alertdialog")
    expect(question).to_be_focused()
    expect(question).to_contain_text("12 “no cat” that it calls “cat” (97 %)")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert stored(server) == []
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    assert cells(page, 12) == images
    page.keyboard.press("Enter")
    after(page, images)
    until(lambda: [label for _, label, _ in stored(server)] == ["negative"] * 12)
    images = cells(page, 12)
    for key in "123":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(question).to_be_focused()
    page.keyboard.press("Enter")
    after(page, images)
    until(lambda: len(stored(server)) == 24)


def test_to_the_end_by_grid(server: Serving, datadir: Path, open_page: OpenPage) -> None:
    """Broken pictures vanish from the grid, the last grid is smaller, and then all is answered."""
    for number in (1, 13, 29):
        (datadir / f"{number:02d}.jpg").write_bytes(b"no picture")
    page = open_page(link_of(server))
    seen: list[int] = []
    for count in (12, 12, COUNT - 3 - 24):
        if not seen:
            painted(page)
            page.keyboard.press("g")
        images = cells(page, count)
        page.keyboard.press("Enter")
        after(page, images)
        seen += images
    expect(page.get_by_text("All images are answered")).to_be_visible()
    until(lambda: len(stored(server)) == COUNT - 3)
    assert len(set(seen)) == COUNT - 3
    assert server.client.get("/api/status").json()["unreadable"] == 3


def test_grid_by_focus(server: Serving, open_page: OpenPage) -> None:
    """Arrows move the focus, Space marks, Enter answers, and Escape leads back to single images."""
    page = open_page(link_of(server))
    images = opened(page)
    columns = int(page.locator("#grid").get_attribute("data-columns") or 0)
    for key in ("ArrowRight", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#grid .grid-cell").nth(columns + 1)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#grid [aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("Enter")
    after(page, images)
    until(lambda: [image for image, label, _ in stored(server) if label == "positive"] == [images[columns + 1]])
    page.keyboard.press("Escape")
    assert painted(page) not in images


def test_grid_on_a_phone(server: Serving, chromium: Browser) -> None:
    """On a phone: three columns of four that fill the screen; a tap marks, a long press skips."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(link_of(server))
    painted(page)
    page.tap("#grid-door")
    images = cells(page, 12)
    boxes = [cell.bounding_box() for cell in page.locator("#grid .grid-cell").all()]
    lefts, tops = ({round(box[side]) for box in boxes if box} for side in ("x", "y"))
    assert (len(lefts), len(tops)) == (3, 4)
    assert sum(box["width"] * box["height"] for box in boxes if box) > 0.55 * 390 * 844
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#grid .grid-cell").nth(1).tap()
    long_press(page, 2)
    page.tap("#store")
    after(page, images)
    until(lambda: [label for _, label, _ in stored(server)][:4] == ["negative", "positive", "skipped", "negative"])
    context.close()


def long_press(page: Page, place: int) -> None:
    """Hold a finger on a cell until its mark is there."""
    box = page.locator("#grid .grid-cell").nth(place).bounding_box()
    assert box is not None
    finger = page.context.new_cdp_session(page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(page.locator("#grid .grid-cell").nth(place)).to_have_attribute("data-mark", "skipped")
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_last_answers(server: Serving, open_page: OpenPage, width: int, height: int) -> None:
    """The last answers stand beside the picture without covering or moving it; a click opens one at full size."""
    page = open_page(link_of(server))
    page.set_viewport_size({"width": width, "height": height})
    painted(page)
    stage = page.locator(".stage").bounding_box()
    given = [press(page, key) for key in "fjsj"]
    painted(page)
    thumbnails = page.locator("#history .thumbnail")
    expect(thumbnails).to_have_count(4)
    strip = page.locator("#history").bounding_box()
    assert page.locator(".stage").bounding_box() == stage
    assert stage is not None
    assert strip is not None
    assert strip["x"] + strip["width"] <= stage["x"] or strip["y"] >= stage["y"] + stage["height"]
    thumbnails.nth(3).click()
    assert painted(page) == given[0]
    expect(thumbnails.nth(3)).to_have_attribute("aria-current", "true")
    page.keyboard.press("j")
    until(lambda: (given[0], "negative", "key") in stored(server))
    page.reload()
    painted(page)
    expect(thumbnails).to_have_count(4)
    until(lambda: thumbnails.nth(0).locator("img").evaluate("image => image.naturalWidth") > 0)

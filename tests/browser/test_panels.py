"""Progress, review and instructions in a real Chromium against a real server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

COUNT = 80
OpenPage = Callable[[str], Page]
AUDIT = {
    "share": 0.02,
    "after": None,
    "drawn": 60,
    "asked": 64,
    "rest": {"images": 9000, "drawn": 60, "positives": 1},
    "prevalence": {"low": 0.011, "high": 0.015},
    "positives": {"low": 1110, "high": 1480},
    "to_find": {"low": 30, "high": 410},
    "recall": {"low": 0.723, "high": 0.973},
    "certificate": {"recall": 0.95, "confidence": 0.95, "given": False, "answers": 412},
    "model": {
        "threshold": 0.4,
        "precision": {"right": 4, "of": 5, "low": 0.284, "high": 0.995},
        "recall": {"low": 0.81, "high": 0.99},
    },
    "calibration": {"images": 60, "positives": 1, "expected": 4.2, "low": 2, "high": 7},
}
TEXT = "# Cats\n\nWhiskers **count**. ![a cat](https://example.org/cat.png) <img src='https://example.org/1.png'>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """Eighty pictures, seventy of them answered: the first as cats, the others not."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT):
        Image.new("RGB", (320, 240), (3 * number, 120, 255 - 3 * number)).save(folder / f"{number:02d}.jpg")
    with serving(tmp_path / "run", folder, positive="cat", negative="no cat") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        for image in range(70):
            assert server.answer(image, "positive" if image < 5 else "negative").status_code == 201
        yield server


def opened(server: Serving, open_page: OpenPage) -> Page:
    """The page, once an image is on the screen."""
    page = open_page(f"{server.client.base_url}/")
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    return page


def label(server: Serving, image: int) -> str:
    """The label that stands for an image."""
    listed = server.client.get("/api/annotations?limit=1000").json()["annotations"]
    return str({answer["image"]: answer["label"] for answer in listed}[image])


def review(page: Page) -> Locator:
    """Open the review by its key; its cells."""
    page.keyboard.press("r")
    cells = page.locator(".cell")
    expect(cells).to_have_count(60)
    expect(cells.first).to_be_focused()
    return cells


def test_review(server: Serving, open_page: OpenPage) -> None:
    """The newest first, filtered to cats: a key makes one no cat, Backspace a cat again, and no image is asked anew."""
    page = opened(server, open_page)
    asked = page.locator("#image").get_attribute("data-image")
    cells = review(page)
    page.select_option("#review-label", "positive")
    expect(cells).to_have_count(5)
    expect(cells.first.locator("img")).to_have_js_property("complete", True)
    expect(cells.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cells.nth(1)).to_be_focused()
    image = int((cells.nth(1).get_attribute("data-path") or "").removesuffix(".jpg"))
    page.keyboard.press("j")
    expect(cells.nth(1)).to_have_attribute("data-label", "negative")
    until(lambda: label(server, image) == "negative")
    page.keyboard.press("Backspace")
    expect(cells.nth(1)).to_have_attribute("data-label", "positive")
    until(lambda: label(server, image) == "positive")
    page.keyboard.press("Enter")
    expect(page.locator(".closer")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(cells.nth(2)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.review")).to_have_count(0)
    assert page.locator("#image").get_attribute("data-image") == asked


def test_review_loads_more(server: Serving, open_page: OpenPage) -> None:
    """Sixty at first, all seventy by "more", each once."""
    page = opened(server, open_page)
    cells = review(page)
    page.click("#review-more")
    expect(cells).to_have_count(70)
    assert len(set(cells.evaluate_all("cells => cells.map(cell => cell.dataset.path)"))) == 70


@pytest.mark.parametrize("width", [360, 390])
def test_panels_fit_a_phone(server: Serving, open_page: OpenPage, width: int) -> None:
    """Nothing is wider than the screen, and every door can be reached."""
    page = opened(server, open_page)
    page.set_viewport_size({"width": width, "height": 780})
    for door in ("progress", "review", "info", "help"):
        if not page.locator(f"#{door}").is_visible():
            page.click("#more")
        page.click(f"#{door}")
        dialog = page.locator("dialog[open]")
        expect(dialog).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_the_header_keeps_still(server: Serving, open_page: OpenPage) -> None:
    """While answers come in, the counts grow and nothing beside them moves."""
    page = opened(server, open_page)
    places = "Array.from(document.querySelectorAll('.counts dt, .sofar span, .doors button'), e => e.offsetLeft)"
    before = page.evaluate(places)
    for image in range(70, 78):
        server.answer(image, "positive")
    expect(page.locator("#positives")).to_have_text("13")
    assert page.evaluate(places) == before


def test_progress_follows_the_answers(server: Serving, open_page: OpenPage) -> None:
    """The panel counts what is found, also while it is open."""
    page = opened(server, open_page)
    page.keyboard.press("p")
    expect(page.locator(".legend .found")).to_contain_text("5 found in 70 answers")
    server.answer(79, "positive")
    expect(page.locator(".legend .found")).to_contain_text("6 found in 71 answers")


@pytest.mark.parametrize("width", [360, 1000])
def test_the_audit_fits(server: Serving, open_page: OpenPage, width: int) -> None:
    """What it says stands inside its figures, on a phone too, and the button asks the server."""
    page = opened(server, open_page)
    page.set_viewport_size({"width": width, "height": 780})
    known = server.client.get("/api/statistics").json() | {"audit": AUDIT}
    page.route("**/api/statistics?*", lambda route: route.fulfill(json=known))
    page.route("**/api/audit", lambda route: route.fulfill(json={}))
    page.keyboard.press("p")
    expect(page.locator("#to-find")).to_have_text("30 to 410")
    widths = "figures => figures.map(figure => figure.scrollWidth - figure.clientWidth)"
    assert max(page.locator(".figure").evaluate_all(widths)) <= 0
    with page.expect_request("**/api/audit") as asked:
        page.click("#at-random")
    assert asked.value.post_data == '{"share":1}'


def test_instructions(tmp_path: Path, open_page: OpenPage) -> None:
    """Shown before the first image, once; nothing in them asks another server for anything."""
    folder, text = tmp_path / "data", tmp_path / "text.md"
    folder.mkdir()
    Image.new("RGB", (64, 64)).save(folder / "0.jpg")
    text.write_text(TEXT, encoding="utf-8")
    with serving(tmp_path / "run", folder, instructions=text) as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        page = open_page(f"{server.client.base_url}/")
        shown = page.locator("dialog.instructions")
        expect(shown).to_contain_text("Whiskers count. [a cat]")
        page.keyboard.press("i")
        expect(shown).to_have_count(0)
        page.reload()
        expect(page.locator('#image[data-painted="true"]')).to_be_visible()
        expect(shown).to_have_count(0)
        page.keyboard.press("i")
        expect(shown).to_contain_text("Whiskers")

"""Answers that look wrong, checked by key in a real Chromium against a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from IA.protocol import files as protocol
from IA.protocol import pickle_file
from tests.browser.conftest import OpenPage
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

COUNT = 30
CATS = range(6)
MISTAKEN = {3: "negative", 9: "positive", 14: "positive"}  # three answers are the wrong way round
LEFT = 24  # is no cat, whatever the model thinks of it


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """Thirty pictures, all but the last answered; a model that had not learnt the answers knows which are cats."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT):
        Image.new("RGB", (320, 240), (8 * number, 120, 255 - 8 * number)).save(folder / f"{number:02d}.jpg")
    with serving(tmp_path / "run", folder, positive="cat", negative="no cat") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        for image in range(COUNT - 1):
            truth = "positive" if image in CATS else "negative"
            server.answer(image, MISTAKEN.get(image, truth), source="key", shown_ms=900, client="earlier")
        held_out = {f"{image:02d}.jpg": 0.9 + image / 1000 if image in CATS else 0.1 for image in range(COUNT - 1)}
        pickle_file.publish(server.session.run, protocol.HELD_OUT, held_out | {f"{LEFT}.jpg": 0.7})
        until(lambda: server.session.following.held_out)
        yield server


def exported(server: Serving) -> dict[str, str]:
    """The label of each path, as the export says."""
    lines = server.client.get("/api/export?format=jsonl").text.splitlines()
    return {record["path"]: record["label"] for record in map(json.loads, lines)}


def shown(page: Page, path: str) -> None:
    """Wait until this picture can be seen."""
    picture = page.locator(f'.doubted img[alt="{path}"]')
    expect(picture).to_have_js_property("complete", True)
    expect(page.locator(f'.doubted[data-seen="true"][aria-label="{path}"]')).to_be_visible()


def test_wrong_answers_are_flipped(server: Serving, open_page: OpenPage) -> None:
    """Four look wrong; three are flipped, one of them after a second thought, one is confirmed; the export says so."""
    page = open_page(f"{server.client.base_url}/")
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    page.keyboard.press("c")
    shown(page, "03.jpg")
    expect(page.locator("dialog.slips h2")).to_have_text("Check 1 of 4")
    expect(page.locator(".doubted .words")).to_contain_text("The answer was “no cat” in 0.9 s; a model")
    page.keyboard.press("f")
    shown(page, "14.jpg")
    page.keyboard.press("Enter")
    shown(page, "09.jpg")
    page.keyboard.press("Backspace")
    shown(page, "14.jpg")
    page.keyboard.press("j")
    shown(page, "09.jpg")
    page.keyboard.press("j")
    shown(page, "24.jpg")
    page.keyboard.press("Enter")
    expect(page.locator("#slips-end")).to_contain_text("3 changed, 1 confirmed.")
    expect(page.get_by_role("button", name="back to the images")).to_be_focused()
    truth = {f"{image:02d}.jpg": "positive" if image in CATS else "negative" for image in range(COUNT - 1)}
    until(lambda: exported(server) == truth)
    assert server.client.get("/api/slips").json() == {"slips": [], "total": 0}
    page.keyboard.press("Enter")
    expect(page.locator("dialog.slips")).to_have_count(0)
    expect(page.locator("#image")).to_have_attribute("data-image", "29")

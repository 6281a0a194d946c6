"""The map of the folder in a real Chromium against a real server: choosing places, asking them, answering them."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from IA.protocol import pickle_file
from IA.protocol.files import LAYOUT
from IA.protocol.shown import Layout
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import findings
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

COUNT = 40
LEFT = range(COUNT // 2)  # these lie left of the middle
SETTLED = '#map-plane[data-settled="true"]'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """Forty pictures, twenty of them red; the model of this run has never seen them."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT):
        colour = (220, 4 * number, 40) if number in LEFT else (30, 4 * number, 220)
        Image.new("RGB", (160, 120), colour).save(folder / f"{number:02d}.jpg")
    with serving(tmp_path / "run", folder, positive="cat", negative="no cat") as server:
        until(lambda: server.session.queue.left == COUNT)
        yield server


def lay_out(server: Serving, placed: int = COUNT) -> None:
    """Publish a layout of two clouds, in which the last images may have no place yet, and wait for it."""
    angle = np.arange(COUNT, dtype=np.float32)
    x = np.where(angle < COUNT / 2, -0.5, 0.5) + 0.15 * np.cos(angle)
    y = 0.3 * np.sin(angle)
    x[placed:] = y[placed:] = np.nan
    before = server.client.get("/api/map").json()["generation"]
    content = Layout(x.astype(np.float32).data, y.astype(np.float32).data, "pca")
    pickle_file.publish(server.session.run, LAYOUT, content)
    until(lambda: server.client.get("/api/map").json()["generation"] != before)


def opened(server: Serving, open_page: OpenPage) -> Page:
    """The page with the map open."""
    page = open_page(f"{server.client.base_url}/")
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator(SETTLED)).to_be_visible()
    return page


def choose(page: Page, side: float) -> None:
    """Draw a lasso around the left (-1) or the right (1) cloud, with Shift."""
    box = page.locator("#map-plane").bounding_box()
    assert box is not None
    scale = 0.47 * min(box["width"], box["height"])
    middle = box["x"] + box["width"] / 2 + side * 0.5 * scale, box["y"] + box["height"] / 2
    corners = [math.tau * n / 24 for n in range(25)]
    places = [
        (middle[0] + 0.35 * scale * math.cos(corner), middle[1] + 0.45 * scale * math.sin(corner)) for corner in corners
    ]
    page.keyboard.down("Shift")
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator("#map-chosen")).to_have_text(f"{len(LEFT)} images are chosen, {len(LEFT)} open.")


def labels(server: Serving) -> dict[int, tuple[str, str]]:
    """The label of each answered image by number, and how it was given."""
    lines = server.client.get("/api/export?format=jsonl").text.splitlines()
    records = [json.loads(line) for line in lines]
    return {int(record["path"][:2]): (record["label"], record["source"]) for record in records}


def test_a_cloud_is_answered_at_once_and_taken_back(server: Serving, open_page: OpenPage) -> None:
    """A lasso, one question, one answer for twenty images; the points show it, and one Backspace takes it back."""
    lay_out(server)
    page = opened(server, open_page)
    choose(page, -1)
    expect(page.locator(".chosen img").first).to_have_js_property("complete", True)
    page.keyboard.press("j")
    expect(page.locator("#map-question-what")).to_contain_text("20 open images become “no cat”")
    assert labels(server) == {}
    page.keyboard.press("Enter")
    expect(page.locator(".swatches")).to_contain_text("no cat 20")
    until(lambda: labels(server) == {image: ("negative", "map") for image in LEFT})
    expect(page.locator(".lately")).to_contain_text("20 images are “no cat”")
    page.keyboard.press("Backspace")
    until(lambda: labels(server) == {})
    expect(page.locator(".swatches")).to_contain_text("open 40")


def test_chosen_images_are_asked_next(server: Serving, open_page: OpenPage) -> None:
    """The map closes, and the questions come from the places that the person chose."""
    lay_out(server)
    page = opened(server, open_page)
    choose(page, 1)
    page.keyboard.press("q")
    expect(page.locator("dialog.map-dialog")).to_be_hidden()
    expect(page.locator("#first")).to_have_text("chosen: 20 of 20 left")
    for _ in range(10):  # the first ones were fetched before
        image = page.locator('#image[data-painted="true"]').get_attribute("data-image")
        page.keyboard.press("j")
        expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    expect(page.locator("#first")).not_to_have_text("chosen: 20 of 20 left")


def test_the_keyboard_alone(server: Serving, open_page: OpenPage) -> None:
    """From cluster to cluster by arrows, all of one answered by keys, and back to the questions by Escape."""
    lay_out(server)
    page = opened(server, open_page)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".cluster").first).to_be_focused()
    expect(page.locator(".cluster img").first).to_have_js_property("complete", True)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator('.cluster[aria-pressed="true"]')).to_have_count(1)
    images = int(page.locator("#map-chosen b").inner_text().split()[0])
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    until(lambda: len(labels(server)) == images)
    page.keyboard.press("Escape")
    expect(page.locator("dialog.map-dialog")).to_be_hidden()


def test_it_follows_what_happens(server: Serving, open_page: OpenPage) -> None:
    """A sentence stands where there is no map yet; then it comes, grows with a new layout, and shows new answers."""
    page = open_page(f"{server.client.base_url}/")
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator("#map-coming")).to_contain_text("There is no map")
    lay_out(server, placed=30)
    expect(page.locator("dialog.map-dialog h2")).to_have_text("Map: 30 of 40 images so far")
    expect(page.locator(SETTLED)).to_have_attribute("data-drawn", "30")
    lay_out(server)
    expect(page.locator("dialog.map-dialog h2")).to_have_text("Map of 40 images")
    expect(page.locator(SETTLED)).to_have_attribute("data-drawn", "40")
    server.answer(7)
    expect(page.locator(".swatches")).to_contain_text("cat 1")


def test_a_point_is_its_image(server: Serving, open_page: OpenPage) -> None:
    """The mouse over a point shows the picture and its name; a click shows it large, Escape goes back to the map."""
    lay_out(server)
    page = opened(server, open_page)
    box = page.locator("#map-plane").bounding_box()
    assert box is not None
    scale = 0.47 * min(box["width"], box["height"])
    x = box["x"] + box["width"] / 2 - (0.5 - 0.15) * scale
    y = box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    expect(page.locator('#map-preview[data-image="0"] img')).to_have_js_property("naturalWidth", 160)
    page.mouse.click(x, y)
    expect(page.locator('#map-large img[alt="00.jpg"]')).to_have_js_property("naturalWidth", 160)
    page.keyboard.press("Escape")
    expect(page.locator("#map-large")).to_be_hidden()
    expect(page.locator("dialog.map-dialog")).to_be_visible()


def test_points_change_colour_on_the_screen(server: Serving, open_page: OpenPage) -> None:
    """An answer given on the map can be seen in the pixels of the canvas."""
    lay_out(server)
    page = opened(server, open_page)
    blue = """() => {
      const canvas = document.getElementById("map-plane");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let blue = 0;
      for (let at = 0; at < data.length; at += 4) if (data[at + 2] > data[at] + 80) blue += 1;
      return blue;
    }"""
    assert page.evaluate(blue) == 0
    choose(page, -1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => ({blue})() > {len(LEFT)}")


def test_for_everybody(server: Serving, open_page: OpenPage) -> None:
    """Nothing serious for axe: on the map, with images chosen, before they are answered, and while there is none."""
    page = open_page(f"{server.client.base_url}/")
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator("#map-coming")).to_contain_text("There is no map")
    assert findings(page) == []
    lay_out(server)
    expect(page.locator(SETTLED)).to_be_visible()
    assert findings(page) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".cluster").first.click()
    expect(page.locator("#map-chosen")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("j")
    expect(page.locator("#map-question")).to_be_visible()
    assert findings(page) == []


def test_on_a_phone(server: Serving, open_page: OpenPage) -> None:
    """A rectangle by its button, the clusters behind theirs; every button is inside of the screen."""
    lay_out(server)
    page = opened(server, open_page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.click("#map-rectangle")
    box = page.locator("#map-plane").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] - 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    page.mouse.up()
    expect(page.locator("#map-chosen")).to_contain_text(f"{len(LEFT)} images are chosen")
    for button in ("#map-next", "#map-all-positive", "#map-all-negative", "#map-lasso", "#map-list"):
        place = page.locator(button).bounding_box()
        assert place is not None and place["x"] >= 0 and place["x"] + place["width"] <= 390
        assert place["y"] + place["height"] <= 844
    page.click("#map-list")
    expect(page.locator(".cluster").first).to_be_visible()
    page.locator(".cluster").first.click()
    expect(page.locator(".clusters")).to_be_hidden()
    expect(page.locator("#map-chosen")).to_be_visible()

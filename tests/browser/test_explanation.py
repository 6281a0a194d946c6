"""Why the model thinks so, in a real Chromium: the map lies over its picture, and nothing is told of what was drawn."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from IA.protocol import pickle_file
from IA.protocol.files import EXPLANATIONS
from IA.protocol.shown import NEIGHBOURS, Explanations
from tests.browser.conftest import OpenPage
from tests.screens import PAINTED
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

IMAGES = 12
ANSWERED = (10, 11)
OVER = """() => {
  const [picture, heat] = ["#image", ".heat canvas"].map((one) => document.querySelector(one).getBoundingClientRect());
  return ["x", "y", "width", "height"].map((side) => Math.abs(picture[side] - heat[side]));
}"""
COLOURS = """(canvas) => [1 / 6, 5 / 6].map((part) =>
  [...canvas.getContext("2d").getImageData(part * canvas.width, canvas.height / 2, 1, 1).data])"""
SETTLED = "() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished))"


def explain(server: Serving, images: list[int]) -> None:
    """Have these explained: the right of each speaks for positive, the left against; wait until the server knows."""
    answers = server.session.labels.stored.standing()
    numbers: dict[str, list[int | None]] = {label: [] for label in ("positive", "negative")}
    for answer in answers:
        if answer.label in numbers:
            numbers[answer.label].append(server.session.images.number(answer.path))
    near = [(numbers[label] + [-1] * NEIGHBOURS)[:NEIGHBOURS] for label in ("positive", "negative")]
    content = Explanations(
        1,
        np.array(images, np.int32),
        np.array([2, 3] * len(images), np.int32),
        np.array([-100, 0, 127] * 2 * len(images), np.int8),
        np.array(near * len(images), np.int32).ravel(),
        np.full(2 * NEIGHBOURS * len(images), 0.5, np.float32),
    )
    pickle_file.publish(server.session.run, EXPLANATIONS, content)
    until(lambda: server.session.explanations.of(images[-1]))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server of twelve wide pictures, two of which are answered, and the rest explained but for one."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (600, 300), (20 * number, 120, 255 - 20 * number)).save(folder / f"{number:02d}.jpg")
    with serving(tmp_path / "run", folder, positive="cat", negative="no cat") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        for image, label in zip(ANSWERED, ("positive", "negative"), strict=True):
            server.answer(image, label)
        explain(server, list(range(10)))
        yield server


def answer(page: Page) -> int:
    """Answer the image that is shown; the number of the next one, once it is painted."""
    image = page.locator(PAINTED).get_attribute("data-image")
    page.keyboard.press("j")
    expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    return shown(page)


def shown(page: Page) -> int:
    """The number of the image on the screen."""
    expect(page.locator(PAINTED)).to_be_visible()
    return int(page.locator(PAINTED).get_attribute("data-image") or -1)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_map_lies_over_its_picture(server: Serving, open_page: OpenPage, width: int) -> None:
    """Whole and zoomed it covers the picture exactly, orange for and blue against; the next image has its own."""
    page = open_page(str(server.client.base_url))
    page.set_viewport_size({"width": width, "height": 844})
    image = shown(page)
    page.keyboard.press("h")
    heat = page.locator(".heat canvas")
    expect(heat).to_be_visible()
    page.evaluate(SETTLED)
    assert max(page.evaluate(OVER)) < 0.6
    left, right = heat.evaluate(COLOURS)
    assert left[2] > left[0]
    assert right[0] > right[2]
    page.mouse.move(width / 3, 300)
    page.mouse.wheel(0, -400)
    expect(page.locator("#viewing")).to_be_visible()
    page.evaluate(SETTLED)
    assert max(page.evaluate(OVER)) < 0.6
    picture, panel = page.locator(".fit:not(.over)").bounding_box(), page.locator("#why").bounding_box()
    assert picture is not None
    assert panel is not None
    beside = panel["x"] >= picture["x"] + picture["width"] or panel["y"] >= picture["y"] + picture["height"]
    assert beside
    expect(page.locator(".nearest.positive img")).to_have_count(1)
    assert page.locator(".nearest.positive img").evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    following = answer(page)
    assert following != image
    expect(page.locator(f'#why[data-image="{following}"]')).to_be_visible()
    expect(heat).to_be_visible()


def test_what_was_drawn_is_not_explained(server: Serving, open_page: OpenPage) -> None:
    """An image that was drawn at random looks as one that is not explained yet."""
    server.session.queue.share = 1.0
    page = open_page(str(server.client.base_url))
    image = shown(page)
    assert server.session.explanations.of(image) is not None
    page.keyboard.press("h")
    expect(page.locator("#why")).to_contain_text("There is no explanation of this image")
    expect(page.locator(".heat canvas")).to_have_count(0)
    assert server.client.get(f"/api/explanation/{image}").status_code == 404

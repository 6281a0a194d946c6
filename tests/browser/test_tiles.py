"""Tiles of large photos on the page: where one lies, the whole photo, and what is asked for when."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.screens import PAINTED
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

PHOTOS, COLUMNS, ROWS = 3, 3, 2
SIDE_PX = 200
COLOURS = [(200, 30, 30), (30, 160, 30), (30, 60, 200), (220, 200, 20), (200, 40, 200), (20, 180, 190)]
SMALL = "#whereabouts img"
MIDDLE = """(cell) => {
  const image = cell.parentElement.querySelector("img");
  const [outer, inner] = [image.getBoundingClientRect(), cell.getBoundingClientRect()];
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const brush = canvas.getContext("2d");
  brush.drawImage(image, 0, 0);
  const x = (inner.x + inner.width / 2 - outer.x) / outer.width;
  const y = (inner.y + inner.height / 2 - outer.y) / outer.height;
  return [...brush.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
}"""
PICTURES = """() => performance.getEntriesByType("resource")
  .map(({ name }) => name).filter((name) => name.includes("api/images/"))"""
RATIO = "(image) => [image.naturalWidth / image.naturalHeight, image.clientWidth / image.clientHeight]"


def made(folder: Path) -> Path:
    """A folder of three photos whose six tiles have a colour each, darker from photo to photo."""
    folder.mkdir()
    for number in range(PHOTOS):
        photo = Image.new("RGB", (COLUMNS * SIDE_PX, ROWS * SIDE_PX))
        for place, colour in enumerate(COLOURS):
            tile = Image.new("RGB", (SIDE_PX, SIDE_PX), tuple(part - 10 * number for part in colour))
            photo.paste(tile, (SIDE_PX * (place % COLUMNS), SIDE_PX * (place // COLUMNS)))
        photo.save(folder / f"{number}.png")
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server of three photos in six tiles each."""
    with serving(tmp_path / "run", made(tmp_path / "data"), tile=f"{COLUMNS}x{ROWS}", positive="cat") as server:
        until(lambda: server.client.get("/api/status").json()["images"] == PHOTOS * COLUMNS * ROWS)
        yield server


def shown(page: Page) -> int:
    """The number of the image on the screen."""
    expect(page.locator(PAINTED)).to_be_visible()
    return int(page.locator(PAINTED).get_attribute("data-image") or -1)


def close_to(colour: list[int], image: int) -> bool:
    """Whether this is the colour of a tile."""
    expected = [part - 10 * (image // 6) for part in COLOURS[image % 6]]
    return all(abs(one - other) < 12 for one, other in zip(colour, expected, strict=True))


@pytest.mark.parametrize("width", [1280, 390])
def test_where_a_tile_lies(server: Serving, open_page: OpenPage, width: int) -> None:
    """The outline is on the very tile that is asked about, in the corner and in the whole photo; answering goes on."""
    page = open_page(str(server.client.base_url))
    page.set_viewport_size({"width": width, "height": 844})
    for key in "jf":
        image = shown(page)
        expect(page.locator(f'{SMALL}[src*="images/{image}?"]')).to_be_visible()
        page.locator(SMALL).evaluate("(image) => image.decode()")
        assert close_to(page.locator("#whereabouts .outline").evaluate(MIDDLE), image)
        column, row = image % 3 + 1, image % 6 // 3 + 1
        expect(page.locator(SMALL)).to_have_attribute("alt", f"tile, column {column} of 3, row {row} of 2")
        expect(page.locator("#path")).to_contain_text(f"{image // 6}.png")
        expect(page.locator("#path .tile")).to_contain_text(f"column {column}, row {row}")
        page.keyboard.press("w")
        large = page.locator("#photo img")
        large.evaluate("(image) => image.decode()")
        natural, drawn = large.evaluate(RATIO)
        assert abs(natural - drawn) < 0.02
        assert close_to(page.locator("#photo .outline").evaluate(MIDDLE), image)
        page.keyboard.press(key)
        expect(page.locator("#photo")).to_have_count(0)
        expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    until(lambda: server.client.get("/api/status").json()["positives"] == 1)
    page.click("#whereabouts")
    expect(page.locator("#photo")).to_be_visible()
    page.click("#whereabouts")
    expect(page.locator("#photo")).to_have_count(0)
    corner, buttons = page.locator("#whereabouts").bounding_box(), page.locator("footer").bounding_box()
    assert corner is not None
    assert buttons is not None
    assert corner["y"] + corner["height"] < buttons["y"]
    assert corner["width"] * corner["height"] < 0.06 * width * 844


def test_what_is_asked_for(server: Serving, open_page: OpenPage) -> None:
    """A photo is asked for small, and after its tile; that of the next tile while the person looks, and only once."""
    page = open_page(str(server.client.base_url))
    first = shown(page)
    page.wait_for_function(f"() => ({PICTURES})().filter((name) => name.includes('whole')).length === 2")
    page.keyboard.press("j")
    expect(page.locator(f'#image[data-image="{first}"]')).to_have_count(0)
    second = shown(page)
    expect(page.locator(f'{SMALL}[src*="images/{second}?"]')).to_be_visible()
    asked = page.evaluate(PICTURES)
    photos = [address for address in asked if "whole=true" in address]
    assert [number(address) for address in photos if number(address) in (first, second)] == [first, second]
    assert all("size=256" in address for address in photos)
    tiles = [number(address) for address in asked[: asked.index(photos[0])]]
    assert first in tiles


def number(address: str) -> int:
    """The image that an address of a picture is of."""
    found = re.search(r"images/(\d+)", address)
    assert found is not None
    return int(found[1])


def test_words(server: Serving, open_page: OpenPage) -> None:
    """Tiles are counted as tiles, and positive photos told; the path is copied with its mark, clipboard or not."""
    for image in (0, 1, 7):
        server.answer(image)
    page = open_page(str(server.client.base_url))
    page.evaluate("() => void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    page.evaluate("addEventListener('copy', (event) => (window.copied = event.clipboardData.getData('text')))")
    image = shown(page)
    page.get_by_role("button", name="Copy the path").click()
    expect(page.get_by_text("Path copied.")).to_be_visible()
    assert page.evaluate("window.copied") == server.session.images.path(image)
    assert "#3x2-c" in page.evaluate("window.copied")
    page.keyboard.press("p")
    expect(page.locator("#photos-positive")).to_have_text("2 photos with “cat”; there are 18 tiles of 3 photos")

"""Looking closely in a real Chromium: wheel, pan, the file's own pixels, pinned views, looks, swipes, contrast."""

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, Route, expect

from tests.browser.test_page import page_until
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

OpenPage = Callable[[str], Page]
SIZE = (2400, 1600)
START_MS = 20_000
Box = dict[str, float]


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Four large pictures of small squares, each in a colour of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    random = np.random.default_rng(1)
    for number in range(4):
        colours = random.integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8, 3), dtype=np.uint8)
        squares = np.kron(colours, np.ones((8, 8, 1), np.uint8))
        Image.fromarray(squares).save(folder / f"{number}.jpg", quality=90, subsampling=0)
    return folder


@pytest.fixture
def server(tmp_path: Path, datadir: Path) -> Iterator[Serving]:
    """A server that has listed them all."""
    with serving(tmp_path / "run", datadir, positive="cat", negative="no cat") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        yield server


@pytest.fixture
def phone(chromium: Browser, server: Serving) -> Iterator[Page]:
    """The page on a phone with a touch screen."""
    context = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(str(server.client.base_url))
    painted(page)
    yield page
    context.close()


def painted(page: Page) -> int:
    """Wait until an image is on the screen; its number."""
    image = page.locator('#image[data-painted="true"]')
    expect(image).to_be_visible(timeout=START_MS)
    return int(image.get_attribute("data-image") or -1)


def opened(open_page: OpenPage, server: Serving) -> Page:
    """The page with its first image, and the mouse on it."""
    page = open_page(str(server.client.base_url))
    painted(page)
    page.mouse.move(700, 300)
    return page


def box(page: Page) -> Box:
    """Where the picture is, at rest."""
    page.locator(".glass").evaluate("e => Promise.allSettled(e.getAnimations().map(a => a.finished))")
    seen: Box = page.locator("#image").evaluate(
        "e => { const {x, y, width, height} = e.getBoundingClientRect(); return {x, y, width, height} }"
    )
    return seen


def under(page: Page, x: float, y: float) -> tuple[float, float]:
    """Which part of the picture is at a place of the screen."""
    seen = box(page)
    return (x - seen["x"]) / seen["width"], (y - seen["y"]) / seen["height"]


def stored(server: Serving) -> list[tuple[int, str, str]]:
    """Image, label and source of all answers, oldest first."""
    listed = server.client.get("/api/annotations?limit=1000").json()["annotations"]
    return [(answer["image"], answer["label"], answer["source"]) for answer in listed][::-1]


def gone(page: Page, image: int) -> None:
    """Wait until another image is on the screen."""
    expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    painted(page)


def test_the_wheel_zooms_about_the_cursor(server: Serving, open_page: OpenPage) -> None:
    """What is under the cursor stays there, and turning back shows the whole image again."""
    page = opened(open_page, server)
    page.mouse.move(640, 300)
    whole, before = box(page), under(page, 640, 300)
    for _ in range(4):
        page.mouse.wheel(0, -120)
    expect(page.locator("#viewing")).to_be_visible()
    assert under(page, 640, 300) == pytest.approx(before, abs=0.002)
    assert box(page)["width"] > 2 * whole["width"]
    for _ in range(6):
        page.mouse.wheel(0, 120)
    expect(page.locator("#viewing")).to_have_count(0)
    assert box(page) == pytest.approx(whole, abs=0.5)


def test_the_mouse_pans_and_the_picture_never_leaves(server: Serving, open_page: OpenPage) -> None:
    """A drag moves what is zoomed in, as far as its edge."""
    page = opened(open_page, server)
    for _ in range(4):
        page.mouse.wheel(0, -120)
    before = box(page)
    page.mouse.down()
    page.mouse.move(740, 330, steps=4)
    page.mouse.up()
    assert box(page)["x"] == pytest.approx(before["x"] + 40, abs=1)
    page.mouse.down()
    page.mouse.move(5000, 5000, steps=3)
    page.mouse.up()
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    assert (box(page)["x"], box(page)["y"]) == pytest.approx((stage["x"], stage["y"]), abs=1)
    assert stored(server) == []


def test_z_shows_the_pixels_of_the_file(server: Serving, open_page: OpenPage, datadir: Path) -> None:
    """After Z each pixel of the file is one of the screen, in the same colour, about the mouse."""
    page = opened(open_page, server)
    before = under(page, 700, 300)
    page.keyboard.press("z")
    expect(page.locator("#scale")).to_have_text("1:1")
    seen = box(page)
    assert (seen["width"], seen["height"]) == pytest.approx(SIZE, abs=0.1)
    assert under(page, 700, 300) == pytest.approx(before, abs=0.001)
    page.mouse.move(0, 0)
    clip = {"x": 200, "y": 200, "width": 300, "height": 300}
    shown = pixels(page.screenshot(clip=clip))  # type: ignore[arg-type]
    x, y = round(200 - seen["x"]), round(200 - seen["y"])
    with Image.open(datadir / page.inner_text("#path")) as image:
        file = np.asarray(image.convert("RGB"), np.int16)[y : y + 300, x : x + 300]
    assert np.abs(shown - file).mean() < 2
    page.keyboard.press("z")
    expect(page.locator("#viewing")).to_have_count(0)


def pixels(screenshot: bytes) -> NDArray[np.int16]:
    """A screenshot as numbers."""
    with Image.open(io.BytesIO(screenshot)) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def test_the_file_comes_without_a_jump(server: Serving, open_page: OpenPage) -> None:
    """When the file itself replaces the smaller picture, nothing moves, and the image stays painted."""
    page = opened(open_page, server)
    page.mouse.wheel(0, -240)
    page.mouse.wheel(0, -240)
    before = box(page)
    expect(page.locator(".glass .file")).to_have_count(1)
    file = page.locator(".glass .file").evaluate("e => [e.naturalWidth, e.getBoundingClientRect().x]")
    assert file == [SIZE[0], pytest.approx(before["x"], abs=2)]  # of 3,000 pixels: the small one's shape is rounded
    assert box(page) == pytest.approx(before, abs=2)
    painted(page)


def test_a_pinned_view_stays(server: Serving, open_page: OpenPage) -> None:
    """With K the next image is seen in the same place; without, whole."""
    page = opened(open_page, server)
    for _ in range(3):
        page.mouse.wheel(0, -120)
    page.keyboard.press("k")
    before, image = box(page), painted(page)
    page.keyboard.press("f")
    gone(page, image)
    assert box(page) == pytest.approx(before, abs=2)
    page.click("#pin")
    image = painted(page)
    page.keyboard.press("f")
    gone(page, image)
    expect(page.locator("#viewing")).to_have_count(0)


def test_keys_alone_zoom_and_pan(server: Serving, open_page: OpenPage) -> None:
    """Plus, minus and Shift with the arrows do what the mouse does, and answer nothing."""
    page = opened(open_page, server)
    for _ in range(5):
        page.keyboard.press("+")
    before = box(page)
    page.keyboard.press("Shift+ArrowRight")
    assert box(page)["x"] < before["x"] - 50
    for _ in range(6):
        page.keyboard.press("-")
    expect(page.locator("#viewing")).to_have_count(0)
    expect(page.locator("#walk")).to_have_count(0)
    assert stored(server) == []


def test_auto_waits_while_somebody_looks_closely(server: Serving, open_page: OpenPage) -> None:
    """AUTO's clock stands while the image is zoomed in, and runs when the view is pinned."""
    page = opened(open_page, server)
    page.mouse.wheel(0, -240)
    page.keyboard.press("a")
    page.wait_for_timeout(1500)
    assert stored(server) == []
    page.keyboard.press("k")
    page_until(page, lambda: stored(server))
    page.keyboard.press("a")


def test_a_look_is_kept_and_reset(server: Serving, open_page: OpenPage) -> None:
    """Contrast, gamma and inverted outlive a reload; N resets them and the zoom."""
    page = opened(open_page, server)
    plain = brightness(page)
    page.keyboard.press("l")
    page.fill("#gamma", "3")
    page.fill("#contrast", "120")
    page.keyboard.press("l")
    light = brightness(page)
    assert light > plain + 20
    page.keyboard.press("l")
    page.click("#invert")
    page.keyboard.press("Escape")
    assert brightness(page) == pytest.approx(255 - light, abs=3)
    page.reload()
    painted(page)
    assert brightness(page) == pytest.approx(255 - light, abs=3)
    page.mouse.wheel(0, -240)
    page.keyboard.press("n")
    expect(page.locator("#viewing")).to_have_count(0)
    box(page)
    assert brightness(page) == pytest.approx(plain, abs=2)


def brightness(page: Page) -> float:
    """The mean of what is shown in the middle of the picture."""
    return float(pixels(page.screenshot(clip={"x": 540, "y": 300, "width": 200, "height": 200})).mean())


def test_tools_leave_the_middle_free(phone: Page) -> None:
    """On a small screen too, the panel does not cover the middle of the picture."""
    phone.set_viewport_size({"width": 360, "height": 640})
    phone.click("#tools")
    panel, stage = phone.locator(".tools").bounding_box(), phone.locator(".stage").bounding_box()
    assert panel is not None
    assert stage is not None
    assert panel["y"] + panel["height"] <= stage["y"] + stage["height"] / 2


# --- fingers ----------------------------------------------------------------------------------------------------------


def touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    """Fingers as the browser gets them from a screen."""
    touches = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def swipe(page: Page, dx: float, dy: float) -> None:
    """One finger from the middle of the stage."""
    session = page.context.new_cdp_session(page)
    touch(session, "touchStart", (180, 300))
    for part in (0.25, 0.5, 0.75, 1):
        touch(session, "touchMove", (180 + part * dx, 300 + part * dy))
        page.wait_for_timeout(30)
    page.wait_for_timeout(150)  # a finger that rests is no flick
    touch(session, "touchEnd")


def test_swipes_answer(phone: Page, server: Serving) -> None:
    """Right is positive, left negative, up skips, each for the image that was swiped; two fingers take it back."""
    given = []
    for (dx, dy), label in {(150, 5): "positive", (-150, 5): "negative", (10, -150): "skipped"}.items():
        image = painted(phone)
        swipe(phone, dx, dy)
        gone(phone, image)
        given.append((image, label, "button"))
    until(lambda: stored(server) == given)
    session = phone.context.new_cdp_session(phone)
    touch(session, "touchStart", (120, 300), (240, 300))
    touch(session, "touchEnd")
    page_until(phone, lambda: stored(server) == given[:-1])
    assert painted(phone) == given[-1][0]


def test_a_short_swipe_springs_back(phone: Page, server: Serving) -> None:
    """The picture follows the finger, names the answer, and springs back when it was not far enough."""
    image, before = painted(phone), box(phone)
    session = phone.context.new_cdp_session(phone)
    touch(session, "touchStart", (180, 300))
    for x in (200, 230, 245):
        touch(session, "touchMove", (x, 300))
    assert box(phone)["x"] == pytest.approx(before["x"] + 65, abs=2)
    expect(phone.locator(".swipes .right")).to_have_text("cat")
    expect(phone.locator(".swipes .right")).not_to_have_css("opacity", "0")
    phone.wait_for_timeout(200)
    touch(session, "touchMove", (230, 300))
    phone.wait_for_timeout(200)
    touch(session, "touchEnd")
    assert box(phone) == pytest.approx(before)
    expect(phone.locator(".swipes .right")).to_have_css("opacity", "0")
    assert painted(phone) == image
    assert stored(server) == []


def test_fingers_pinch_and_pan_without_answering(phone: Page, server: Serving) -> None:
    """Two fingers zoom the picture and not the page; one pans it then; a double tap shows it whole again."""
    whole = box(phone)
    session = phone.context.new_cdp_session(phone)
    touch(session, "touchStart", (160, 300), (200, 300))
    for reach in (40, 70, 100):
        touch(session, "touchMove", (180 - reach, 300), (180 + reach, 300))
    touch(session, "touchEnd")
    zoomed = box(phone)
    assert zoomed["width"] > 2 * whole["width"]
    swipe(phone, 80, 0)
    assert box(phone)["x"] == pytest.approx(zoomed["x"] + 80, abs=2)
    assert phone.evaluate("visualViewport.scale") == 1
    for _ in range(2):
        touch(session, "touchStart", (180, 300))
        touch(session, "touchEnd")
    expect(phone.locator("#viewing")).to_have_count(0)
    assert box(phone) == pytest.approx(whole)
    assert stored(server) == []


# --- the probability --------------------------------------------------------------------------------------------------


def scored(page: Page, probability: float) -> None:
    """Have the server say so of every image."""

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        for image in body["images"]:
            image["probability"] = probability
        route.fulfill(response=response, body=json.dumps(body))

    page.route("**/api/queue*", answer)


def test_blind(server: Serving, open_page: OpenPage) -> None:
    """B hides the probability and its colours, and the browser remembers."""
    page = opened(open_page, server)
    scored(page, 0.97)
    page.reload()
    painted(page)
    expect(page.locator("#probability")).to_have_text("97 %")
    tint = page.locator("#positive").evaluate("e => getComputedStyle(e).backgroundColor")
    page.keyboard.press("b")
    expect(page.locator("#probability")).to_have_text("hidden")
    expect(page.locator("#positive")).not_to_have_css("background-color", tint)
    page.reload()
    painted(page)
    assert "97" not in re.sub(r'"blob:[^"]*"', "", page.locator("body").inner_html())
    page.click("#blind")
    expect(page.locator("#probability")).to_have_text("97 %")


CONTRAST = """(element) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const luminance = (...colours) => {
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = getComputedStyle(element).backgroundColor;
  return [...element.querySelectorAll(".icon, .name, kbd")].map((part) => {
    const pair = [luminance(ground, getComputedStyle(part).color), luminance(ground)].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_answers_can_be_read_whatever_their_tint(
    server: Serving, open_page: OpenPage, scheme: str, probability: float
) -> None:
    """Names, icons and keys on the buttons have the contrast that WCAG AA asks of text, 4.5."""
    page = opened(open_page, server)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    scored(page, probability)
    page.reload()
    painted(page)
    expect(page.locator("#probability")).to_have_text(f"{100 * probability:.0f} %")
    for name in ("positive", "negative", "skip", "undo"):
        assert min(page.locator(f"#{name}").evaluate(CONTRAST)) >= 4.5

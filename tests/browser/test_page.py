"""The page in a real Chromium against a real server: keys, pictures, durability."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect

from tests.processes.suite import START_S, kill, running
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

COUNT = 24
OpenPage = Callable[[str], Page]


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Twenty-four pictures of all shapes, one of them broken."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT - 1):
        size = [(640, 480), (480, 640), (64, 64), (1600, 200)][number % 4]
        Image.new("RGB", size, (10 * number, 120, 255 - 10 * number)).save(folder / f"{number:02d}.jpg")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def server(tmp_path: Path, datadir: Path) -> Iterator[Serving]:
    """A server that has listed them all."""
    with serving(tmp_path / "run", datadir, token="t", positive="cat", negative="no cat") as server:
        server.client.headers["authorization"] = "Bearer t"
        until(lambda: not server.client.get("/api/status").json()["listing"])
        yield server


def link_of(server: Serving) -> str:
    """What the terminal prints."""
    return f"{server.client.base_url}/?token=t".replace("//?", "/?")


def painted(page: Page) -> int:
    """Wait until an image is on the screen; its number."""
    image = page.locator('#image[data-painted="true"]')
    expect(image).to_be_visible()
    return int(image.get_attribute("data-image") or -1)


def press(page: Page, key: str) -> int:
    """Press a key on the image that is shown, and wait for the next; the number of the image it was for."""
    image = painted(page)
    page.keyboard.press(key)
    expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    return image


def page_until(page: Page, condition: Callable[[], object]) -> None:
    """Wait for a condition while the page goes on."""

    def look() -> object:
        page.wait_for_timeout(20)
        return condition()

    until(look, START_S)


def has_stored(server: Serving, count: int) -> bool:
    """Whether so many answers stand."""
    return len(stored(server)) == count


def stored(server: Serving) -> list[tuple[int, str, str]]:
    """Image, label and source of all answers, oldest first."""
    listed = server.client.get("/api/annotations?limit=1000").json()["annotations"]
    return [(answer["image"], answer["label"], answer["source"]) for answer in listed][::-1]


def test_keys_answer(server: Serving, open_page: OpenPage) -> None:
    """F, J and S store positive, negative and skipped for the image that was shown, and the counts follow."""
    page = open_page(link_of(server))
    assert "token" not in page.url
    given = [
        (press(page, key), label, "key") for key, label in zip("fjs", ["positive", "negative", "skipped"], strict=True)
    ]
    until(lambda: stored(server) == given)
    expect(page.locator("#positives")).to_have_text("1")
    expect(page.locator("#negatives")).to_have_text("1")
    expect(page.locator("#skipped")).to_have_text("1")
    expect(page.locator("#positive")).to_contain_text("cat")
    expect(page.locator("#negative")).to_contain_text("no cat")


def test_buttons_answer(server: Serving, open_page: OpenPage) -> None:
    """The buttons do what the keys do."""
    page = open_page(link_of(server))
    given = []
    for label in ("positive", "negative"):
        image = painted(page)
        page.click(f"#{label}")
        expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
        given.append((image, label, "button"))
    until(lambda: stored(server) == given)


def test_a_pause(server: Serving, open_page: OpenPage, chromium: Browser) -> None:
    """A veil covers the image; no key, button or swipe answers until Space goes on, or the button on a phone."""
    page = open_page(link_of(server))
    first = press(page, "f")
    shown = painted(page)
    page.locator("#auto").focus()
    page.click("#pause")
    veil = page.locator("#veil")
    expect(veil).to_be_focused()
    expect(veil).to_contain_text("Paused. Space goes on")
    for key in ("f", "j", "s", "Backspace", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.locator("#positive").click(force=True)
    expect(page.locator("#positive")).to_be_disabled()
    page.keyboard.press("p")
    expect(page.locator("dialog.progress")).to_be_visible()
    page.keyboard.press("p")
    assert painted(page) == shown
    page.keyboard.press("Space")
    expect(veil).to_have_count(0)
    expect(page.locator("#auto")).to_be_focused()
    assert press(page, "j") == shown
    until(lambda: stored(server) == [(first, "positive", "key"), (shown, "negative", "key")])
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.goto(link_of(server))
    shown = painted(phone)
    phone.click("#pause")
    expect(phone.locator("#veil")).to_be_visible()
    swipe_right(phone)
    expect(phone.locator("#veil")).to_be_visible()
    assert painted(phone) == shown
    phone.click("#veil-off")
    expect(phone.locator("#veil")).to_have_count(0)
    assert painted(phone) == shown
    context.close()


def swipe_right(phone: Page) -> None:
    """Draw a finger over the middle of the image."""
    finger = phone.context.new_cdp_session(phone)
    for step, x in enumerate((120, 180, 260, 330)):
        kind = "touchMove" if step else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 260}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_undo_by_key(server: Serving, open_page: OpenPage) -> None:
    """Backspace takes the last answer back and shows its image, skips too, also after a reload."""
    page = open_page(link_of(server))
    first, second = press(page, "f"), press(page, "s")
    until(lambda: len(stored(server)) == 2)
    page.reload()
    painted(page)
    for image, left in ((second, 1), (first, 0)):
        page.keyboard.press("Backspace")
        expect(page.locator(f'#image[data-image="{image}"][data-painted="true"]')).to_be_visible()
        until(partial(has_stored, server, left))
    assert painted(page) == first


def test_a_held_key_answers_once(server: Serving, open_page: OpenPage) -> None:
    """A key that is held down answers one image."""
    page = open_page(link_of(server))
    image = painted(page)
    for _ in range(5):
        page.keyboard.down("f")
    page.keyboard.up("f")
    expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    press(page, "j")
    until(lambda: [label for _, label, _ in stored(server)] == ["positive", "negative"])


def test_what_is_not_painted_is_not_answered(server: Serving, open_page: OpenPage, context: BrowserContext) -> None:
    """Keys pressed, and AUTO switched on, before an image is on the screen answer nothing."""
    waiting: list[Route] = []
    context.route("**/api/images/**", lambda route: waiting.append(route))
    page = open_page(link_of(server))
    page_until(page, lambda: waiting)
    for key in "fja":
        page.keyboard.press(key)
    page.wait_for_timeout(1500)
    assert stored(server) == []
    context.unroute("**/api/images/**")
    for route in waiting:
        with contextlib.suppress(Error):  # the page has given this one up
            route.continue_()
    painted(page)
    page_until(page, lambda: stored(server))
    assert stored(server)[0][1:] == ("negative", "timeout")


def test_auto_stops_while_hidden(server: Serving, open_page: OpenPage) -> None:
    """AUTO answers negative with source timeout while the page is seen, and nothing while the tab is hidden."""
    page = open_page(link_of(server))
    painted(page)
    for _ in range(60):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("a")
    page_until(page, lambda: len(stored(server)) >= 3)
    hide = "Object.defineProperty(document, 'visibilityState', {value: %r, configurable: true});"
    page.evaluate(hide % "hidden" + "document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    before = stored(server)
    page.wait_for_timeout(1500)
    assert stored(server) == before
    assert {(label, source) for _, label, source in before} == {("negative", "timeout")}
    page.evaluate(hide % "visible" + "document.dispatchEvent(new Event('visibilitychange'))")
    page_until(page, lambda: len(stored(server)) > len(before))
    image = painted(page)
    page.keyboard.press("Space")
    page_until(page, lambda: (image, "positive", "key") in stored(server))
    page.keyboard.press("a")


def test_images_keep_their_aspect(server: Serving, open_page: OpenPage) -> None:
    """Every image is whole and keeps its aspect, and the page never scrolls."""
    page = open_page(link_of(server))
    for _ in range(6):
        painted(page)
        shown = page.locator("#image").evaluate(
            "e => [e.naturalWidth / e.naturalHeight, getComputedStyle(e).objectFit]"
        )
        box = page.locator("#image").bounding_box()
        assert box is not None
        assert shown[1] == "contain" or box["width"] / box["height"] == pytest.approx(shown[0], rel=0.05)
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= 1280
        assert box["y"] + box["height"] <= 800
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        press(page, "j")


def test_to_the_end(server: Serving, open_page: OpenPage) -> None:
    """The broken image is passed over by itself, and when nothing is left the page says so."""
    page = open_page(link_of(server))
    for left in range(COUNT - 1, 0, -1):
        image = painted(page)
        page.keyboard.press("j")
        if left > 1:
            expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)
    page_until(page, lambda: len(stored(server)) == COUNT - 1)
    expect(page.get_by_text("All images are answered")).to_be_visible()
    status = server.client.get("/api/status").json()
    assert (status["left"], status["unreadable"], status["negatives"]) == (0, 1, COUNT - 1)


def test_past_answers_can_be_changed(server: Serving, open_page: OpenPage) -> None:
    """The left arrow shows the last answer again, and another key changes it."""
    page = open_page(link_of(server))
    image = press(page, "f")
    until(lambda: len(stored(server)) == 1)
    painted(page)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f'#image[data-image="{image}"][data-painted="true"]')).to_be_visible()
    page.keyboard.press("j")
    page_until(page, lambda: stored(server) == [(image, "negative", "key")])


def test_who_leaves_hands_back(server: Serving, open_page: OpenPage) -> None:
    """What a page had in hand goes to others as soon as it is closed or left, not a minute later."""
    page = open_page(link_of(server))
    painted(page)

    def given() -> int:
        server.session.queue.release("other")
        return len(server.client.get(f"/api/queue?count={COUNT}&client=other").json()["images"])

    page_until(page, lambda: given() < server.session.queue.left)
    page.goto("about:blank")
    until(lambda: given() == server.session.queue.left)


def test_without_a_token(server: Serving, open_page: OpenPage) -> None:
    """Without the token the page asks for it, and takes it."""
    page = open_page(str(server.client.base_url))
    page.fill("input[name=token]", "t")
    page.keyboard.press("Enter")
    painted(page)


@pytest.mark.parametrize("width", [360, 390])
def test_phone(server: Serving, open_page: OpenPage, width: int) -> None:
    """On a phone everything fits the screen, and the answers are large enough for a thumb."""
    page = open_page(link_of(server))
    page.set_viewport_size({"width": width, "height": 780})
    painted(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("positive", "negative", "skip", "undo"):
        box = page.locator(f"#{name}").bounding_box()
        assert box is not None
        assert box["height"] >= 40
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 780


def test_the_whole_suite_by_key(tmp_path: Path, open_page: OpenPage) -> None:
    """Sixty answers by key while everything runs: the ranking learns, the rare positives come early, none is lost.

    The server is killed on the way: the page goes on, and sends what waits when it is back.
    """
    folder = tmp_path / "data"
    folder.mkdir()
    random = np.random.default_rng(1)
    for number in range(150):
        colour = np.array((200, 40, 40) if number % 12 == 0 else random.integers(0, 130, 3) + np.array((0, 60, 60)))
        pixels = np.clip(colour + random.integers(-30, 30, (60, 80, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(
            folder / f"{'rare' if number % 12 == 0 else 'usual'} {number}.png"
        )
    with running(tmp_path / "run", folder) as suite:
        until(lambda: suite.learnt() == 0, START_S)
        until(lambda: suite.status()["embedding"]["percent"] == 100, START_S)  # type: ignore[index]
        page = open_page(suite.link)
        found = []
        for count in range(60):
            painted(page)
            found.append(page.inner_text("#path").startswith("rare"))
            press(page, "f" if found[-1] else "j")
            page.wait_for_timeout(100)
            if count == 30:
                kill(suite.pid_of("backend"))
        page_until(page, lambda: suite.learnt() == 60)
        status = suite.status()
        assert (status["positives"], status["negatives"]) == (sum(found), 60 - sum(found))
        assert sum(found) >= 10  # of 13; by chance 5
        expect(page.locator("#banner[hidden]")).to_have_count(1)
        assert suite.client.get("/api/predictor").status_code == 200

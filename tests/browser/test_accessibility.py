"""Every screen under axe-core: nothing serious, on the desktop and on a phone, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from config import ROOT
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from tests.browser.conftest import OpenPage
from tests.browser.test_explanation import explain
from tests.screens import EXPLANATION, PAINTED, PANELS, PHOTO, TILE, VIEWS, WALK, ZOOM, Screen, put_instructions_away
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

AXE = ROOT / "reactcode" / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES = ("light", "dark")
SERIOUS = ("serious", "critical")
FINDINGS = """async () => {
  const { violations } = await axe.run(document, { iframes: false, resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => [id, impact, nodes.map(({ target }) => target.join(" "))]);
}"""
SETTLED = """async () => {
  while (document.getAnimations().some(({ playState }) => playState === "running"))
    await new Promise(requestAnimationFrame);
}"""
SCREENS = (
    Screen("annotation", (), PAINTED),
    Screen("AUTO", ("press:a",), '#auto[aria-pressed="true"]'),
    Screen("pause", ("press:Space",), "#veil"),
    WALK,
    ZOOM,
    EXPLANATION,
    *PANELS,
)


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Twelve pictures."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(12):
        Image.new("RGB", (320, 240), (20 * number, 120, 255 - 20 * number)).save(folder / f"{number:02d}.jpg")
    return folder


@pytest.fixture
def server(tmp_path: Path, datadir: Path) -> Iterator[Serving]:
    """A server that has listed them all; the page is told that TensorBoard runs."""
    instructions = tmp_path / "instructions.md"
    instructions.write_text("# What is a cat?\n\nAnything that *purrs*.\n")
    with serving(tmp_path / "run", datadir, token="t", tensorboard=True, instructions=instructions) as server:
        server.client.headers["authorization"] = "Bearer t"
        until(lambda: not server.client.get("/api/status").json()["listing"])
        yield server


def findings(page: Page) -> list[str]:
    """What is serious on the page as it is, in every view."""
    found = []
    page.evaluate(AXE.read_text())
    for view in VIEWS:
        page.set_viewport_size(view)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            page.evaluate(SETTLED)
            found += [
                f"{view['width']} {scheme}: {name} ({impact}): {', '.join(nodes)}"
                for name, impact, nodes in page.evaluate(FINDINGS)
                if impact in SERIOUS
            ]
    return found


def answer(page: Page, key: str) -> None:
    """Answer the image that is shown, and wait until it has gone."""
    image = page.locator(PAINTED).get_attribute("data-image")
    page.keyboard.press(key)
    expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0)


def prepared(server: Serving, open_page: OpenPage) -> Page:
    """The page after three answers, the positive one of which looks wrong."""
    page = open_page(f"{server.client.base_url}?token=t")
    put_instructions_away(page)
    page.evaluate("""localStorage.setItem("ia:speed", "0.2")""")
    page.reload()
    for key in "fjs":
        answer(page, key)
    until(lambda: len(server.client.get("/api/annotations").json()["annotations"]) == 3)
    pickle_file.publish(server.session.run, protocol.HELD_OUT, {f"{number:02d}.jpg": 0.1 for number in range(12)})
    until(lambda: server.client.get("/api/slips").json()["total"] == 1)
    expect(page.locator(PAINTED)).to_be_visible()
    explain(server, list(range(12)))
    return page


@pytest.mark.parametrize("screen", SCREENS, ids=[screen.name for screen in SCREENS])
def test_a_screen(server: Serving, open_page: OpenPage, screen: Screen) -> None:
    """A screen opens as it should, and axe finds nothing serious on it."""
    page = prepared(server, open_page)
    screen.open(page)
    assert findings(page) == []


def test_the_end_of_a_check(server: Serving, open_page: OpenPage) -> None:
    """When every answer that looks wrong was looked at."""
    page = prepared(server, open_page)
    page.keyboard.press("c")
    expect(page.locator('.doubted[data-seen="true"]')).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#slips-end")).to_contain_text("1 confirmed")
    assert findings(page) == []


def test_done(server: Serving, open_page: OpenPage) -> None:
    """When nothing is left."""
    for image in range(12):
        server.answer(image, "negative")
    page = open_page(f"{server.client.base_url}?token=t")
    expect(page.get_by_text("All images are answered")).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize("screen", [TILE, PHOTO], ids=["tile", "photo"])
def test_tiles(tmp_path: Path, datadir: Path, open_page: OpenPage, screen: Screen) -> None:
    """Where a tile lies, and the whole photo."""
    with serving(tmp_path / "run", datadir, tile="2x2") as server:
        until(lambda: server.client.get("/api/status").json()["images"] == 48)
        page = open_page(str(server.client.base_url))
        expect(page.locator(PAINTED)).to_be_visible()
        screen.open(page)
        assert findings(page) == []


def test_an_empty_folder(tmp_path: Path, open_page: OpenPage) -> None:
    """When there is nothing to ask."""
    (tmp_path / "empty").mkdir()
    with serving(tmp_path / "run", tmp_path / "empty") as server:
        page = open_page(str(server.client.base_url))
        expect(page.get_by_text("There are no images in this folder")).to_be_visible()
        assert findings(page) == []


def test_the_token_prompt(server: Serving, open_page: OpenPage) -> None:
    """When the link lacks its token, and when it is wrong."""
    page = open_page(str(server.client.base_url))
    expect(page.locator("input[name=token]")).to_be_visible()
    assert findings(page) == []
    page.goto(f"{server.client.base_url}?token=wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert findings(page) == []

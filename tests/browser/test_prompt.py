"""What a person looks for, typed in a real Chromium against a real server and something in the place of inference."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from IA.protocol.shown import Similar, Wanted
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import findings
from tests.inference import inference, similar
from tests.screens import PAINTED, VIEWS
from tests.serving import Serving, serving, until

pytestmark = pytest.mark.browser

COUNT = 24
LYNX = ("lynx", "bobcat", "tiger cat")
NOWHERE = "These words lead to no class that is known."


def read(wanted: Wanted) -> Similar:
    """A lynx is in the last images; anything else leads nowhere."""
    if "lynx" in wanted.prompt:
        return similar(wanted, range(COUNT - 1, 5, -1), LYNX)
    return similar(wanted, [], note=NOWHERE)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """Twenty-four pictures, and something that reads prompts."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT):
        Image.new("RGB", (320, 240), (10 * number, 120, 255 - 10 * number)).save(folder / f"{number:02d}.jpg")
    with serving(tmp_path / "run", folder) as server, inference(server.session.run, read):
        until(lambda: server.session.queue.left == COUNT)
        server.session.loops.now["inference"] = "running"
        server.session.changes.notify()
        yield server


def opened(server: Serving, open_page: OpenPage) -> Page:
    """The page, once an image is on the screen."""
    page = open_page(f"{server.client.base_url}/")
    expect(page.locator(PAINTED)).to_be_visible()
    return page


def prompt(server: Serving) -> str:
    """What the server keeps."""
    kept: str = server.client.get("/api/status").json()["prior"]["prompt"]
    return kept


def test_from_the_offer_to_the_header(server: Serving, open_page: OpenPage) -> None:
    """Words show what they lead to while they are typed; Enter keeps them, the header has them, nothing drops them."""
    page = opened(server, open_page)
    page.click("#prompt-offer")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("a lynx at night")
    expect(page.locator("#prompt-classes")).to_have_text("lynx, bobcat, tiger cat")
    expect(page.locator("#prompt-images img")).to_have_count(9)
    numbers = page.locator("#prompt-images li").evaluate_all("all => all.map(({ dataset }) => Number(dataset.image))")
    assert numbers == list(range(COUNT - 1, COUNT - 10, -1))
    page.wait_for_function("() => [...document.querySelectorAll('#prompt-images img')].every((i) => i.naturalWidth)")
    assert findings(page) == []
    page.set_viewport_size(VIEWS[0])
    assert prompt(server) == ""
    page.keyboard.press("Enter")
    expect(page.locator("dialog.prompt")).to_be_hidden()
    expect(page.locator("#looked-for")).to_contain_text("a lynx at night")
    assert prompt(server) == "a lynx at night"
    assert findings(page) == []
    page.click("#looked-for")
    expect(page.locator("#prompt")).to_have_value("a lynx at night")
    page.keyboard.press("Delete")  # what was kept is selected
    page.keyboard.press("Enter")
    expect(page.locator("#looked-for")).to_be_hidden()
    assert prompt(server) == ""


def test_keys_answer_at_once(server: Serving, open_page: OpenPage) -> None:
    """The offer takes no key, is gone after the first answer, and / is there as ever."""
    page = opened(server, open_page)
    expect(page.locator("#prompt-offer")).to_be_visible()
    page.keyboard.press("j")
    until(lambda: server.client.get("/api/status").json()["negatives"] == 1)
    expect(page.locator("#prompt-offer")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("fj")  # letters, no answers
    page.keyboard.press("Escape")
    expect(page.locator("dialog.prompt")).to_be_hidden()
    page.keyboard.press("f")
    until(lambda: server.client.get("/api/status").json()["positives"] == 1)
    assert (prompt(server), server.client.get("/api/status").json()["negatives"]) == ("", 1)


@pytest.mark.parametrize("words", ["🐈‍⬛", "قطة سوداء", "bgrz'lch <b>&amp;", "\u202eevil"])
def test_words_that_lead_nowhere(server: Serving, open_page: OpenPage, words: str) -> None:
    """Whatever is typed is text; the page says in a sentence that it leads nowhere, and keeps it all the same."""
    page = opened(server, open_page)
    page.keyboard.press("/")
    page.fill("#prompt", words)
    expect(page.locator("#prompt-note")).to_have_text(NOWHERE)
    expect(page.locator("#prompt-images")).to_have_count(0)
    page.keyboard.press("Enter")
    kept = words.replace("\u202e", "")
    expect(page.locator("#looked-for bdi")).to_have_text(kept)
    assert prompt(server) == kept


def test_too_many_words(server: Serving, open_page: OpenPage) -> None:
    """They are refused with a sentence; fewer are taken."""
    page = opened(server, open_page)
    page.keyboard.press("/")
    page.fill("#prompt", "x" * 10_000)
    expect(page.locator("#prompt-note")).to_contain_text("shorten them to 1000")
    page.keyboard.press("Enter")
    expect(page.locator("#prompt-keep")).to_be_disabled()
    page.fill("#prompt", "lynx")
    expect(page.locator("#prompt-images img")).to_have_count(9)
    page.keyboard.press("Enter")
    expect(page.locator("#looked-for")).to_contain_text("lynx")


def test_while_inference_is_down(server: Serving, open_page: OpenPage) -> None:
    """The page says so, and shows what the words lead to once inference runs again."""
    page = opened(server, open_page)
    server.session.loops.now["inference"] = "down"
    page.keyboard.press("/")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("lynx")
    expect(page.locator("#prompt-note")).to_contain_text("only while inference runs")
    server.session.loops.now["inference"] = "running"
    expect(page.locator("#prompt-images img")).to_have_count(9)
    expect(page.locator("#prompt-note")).to_be_empty()


def test_a_prompt_from_the_command_line(tmp_path: Path, images_folder: Path, open_page: OpenPage) -> None:
    """It stands in the header from the first image on, and nothing is offered."""
    with serving(tmp_path / "other", images_folder, prompt="a straw hat, a cap") as server:
        page = opened(server, open_page)
        expect(page.locator("#looked-for bdi")).to_have_text("a straw hat, a cap")
        expect(page.locator("#prompt-offer")).to_have_count(0)

"""Pictures of every screen of the page, from a real suite: desktop and phone, light and dark.

    python -m tests.screenshots OUT                                    on the pictures of the demo
    python -m tests.screenshots OUT --datadir PHOTOS --positive hat    on photos in class folders
    python -m tests.screenshots OUT --url LINK                         on a running suite; 160 answers go to its run

Writes OUT/annotate-1280-light.png and so on. At the end it names the screens that do not open.
"""

import argparse
import contextlib
import csv
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect, sync_playwright

from backend import demo
from tests.benchmarks.browser.chromium import launched
from tests.processes.suite import START_S, Suite, running
from tests.screens import EXPLANATION, PAINTED, PANELS, PHOTO, TILE, VIEWS, WALK, ZOOM, Screen, put_instructions_away
from tests.serving import until

ANSWERS = 160
LEARN_S = 600.0
AUTO_SPEED = 0.2
PATIENCE_MS = 30_000
CHARTS_MS = 3_000  # TensorBoard's charts follow its header
INSTRUCTIONS = """# What counts

A picture is positive when the object is **wholly or partly** seen, however small it is.

- Drawings and mirror images count.
- Shadows do not.

Skip what you cannot make out.
"""
SCREENS = (
    Screen("annotate", (), PAINTED),
    WALK,
    ZOOM,
    *PANELS,
)


@dataclass
class Camera:
    """Writes pictures of a page into a folder.

    Attributes:
        folder: the folder for the pictures.
        missing: the pictures that could not be taken, and why.
    """

    folder: Path
    missing: list[str] = field(default_factory=list)

    def take(self, page: Page, name: str) -> None:
        """Take a light and a dark picture of the page."""
        width = page.evaluate("innerWidth")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.screenshot(path=self.folder / f"{name}-{width}-{scheme}.png", animations="disabled")

    def attempt(self, page: Page, name: str, open_screen: Callable[[], object]) -> None:
        """Take a picture if the screen opens, else note why it does not."""
        try:
            open_screen()
            self.take(page, name)
        except (AssertionError, Error) as error:
            self.missing.append(f"{name}: {str(error).splitlines()[0]}")


@contextlib.contextmanager
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    """A desktop and a phone."""
    desktop, phone = VIEWS
    opened = [
        browser.new_context(viewport=desktop),
        browser.new_context(viewport=phone, has_touch=True, is_mobile=True, device_scale_factor=2),
    ]
    try:
        yield opened
    finally:
        for context in opened:
            context.close()


def before_any_model(context: BrowserContext, link: str, camera: Camera) -> None:
    """The page while it connects, and the first image."""
    page = context.new_page()
    held: list[Route] = []
    page.route("**/api/**", lambda route: held.append(route))
    page.goto(link)
    camera.attempt(page, "connecting", lambda: expect(page.get_by_text("Connecting")).to_be_visible())
    for route in held:
        route.abort()
    page.close()
    page = context.new_page()
    page.goto(link)
    expect(page.locator(PAINTED)).to_be_visible()
    if page.locator("dialog.instructions").is_visible():
        put_instructions_away(page)
    camera.attempt(page, "annotate-new", lambda: expect(page.locator(PAINTED)).to_be_visible())
    page.close()


def with_model(context: BrowserContext, link: str, camera: Camera) -> None:
    """All screens that exist once the model has learnt."""
    page = context.new_page()
    page.goto(link)
    page.evaluate(f'localStorage.setItem("ia:speed", "{AUTO_SPEED}")')
    page.reload()
    for screen in SCREENS:
        expect(page.locator(PAINTED)).to_be_visible()
        camera.attempt(page, screen.name, lambda screen=screen: open_whole(page, screen))  # type: ignore[misc]
        for _ in range(2):
            page.keyboard.press("Escape")
    camera.attempt(page, EXPLANATION.name, lambda: open_whole(page, EXPLANATION))
    page.keyboard.press("h")
    camera.attempt(page, "auto", lambda: auto(page))
    page.keyboard.press("a")
    camera.attempt(page, "away", lambda: away(page))
    context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden(timeout=PATIENCE_MS)
    page.close()


def open_whole(page: Page, screen: Screen) -> None:
    """Open a screen, and wait for the pages that it embeds; the mouse points at nothing."""
    screen.open(page)
    page.mouse.move(2, 200)
    for frame in page.locator("dialog[open] iframe").all():
        expect(frame.content_frame.locator("app-header")).to_be_visible(timeout=PATIENCE_MS)
        page.wait_for_timeout(CHARTS_MS)


def auto(page: Page) -> None:
    """AUTO, after its first answer."""
    image = page.locator(PAINTED).get_attribute("data-image")
    page.keyboard.press("a")
    expect(page.locator(f'#image[data-image="{image}"]')).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator(PAINTED)).to_be_visible()


def away(page: Page) -> None:
    """An answer while no request reaches the server."""
    page.context.set_offline(True)
    page.keyboard.press("j")
    expect(page.locator("#banner")).to_be_visible(timeout=PATIENCE_MS)


def without_token(context: BrowserContext, link: str, camera: Camera) -> None:
    """The prompt for the token, where there is one."""
    page = context.new_page()
    page.goto(link.split("?")[0])
    camera.attempt(page, "token", lambda: expect(page.locator("input[name=token]")).to_be_visible())
    page.close()


def done(context: BrowserContext, suite: Suite, camera: Camera) -> None:
    """The page when no image is left to answer, from a run over a small folder."""
    page = context.new_page()
    page.goto(suite.link)
    text = page.get_by_text("All images are answered")
    camera.attempt(page, "done", lambda: expect(text).to_be_visible())
    page.close()


def answer(link: str, positive: str | None) -> None:
    """Give true answers, and wait until the ranking has learnt them."""
    with httpx.Client(base_url=link.split("?")[0], timeout=60, follow_redirects=True, trust_env=False) as client:
        status = client.get("/api/status", params=dict(httpx.URL(link).params)).raise_for_status().json()
        positives = truth(Path(status["datadir"]), positive)
        for _ in range(ANSWERS):
            image = client.get("/api/queue?count=1&client=screenshots").raise_for_status().json()["images"][0]
            label = "positive" if positives(image["path"]) else "negative"
            body = {"image": image["image"], "label": label, "client": "screenshots", "shown_ms": 500}
            client.post("/api/annotations", json=body).raise_for_status()
        until(lambda: _has_learnt(client), LEARN_S)


def _has_learnt(client: httpx.Client) -> bool:
    status = client.get("/api/status").json()
    return bool(status["ranking"]) and status["ranking"]["labels"] >= status["positives"] + status["negatives"]


def truth(datadir: Path, positive: str | None) -> Callable[[str], bool]:
    """A function that decides whether a path is positive: by its folder, else by the demo's list."""
    if positive is not None:
        return lambda path: path.split("/")[0] == positive
    with (datadir / "truth.csv").open(newline="") as file:
        labels = {row["path"]: row["label"] for row in csv.DictReader(file)}
    return lambda path: labels[path] == "positive"


@contextlib.contextmanager
def link_of(folder: Path, given: argparse.Namespace) -> Iterator[str]:
    """The link of the suite to take pictures of: the one given by --url, else a new one."""
    if given.url is not None:
        yield given.url
        return
    datadir = given.datadir or folder / "demo"
    if given.datadir is None:
        demo.make(datadir)
    names = ("--positive", given.positive or "star", "--negative", f"no {given.positive or 'star'}")
    (folder / "instructions.md").write_text(INSTRUCTIONS)
    with running(folder / "run", datadir, *names, "--instructions", str(folder / "instructions.md")) as suite:
        until(suite.all_run, START_S)
        yield suite.link


def tiles(context: BrowserContext, link: str, camera: Camera) -> None:
    """An image that is a tile, and its photo."""
    page = context.new_page()
    page.goto(link)
    for screen in (TILE, PHOTO):
        expect(page.locator(PAINTED)).to_be_visible()
        camera.attempt(page, screen.name, lambda screen=screen: open_whole(page, screen))  # type: ignore[misc]
    page.close()


@contextlib.contextmanager
def cut_up(folder: Path) -> Iterator[str]:
    """A suite that asks about tiles of the demo's pictures."""
    datadir = folder / "photos"
    demo.make(datadir)
    with running(folder / "tiles-run", datadir, "--no-ai", "--tile", "3x2") as suite:
        until(lambda: suite.status()["left"], START_S)
        yield suite.link


@contextlib.contextmanager
def finished(folder: Path) -> Iterator[Suite]:
    """A suite of three pictures that are answered."""
    (folder / "few").mkdir()
    for number in range(3):
        Image.new("RGB", (320, 240), (80 * number, 90, 120)).save(folder / "few" / f"{number}.png")
    with running(folder / "few-run", folder / "few", "--no-ai") as suite:
        until(lambda: suite.status()["left"] == 3, START_S)
        for number in range(3):
            suite.answer(number, "negative" if number else "positive")
        yield suite


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--url", help="the link of a suite that runs")
    parser.add_argument("--datadir", type=Path, help="photos in class folders, instead of the demo's pictures")
    parser.add_argument("--positive", metavar="CLASS", help="which class folder is positive")
    given = parser.parse_args()
    if given.datadir is not None and given.positive is None:
        parser.error("--datadir needs --positive CLASS")
    given.out.mkdir(parents=True, exist_ok=True)
    camera = Camera(given.out)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(launched(stack.enter_context(sync_playwright())))
        both = stack.enter_context(contexts(browser))
        link = stack.enter_context(link_of(folder, given))
        small = stack.enter_context(finished(folder))
        tiled = stack.enter_context(cut_up(folder))
        for context in both:
            without_token(context, link, camera)
            done(context, small, camera)
            tiles(context, tiled, camera)
            before_any_model(context, link, camera)
        answer(link, given.positive)
        for context in both:
            with_model(context, link, camera)
    sys.stdout.write(f"{len(list(given.out.glob('*.png')))} pictures in {given.out}\n")
    sys.stdout.writelines(f"not taken: {line}\n" for line in camera.missing)
    raise SystemExit(bool(camera.missing))


if __name__ == "__main__":
    main()

"""Every screen of the page: the steps to it from an image that waits for its answer, and the proof that it is open."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page, ViewportSize, expect

from tests.benchmarks.browser.chromium import do

PAINTED = '#image[data-painted="true"]'
VIEWS: tuple[ViewportSize, ...] = ({"width": 1280, "height": 800}, {"width": 390, "height": 844})


@dataclass(frozen=True)
class Screen:
    """One screen.

    Attributes:
        name: a word for the screen.
        steps: keys and clicks, as `do` takes them, or `door:ID` for a button that may be behind "more".
        proof: a selector of an element that is visible when the screen is open.
    """

    name: str
    steps: tuple[str, ...]
    proof: str

    def open(self, page: Page) -> None:
        """Open the screen; fails if it does not open."""
        for step in self.steps:
            if step.startswith("door:"):
                open_door(page, step.removeprefix("door:"))
            else:
                do(page, step)
        expect(page.locator(self.proof).first).to_be_visible()


def open_door(page: Page, name: str) -> None:
    """Click the button of a panel; on a narrow page some buttons are behind "more"."""
    if not page.locator(f"#{name}").is_visible():
        page.click("#more")
    page.click(f"#{name}")


def put_instructions_away(page: Page) -> None:
    """Close the instructions that a run shows before its first image."""
    text = page.locator("dialog.instructions .sheet > :not(header)")
    expect(text).to_have_text(re.compile(r"\w"))  # A text that was read does not appear again.
    page.keyboard.press("Escape")
    expect(page.locator("dialog.instructions")).to_be_hidden()


WALK = Screen("walk", ("press:ArrowLeft",), f"main:has(#walk) {PAINTED}")
ZOOM = Screen("zoom", ("press:z",), "#viewing")
TILE = Screen("tile", (), "#whereabouts img")
PHOTO = Screen("photo", ("press:w",), "#photo img")
EXPLANATION = Screen("explanation", ("press:h",), "#why[data-image] .nearest img")
PANELS = (
    Screen("help", ("press:?",), "dialog.help"),
    Screen("info", ("door:info",), "dialog.info"),
    Screen("look", ("press:l",), ".tools"),
    Screen("tensorboard", ("press:t",), "dialog.board"),
    Screen("progress", ("press:p",), "dialog.progress"),
    Screen("review", ("press:r",), "dialog.review"),
    Screen("finish", ("press:e",), '.finishing[aria-busy="false"]'),
    Screen("prompt", ("press:/",), "dialog.prompt"),
    Screen("slips", ("press:c",), "dialog.slips :is(.doubted[data-seen=true], #slips-end)"),
    Screen("instructions", ("press:i",), "dialog.instructions"),
    Screen("map", ("press:v",), ".map-dialog :is(#map-coming, #map-plane[data-settled=true])"),
    Screen("grid", ("press:g",), "#grid"),
)

"""From the last key of a prompt to its nine images on the page.

    python -m tests.benchmarks.browser.prompt LINK --words hat dress "straw hat, cap" --rate 8

Types words into the page's own field at the rate given, in a real Chromium, on a running session whose images are
embedded. A script in the page takes the time of the last input, and looks in every frame until the images are those of
these words and all of them have been decoded. Images that nobody has looked at before are rendered meanwhile, so the
first time that words are typed is the slow one; `--again` types all of them once more.
"""

import argparse
import sys

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.browser.chromium import launched
from tests.screens import PAINTED

WORDS = ("hat", "dress", "shoes", "skirt", "shorts", "pants", "a white shirt", "running shoe, sandal", "evening gown")
WATCH = """() => {
  const begun = new Promise((resolve) =>
    document.getElementById("prompt").addEventListener("input", (event) => resolve(event.timeStamp), { once: true }),
  );
  window.watched = begun.then(async (since_ms) => {
    for (;;) {
      await new Promise(requestAnimationFrame);
      const images = [...document.querySelectorAll('#prompt-images[aria-busy="false"] img')];
      const isThere = images.every(({ complete, naturalWidth }) => complete && naturalWidth > 0);
      if (images.length > 0 && isThere) return [performance.now() - since_ms, images.length];
    }
  });
}"""


def typed(page: Page, words: str, rate: float) -> tuple[float, int]:
    """Type words; milliseconds from the last letter to the images, and how many these are."""
    page.fill("#prompt", "")
    page.keyboard.type(words[:-1], delay=1000 / rate)
    page.evaluate(WATCH)
    page.wait_for_timeout(1000 / rate)
    page.keyboard.type(words[-1])
    took_ms, images = page.evaluate("() => window.watched")
    return took_ms, images


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("link", help="of a running session")
    parser.add_argument("--words", nargs="+", default=WORDS, help="what to type, one prompt each")
    parser.add_argument("--rate", type=float, default=8.0, help="letters a second")
    parser.add_argument("--again", action="store_true", help="type all of them a second time")
    given = parser.parse_args()
    with sync_playwright() as playwright, launched(playwright) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(given.link)
        page.wait_for_selector(PAINTED)
        page.keyboard.press("/")
        page.wait_for_selector("#prompt")
        for turn in range(2 if given.again else 1):
            times_ms: list[float] = []
            for words in given.words:
                took_ms, images = typed(page, words, given.rate)
                times_ms.append(took_ms)
                sys.stdout.write(f"{took_ms:6.0f} ms  {images} images  {words}\n")
            median, most = np.median(times_ms), max(times_ms)
            sys.stdout.write(f"{'again' if turn else 'first'}: median {median:.0f} ms, most {most:.0f} ms\n")


if __name__ == "__main__":
    main()

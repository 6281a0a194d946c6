"""From a key press to the next image on the screen, for any page that shows images one at a time.

    python -m tests.benchmarks.page 'http://127.0.0.1:8077/?token=...' --keys f j --answers 200 --rate 4 --rtt-ms 200
    python -m tests.benchmarks.page http://127.0.0.1:9000/ --keys 1 2 --image '#task img' --before click:text=Start

Presses real keys, no sooner than the rate says, and never before the picture of the press before has come. A script in
the page takes the keydown's own time stamp, and looks in every frame for another picture: another element, another
address, or, of a canvas, other pixels. A message posted from the first frame that has it arrives after that frame was
painted, and ends the time. The round trip is Chromium's own emulation, for each request.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Sequence

import numpy as np
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.benchmarks.browser.chromium import STEPS, Agenda, do, launched

PATIENCE_S = 3.0
SEES_S = 0.1  # nobody answers an image sooner than that
OPEN_S = 60.0

SCRIPT = r"""
(() => {
  const SELECTOR = %s;
  const STORE = "benchmark:press"; // a page that loads anew for each answer finds the press there
  const paints = new MessageChannel();
  const serials = new WeakMap();
  let serial = 0;
  let pending = JSON.parse(sessionStorage.getItem(STORE) ?? "null");
  let now = null; // the picture in the page as of the last frame
  let isThere = false;

  function area(element) {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const width = Math.min(right, innerWidth) - Math.max(left, 0);
    const height = Math.min(bottom, innerHeight) - Math.max(top, 0);
    const isShown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    return isShown && width > 0 && height > 0 ? width * height : 0;
  }

  function largest() {
    let found = null;
    for (const element of document.querySelectorAll(SELECTOR))
      if (area(element) > (found === null ? 0 : area(found))) found = element;
    return found;
  }

  function pixels(canvas) {
    try {
      const small = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true });
      small.drawImage(canvas, 0, 0, 16, 16);
      return small.getImageData(0, 0, 16, 16).data.join();
    } catch {
      return ""; // pixels of another site: only another element counts
    }
  }

  /** What tells one picture from another; null while there is none, or one that has not come yet. */
  function identity() {
    const element = largest();
    if (element === null) return null;
    if (element instanceof HTMLImageElement && !(element.complete && element.naturalWidth > 0)) return null;
    if (!serials.has(element)) serials.set(element, ++serial);
    const address = element.currentSrc ?? element.href?.baseVal ?? getComputedStyle(element).backgroundImage;
    const content = element instanceof HTMLCanvasElement ? pixels(element) : address;
    return `${performance.timeOrigin} ${serials.get(element)} ${content}`;
  }

  function frame() {
    requestAnimationFrame(frame);
    now = identity();
    if (now !== null && !isThere) {
      isThere = true;
      void window.benchmarkShown(null);
    }
    if (pending === null || now === null || now === pending.identity) return;
    paints.port2.postMessage(pending.at);
    pending = null;
    sessionStorage.removeItem(STORE);
  }

  paints.port1.onmessage = ({ data }) =>
    void window.benchmarkShown(performance.timeOrigin + performance.now() - data);
  window.addEventListener("keydown", ({ timeStamp }) => {
    pending = { at: performance.timeOrigin + timeStamp, identity: identity() };
    sessionStorage.setItem(STORE, JSON.stringify(pending));
  }, { capture: true });
  requestAnimationFrame(frame);
})();
"""


class Stage:
    """The page under measurement."""

    def __init__(self, page: Page, image: str, rtt_ms: float) -> None:
        self.page = page
        self._agenda = Agenda(page)
        self._shown_ms: float | None = None
        self._is_there = False
        page.expose_function("benchmarkShown", self._shown)
        page.add_init_script(SCRIPT % json.dumps(image))
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        unlimited = {"downloadThroughput": -1, "uploadThroughput": -1}
        network.send("Network.emulateNetworkConditions", {"offline": False, "latency": rtt_ms, **unlimited})

    def open(self, url: str, before: Sequence[str]) -> None:
        """Open it, and do what must be done before the first image is there."""
        self.page.goto(url)
        for step in before:
            do(self.page, step)
        if not self._agenda.go_on(lambda: self._is_there, OPEN_S):
            raise SystemExit("There is no picture on the page; say with --image and --before how one gets to it.")

    def press(self, key: str) -> float | None:
        """Press a key, and wait for another picture: milliseconds, or None when none came."""
        self._shown_ms = None
        self.page.keyboard.press(key)
        self._agenda.go_on(lambda: self._shown_ms is not None, PATIENCE_S)
        return self._shown_ms

    def rest(self, seconds: float) -> None:
        """Do nothing for a while."""
        if seconds > 0:
            self.page.wait_for_timeout(1000 * seconds)

    def now_s(self) -> float:
        """The page's clock."""
        seconds: float = self.page.evaluate("performance.timeOrigin / 1000 + performance.now() / 1000")
        return seconds

    def _shown(self, milliseconds: float | None) -> None:
        self._is_there = True
        if milliseconds is not None:
            self._shown_ms = milliseconds


def measure(stage: Stage, keys: Sequence[str], answers: int, rate: float) -> tuple[list[float | None], float]:
    """Answer so many images.

    Returns:
        Milliseconds for each press, None for one that brought no picture; seconds in all.
    """
    waits_ms: list[float | None] = []
    began_s = stage.now_s()
    for key in itertools.islice(itertools.cycle(keys), answers):
        pressed_s = stage.now_s()
        waits_ms.append(stage.press(key))
        stage.rest(SEES_S)
        stage.rest(pressed_s + 1 / rate - stage.now_s())
    return waits_ms, stage.now_s() - began_s


def report(waits_ms: Sequence[float | None], took_s: float) -> str:
    """The table."""
    seen = np.array([wait_ms for wait_ms in waits_ms if wait_ms is not None])
    p50, p95, most = np.percentile(seen, [50, 95, 100], method="higher") if len(seen) else [float("nan")] * 3
    return (
        "      n    p50 ms    p95 ms    max ms  no new picture  presses/s\n"
        f"{len(seen):7}  {p50:8.1f}  {p95:8.1f}  {most:8.1f}  {len(waits_ms) - len(seen):14}  "
        f"{len(waits_ms) / took_s:9.2f}\n"
    )


def headers(context: BrowserContext, given: Sequence[str]) -> None:
    """Send these with every request."""
    pairs = [line.partition(":") for line in given]
    context.set_extra_http_headers({name.strip(): value.strip() for name, _, value in pairs})


def step(text: str) -> str:
    """A step of --before, checked."""
    if text.partition(":")[0] not in STEPS or not text.partition(":")[2]:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no step; one is click:SELECTOR, press:KEY, type:TEXT, wait:SECONDS"
        )
    return text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--keys", nargs="+", default=["f", "j"], help="pressed in turn, as Playwright names them (f j)")
    parser.add_argument("--image", default="img, canvas", metavar="CSS", help="the largest visible one is the picture")
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=4.0, help="presses a second, at most")
    parser.add_argument("--rtt-ms", type=float, default=200.0, help="added to each request")
    parser.add_argument("--before", nargs="+", type=step, default=[], metavar="STEP", help="steps to the first picture")
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="for every request")
    given = parser.parse_args()
    with sync_playwright() as playwright, launched(playwright) as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        headers(context, given.header)
        stage = Stage(context.new_page(), given.image, given.rtt_ms)
        stage.open(given.url, given.before)
        sys.stdout.write(report(*measure(stage, given.keys, given.answers, given.rate)))


if __name__ == "__main__":
    main()

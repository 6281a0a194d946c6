"""How smoothly the map of a folder moves: the times of the frames while a hand drags it, and how soon it settles.

    python -m tests.benchmarks.browser.panning [--images 10000 100000 1000000]

The points are made up and given to the page in the place of the server's. Chromium runs without a GPU.
"""

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Route, expect, sync_playwright

from tests.benchmarks.browser.chromium import launched
from tests.serving import Serving, serving, until

CLUSTERS = 40
FRAMES = 180
ZOOM_KEYS = 6  # presses of +, each 1.4 times larger
UNKNOWN = 255
PATIENCE_MS = 30_000
DRAG = """async (frames) => {
  const canvas = document.getElementById("map-plane");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  canvas.setPointerCapture = () => undefined; // there is no pointer that could be captured
  const point = (type, clientX, clientY) => canvas.dispatchEvent(
    new PointerEvent(type, { pointerId: 1, pointerType: "mouse", button: 0, clientX, clientY, bubbles: true }));
  const frame = () => new Promise(requestAnimationFrame);
  point("pointerdown", x, y);
  const times = [];
  let last = await frame();
  for (let n = 0; n < frames; n++) {
    point("pointermove", x + 150 * Math.sin(n / 12), y + 90 * Math.cos(n / 9));
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  const let_go = performance.now();
  point("pointerup", x, y);
  while (canvas.dataset.settled !== "true") await frame();
  return { times, settled: performance.now() - let_go };
}"""


def points(images: int, seed: int = 0) -> bytes:
    """Images in clouds, most of them open, as the server packs them."""
    random = np.random.default_rng(seed)
    centres = random.uniform(-0.8, 0.8, (CLUSTERS, 2))
    cluster = random.integers(0, CLUSTERS, images).astype("u1")
    places = np.clip(centres[cluster] + random.normal(0, 0.08, (images, 2)), -1, 1)
    x, y = (np.round(places.T * 32767)).astype("<i2")
    answer = random.choice(4, images, p=[0.9, 0.01, 0.085, 0.005]).astype("u1")
    probability = random.integers(0, UNKNOWN, images).astype("u1")
    prior = np.full(images, UNKNOWN, "u1")
    return b"".join(array.tobytes() for array in (x, y, answer, probability, prior, cluster))


def overview(images: int) -> dict[str, Any]:
    """What the server says of such a map."""
    return {"images": images, "placed": images, "generation": 1, "method": "pca", "clusters": [], "coming": None}


def measured(server: Serving, browser: Browser, images: int, ratio: int) -> list[dict[str, float]]:
    """Frame times in milliseconds, of the whole map and of a part of it; `ratio`: device pixels to a CSS pixel."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, device_scale_factor=ratio)
    page = context.new_page()
    content, said = points(images), overview(images)

    def say(route: Route) -> None:
        route.fulfill(json=said)

    def give(route: Route) -> None:
        route.fulfill(body=content, content_type="application/octet-stream")

    page.route("**/api/map", say)
    page.route("**/api/map/points*", give)
    page.goto(str(server.client.base_url))
    expect(page.locator('#image[data-painted="true"]')).to_be_visible()
    page.keyboard.press("v")
    found = []
    for presses in (0, ZOOM_KEYS):
        expect(page.locator('#map-plane[data-settled="true"]')).to_be_visible(timeout=PATIENCE_MS)
        for _ in range(presses):
            page.keyboard.press("+")
        expect(page.locator('#map-plane[data-settled="true"]')).to_be_visible(timeout=PATIENCE_MS)
        drag = page.evaluate(DRAG, FRAMES)
        median, p95 = np.percentile(drag["times"], [50, 95])
        found.append({"median": float(median), "p95": float(p95), "settled": drag["settled"]})
    page.unroute_all(behavior="ignoreErrors")
    context.close()
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="How smoothly the map of a folder moves.")
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    arguments = parser.parse_args()
    line = "{:>9} {:>6} {:>6} {:>12} {:>9} {:>12}\n"
    sys.stdout.write(line.format("images", "pixels", "part", "median (ms)", "p95 (ms)", "settled (ms)"))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        Image.new("RGB", (64, 48)).save(data / "one.jpg")
        with serving(Path(folder) / "run", data) as server, sync_playwright() as driver, launched(driver) as browser:
            until(lambda: server.session.queue.left == 1)
            for images, ratio in itertools.product(arguments.images, (1, 2)):
                for part, times in zip(("all", "zoom"), measured(server, browser, images, ratio), strict=True):
                    figures = (f"{times[name]:.1f}" for name in ("median", "p95", "settled"))
                    sys.stdout.write(line.format(images, f"x{ratio}", part, *figures))
                    sys.stdout.flush()


if __name__ == "__main__":
    main()

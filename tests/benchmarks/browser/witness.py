"""A witness that shares no code with the page: which picture was really on the screen, from when to when.

The pictures carry their number in sixteen squares, so that what was seen is read from the pixels on the stage.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Page

SQUARES = 4
SQUARE_PX = 80
MOST = 1 << SQUARES**2

SCRIPT = r"""
(() => {
  if (window !== window.top) return;
  const known = new WeakMap(); // what an element showed when it was last looked at
  const paints = new MessageChannel();
  let current = null; // what is on the stage: picture, serial, from (null until it has been painted)
  let serial = 0;
  const tell = (event) => void window.witness(event);
  const absolute = (time_ms) => performance.timeOrigin + time_ms;

  function read(element) {
    const before = known.get(element);
    if (before?.source === element.currentSrc) return before.picture;
    const canvas = new OffscreenCanvas(40, 40).getContext("2d", { willReadFrequently: true });
    canvas.drawImage(element, 0, 0, 40, 40);
    const { data } = canvas.getImageData(0, 0, 40, 40);
    let picture = 0;
    for (let bit = 0; bit < 16; bit += 1) {
      const place = 4 * (40 * (10 * Math.floor(bit / 4) + 5) + 10 * (bit % 4) + 5);
      if (data[place + 1] > 127) picture += 1 << bit;
    }
    known.set(element, { source: element.currentSrc, picture });
    return picture;
  }

  function seen() {
    const element = document.querySelector("#image");
    if (document.visibilityState !== "visible" || !(element instanceof HTMLImageElement)) return null;
    if (!element.complete || element.naturalWidth === 0) return null;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return null;
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const width = Math.min(right, innerWidth) - Math.max(left, 0);
    const height = Math.min(bottom, innerHeight) - Math.max(top, 0);
    return width > 1 && height > 1 ? read(element) : null;
  }

  function end(time_ms) {
    if (current !== null && current.from !== null)
      tell({ kind: "gone", picture: current.picture, from: absolute(current.from), to: absolute(time_ms) });
    current = null;
  }

  function begin() {
    current.from = performance.now();
    tell({ kind: "shown", picture: current.picture, at: absolute(current.from) });
  }

  function frame() {
    requestAnimationFrame(frame);
    if (current !== null && current.from === null) begin(); // the frame before has been painted
    const picture = seen();
    if (picture === (current?.picture ?? null)) return;
    end(performance.now()); // until this frame is painted the one before is on the screen
    if (picture === null) return;
    current = { picture, serial: ++serial, from: null };
    paints.port2.postMessage(serial); // arrives after this frame has been painted
  }

  paints.port1.onmessage = ({ data }) => {
    if (current?.serial === data && current.from === null) begin();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") end(performance.now());
  });
  window.addEventListener("keydown", (event) => {
    const picture = current?.from != null ? current.picture : null;
    const isReady = document.querySelector('#image[data-painted="true"]') !== null;
    tell({ kind: "press", key: event.key, at: absolute(event.timeStamp), picture, isReady });
  }, { capture: true });
  requestAnimationFrame(frame);
})();
"""


@dataclass(frozen=True)
class Showing:
    """A picture was on the screen without a break; times in seconds of the system's clock."""

    picture: int
    from_s: float
    to_s: float


@dataclass(frozen=True)
class Press:
    """A key press as the page got it.

    Attributes:
        picture: what was on the screen at that moment; None: nothing, or something not painted yet.
        is_ready: whether the page itself said that it was painted.
    """

    key: str
    at_s: float
    picture: int | None
    is_ready: bool


@dataclass
class Witness:
    """What was seen and pressed on a page, also across its reloads."""

    showings: list[Showing] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    on_shown: Callable[[int, float], object] = lambda picture, at_s: None
    current: int | None = None
    since_s: float = 0.0

    def watch(self, page: Page) -> None:
        """Note what this page shows from its next document on."""
        page.expose_function("witness", self._note)
        page.add_init_script(SCRIPT)

    def seconds(self) -> dict[int, float]:
        """For how long each picture was on the screen, in all."""
        total: dict[int, float] = {}
        for showing in self.showings:
            total[showing.picture] = total.get(showing.picture, 0.0) + showing.to_s - showing.from_s
        return total

    def _note(self, event: dict[str, object]) -> None:
        picture = event["picture"]
        if event["kind"] == "press":
            self.presses.append(
                Press(str(event["key"]), _seconds(event["at"]), _number(picture), bool(event["isReady"]))
            )
        elif event["kind"] == "gone":
            self.showings.append(Showing(_number(picture) or 0, _seconds(event["from"]), _seconds(event["to"])))
            self.current = None
        else:
            self.current, self.since_s = _number(picture), _seconds(event["at"])
            self.on_shown(self.current or 0, self.since_s)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _seconds(value: object) -> float:
    assert isinstance(value, int | float)
    return value / 1000


@dataclass(frozen=True)
class Stored:
    """An answer as the server lists it."""

    picture: int
    label: str
    source: str


def stored(client: httpx.Client) -> list[Stored]:
    """All answers that stand, oldest first."""
    found: list[Stored] = []
    while True:
        page = client.get("/api/annotations", params={"limit": 1000, "offset": len(found)}).raise_for_status().json()
        found += [
            Stored(number_of(answer["path"]), answer["label"], answer["source"]) for answer in page["annotations"]
        ]
        if not page["annotations"]:
            return found[::-1]


def number_of(path: str) -> int:
    """The number of a picture that `make` wrote."""
    found = re.search(r"(\d+)\.png$", path)
    if found is None:
        raise ValueError(f"{path} is none of the numbered pictures")
    return int(found[1])


def make(folder: Path, count: int, positives: Collection[int] = ()) -> None:
    """Write numbered pictures; the positive ones are on red, the others on blue ground."""
    if count > MOST:
        raise ValueError(f"only {MOST} pictures can be told apart")
    folder.mkdir(parents=True)
    for number in range(count):
        squares = np.zeros((SQUARES, SQUARES, 3), np.uint8)
        squares[..., 0 if number in positives else 2] = 255
        bits = number >> np.arange(SQUARES**2) & 1
        squares[..., 1] = 255 * bits.reshape(SQUARES, SQUARES)
        pixels = squares.repeat(SQUARE_PX, 0).repeat(SQUARE_PX, 1)
        kind = "positive" if number in positives else "negative"
        Image.fromarray(pixels).save(folder / f"{kind} {number:05d}.png")

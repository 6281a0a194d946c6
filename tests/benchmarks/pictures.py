"""How long a person waits for a large picture: rendered when it is asked for, and prepared while another was looked at.

`python -m tests.benchmarks.pictures [--images 24]` makes photos of 12 megapixels on the spot, serves them, and asks one
after another at size 1280, cold and prepared.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.serving import Serving, serving, until

SIZE_PX = 1280


def make(folder: Path, images: int) -> None:
    """Photos of 4000 x 3000 with some grain: about 4 MB each, as cameras write them."""
    random = np.random.default_rng(0)
    for number in range(images):
        coarse = Image.fromarray(random.integers(0, 255, (30, 40, 3), dtype=np.uint8)).resize((4000, 3000))
        grain = random.integers(-12, 13, (3000, 4000, 1))
        pixels = np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg", quality=90)


def first_byte_ms(server: Serving, image: int) -> float:
    """Milliseconds from the request to the first byte of the picture."""
    began = time.perf_counter()
    with server.client.stream("GET", f"/api/images/{image}?size={SIZE_PX}") as response:
        next(response.iter_raw())
        return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=24)
    images = parser.parse_args().images
    with tempfile.TemporaryDirectory() as place:
        datadir, run = Path(place) / "data", Path(place) / "run"
        datadir.mkdir()
        make(datadir, images)
        rows = {"cold": _cold(run, datadir, images), "prepared": _prepared(Path(place) / "other", datadir, images)}
    sys.stdout.write("| 12 megapixels at size 1280 | first byte, median | longest |\n|---|---|---|\n")
    for name, times in rows.items():
        sys.stdout.write(f"| {name} | {statistics.median(times):.1f} ms | {max(times):.1f} ms |\n")


def _cold(run: Path, datadir: Path, images: int) -> list[float]:
    """Each rendered when it is asked for; the workers are warm."""
    with serving(run, datadir) as server:
        until(lambda: not server.session.images.listing)
        server.session.ahead.close()
        server.client.get("/api/images/0?size=64")
        return [first_byte_ms(server, image) for image in range(images)]


def _prepared(run: Path, datadir: Path, images: int) -> list[float]:
    """One is asked for, then the others when they are ready."""
    with serving(run, datadir) as server:
        until(lambda: not server.session.images.listing)
        server.client.get(f"/api/images/0?size={SIZE_PX}")
        until(lambda: len(list((run / "cache" / "previews").glob("*.preview"))) == images, deadline_s=10 * images)
        return [first_byte_ms(server, image) for image in range(1, images)]


if __name__ == "__main__":
    main()

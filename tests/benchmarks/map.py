"""How long the map takes: its layout, its routes, and one answer for many images while others answer.

    python -m tests.benchmarks.map layout --images 100000
    python -m tests.benchmarks.map routes --images 1000000 --answers 100000

`layout` lays out synthetic embeddings, once by each method. `routes` serves a folder of links with a synthetic layout,
asks for the map, and answers many images in one request; meanwhile other images are answered one by one.
"""

import argparse
import resource
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np

from IA.embedding.cache import Embeddings
from IA.layout import finder as finder_module
from IA.layout.finder import LayoutFinder
from IA.pool.pool import Pool
from IA.protocol import pickle_file
from IA.protocol.files import LAYOUT
from IA.protocol.shown import Layout
from tests.benchmarks.finish import predict, served
from tests.benchmarks.scale import make_files
from tests.serving import until

CLUSTERS = 50
DIMENSION = 1280
CHUNK = 20_000
PATIENCE_S = 3600.0
PAUSE_S = 0.02
ROUNDS = 5


def line(what: str, figure: str) -> None:
    """Print a row of the table."""
    print(f"| {what} | {figure} |", flush=True)  # noqa: T201 - the table is what it is for


class LargePool(Pool):
    """A pool whose images need no files."""

    def come(self, images: int) -> None:
        """Let so many images come and be embedded: `CLUSTERS` crowds."""
        random = np.random.default_rng(0)
        centres = random.normal(size=(CLUSTERS, DIMENSION)).astype(np.float32)
        self._keys = np.arange(1, images + 1).astype(np.uint64)
        self._failed, self._rows = np.zeros(images, np.uint64), np.full(images, -1, np.int64)
        self.probability = np.full(images, np.nan, np.float32)
        for start in range(0, images, CHUNK):
            numbers = np.arange(start, min(start + CHUNK, images))
            noise = random.normal(size=(len(numbers), DIMENSION)).astype(np.float32)
            self.add(numbers, centres[numbers % CLUSTERS] + noise)
        self.enter(self.space(CHUNK))


def layout(images: int) -> None:
    """Lay out so many images by each method."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place)
        pool = LargePool(Embeddings(run / "cache", DIMENSION))
        pool.come(images)
        finder = LayoutFinder(run)

        def by(method: str) -> Callable[[], bool]:
            def is_there() -> bool:
                while finder.turn(pool, "b", False, lambda: False):
                    pass
                found = pickle_file.read(run, LAYOUT).content
                return found.method == method and bool(np.isfinite(np.asarray(found.x)).all())

            return is_there

        for method in (finder_module.PCA, finder_module.TSNE):
            began_s = time.perf_counter()
            until(by(method), PATIENCE_S)
            line(f"layout of {images:,} images by {method}", f"{time.perf_counter() - began_s:.1f} s")
        child = resource.getrusage(resource.RUSAGE_CHILDREN)
        line("processor time of the process that lays out", f"{child.ru_utime + child.ru_stime:.1f} s")
        began_s = time.perf_counter()
        x = np.zeros(images, np.float32).data
        pickle_file.publish(run, LAYOUT, Layout(x, x, "pca"))
        line("to publish layout.pickle", f"{1000 * (time.perf_counter() - began_s):.0f} ms")
        finder.close()


def routes(images: int, answers: int) -> None:
    """Ask a server with so many images for its map, and answer many of them at once."""
    with tempfile.TemporaryDirectory() as place:
        folder, run = Path(place) / "folder", Path(place) / "run"
        make_files(folder, images)
        run.mkdir()
        random = np.random.default_rng(0)
        with served(folder, run) as (client, _):
            predict(run, images)
            places = np.clip(random.normal(0, 0.3, (2, images)), -1, 1).astype(np.float32)
            pickle_file.publish(run, LAYOUT, Layout(places[0].data, places[1].data, "tsne"))
            until(lambda: client.get("/api/status").json()["map"] is not None, PATIENCE_S)
            line("clusters, the first time", milliseconds(lambda: client.get("/api/map"), 1))
            line("clusters, later", milliseconds(lambda: client.get("/api/map")))
            line("points", milliseconds(lambda: client.get("/api/map/points")))
            found = client.get("/api/map/points")
            line("points, MB", f"{len(found.content) / 1e6:.1f}")
            tag = {"if-none-match": found.headers["etag"]}
            line("points that have not changed", milliseconds(lambda: client.get("/api/map/points", headers=tag)))
            chosen = random.choice(images, answers, replace=False).tolist()
            first = {"images": chosen}
            line(f"{answers:,} asked first", milliseconds(lambda: client.post("/api/map/first", json=first), 1))
            line("others' answers before, median and slowest", waits(client, images, lambda: time.sleep(3)))
            body = {"images": chosen, "label": "negative", "client": "map", "id": str(uuid.uuid4())}
            work = timed(lambda: client.post("/api/map/answers", json=body))
            line("others' answers meanwhile", waits(client, images, work))
            line(f"one answer for {answers:,} images", work.took)
            work = timed(lambda: client.post("/api/undo", json={"client": "map"}))
            line("others' answers during the undo", waits(client, images, work))
            line("its undo", work.took)


class timed:
    """A request that is made in a thread, and how long it took."""

    def __init__(self, request: Callable[[], httpx.Response]) -> None:
        self._request = request
        self.took = ""

    def __call__(self) -> None:
        """Make it."""
        self.took = milliseconds(self._request, 1)


def milliseconds(request: Callable[[], httpx.Response], rounds: int = ROUNDS) -> str:
    """How long a request takes, the median of some."""
    took = []
    for _ in range(rounds):
        began_s = time.perf_counter()
        answer = request()
        took.append(1000 * (time.perf_counter() - began_s))
        if answer.is_error:
            answer.raise_for_status()
    return f"{np.median(took):.0f} ms"


def waits(client: httpx.Client, images: int, work: Callable[[], None]) -> str:
    """How long single answers wait for their acknowledgement while some work goes on."""
    thread, took = threading.Thread(target=work), []
    thread.start()
    with httpx.Client(base_url=client.base_url, timeout=PATIENCE_S, trust_env=False) as other:
        while thread.is_alive():
            image = int(np.random.default_rng().integers(images))
            began_s = time.perf_counter()
            other.post("/api/annotations", json={"image": image, "label": "positive"}).raise_for_status()
            took.append(1000 * (time.perf_counter() - began_s))
            time.sleep(PAUSE_S)
    return f"{np.median(took):.0f} ms, {max(took):.0f} ms"


def main() -> None:
    """Measure one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["layout", "routes"])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=10_000)
    given = parser.parse_args()
    if given.what == "layout":
        layout(given.images)
    else:
        routes(given.images, given.answers)


if __name__ == "__main__":
    main()

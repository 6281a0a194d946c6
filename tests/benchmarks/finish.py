"""How long answers take while the model labels many images, and what the export of that costs.

    python -m tests.benchmarks.finish --images 300000

Makes a folder of links and a run with synthetic predictions, serves it in a process of its own, and answers image after
image: first undisturbed, then while a finish is written, then while it is taken away. A table is printed.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np

from config import ROOT
from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS
from IA.protocol.records import Predictions
from tests.benchmarks.scale import make_files
from tests.processes.suite import free_port
from tests.serving import until

PATIENCE_S = 300.0
PAUSE_S = 0.005
UNDISTURBED = 500


@contextlib.contextmanager
def served(folder: Path, run: Path) -> Iterator[tuple[httpx.Client, int]]:
    """The annotation server alone; a client, and its process."""
    port = free_port()
    command = [sys.executable, "-m", "backend", "127.0.0.1", str(port), str(folder), "--run", str(run)]
    process = subprocess.Popen([*command, "--no-ai", "--no-token", "--audit", "0"], cwd=ROOT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False) as client:
            until(lambda: process.poll() is None and is_listed(client), PATIENCE_S)
            yield client, process.pid
    finally:
        process.terminate()
        process.wait()


def is_listed(client: httpx.Client) -> bool:
    """Whether the server is there and knows all images."""
    try:
        status = client.get("/api/status").json()
    except httpx.TransportError:
        return False
    return bool(status["images"] and not status["listing"])


def predict(run: Path, images: int) -> None:
    """Predictions as inference would publish them."""
    probability = np.random.default_rng(0).beta(0.3, 2, images).astype(np.float32)
    novelty, nothing = np.zeros(images, np.float32).data, np.zeros(0, np.int32).data
    checkpoint = {"generation": 1, "labels": 100, "threshold": 0.4, "metrics": {}}
    pickle_file.publish(run, PREDICTIONS, Predictions(probability.data, novelty, nothing, images, 100, checkpoint))


def answers(client: httpx.Client, begin: int, goes_on: Callable[[int], bool]) -> list[float]:
    """Seconds that each answer took, one after another."""
    took_s: list[float] = []
    while goes_on(len(took_s)):
        body = {"image": begin + len(took_s), "label": "negative", "client": "me"}
        began_s = time.perf_counter()
        client.post("/api/annotations", json=body).raise_for_status()
        took_s.append(time.perf_counter() - began_s)
        time.sleep(PAUSE_S)
    return took_s


def memory_mb(pid: int) -> float:
    """What the process holds now."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def row(name: str, took_s: list[float]) -> None:
    """One line of the table."""
    p50, p99 = np.percentile(took_s, [50, 99]) * 1000
    sys.stdout.write(f"{name:28} {len(took_s):7} {p50:7.1f} {p99:7.1f} {max(took_s) * 1000:7.1f}\n")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, run = Path(name) / "images", Path(name) / "run"
        make_files(folder, given.images)
        with served(folder, run) as (client, pid):
            predict(run, given.images)
            until(lambda: client.get("/api/finish").json()["checkpoint"], PATIENCE_S)
            began_s = time.perf_counter()
            client.get("/api/finish?threshold=0.3").raise_for_status()
            look_s = time.perf_counter() - began_s
            sys.stdout.write(f"{'':28} answers  p50 ms  p99 ms  max ms\n")
            quiet = answers(client, 0, lambda count: count < UNDISTURBED)
            row("undisturbed", quiet)
            began_s = time.perf_counter()
            client.post("/api/finish", json={"threshold": 0.4, "checkpoint": 1, "anyway": True}).raise_for_status()
            decided_s = time.perf_counter() - began_s
            with httpx.Client(base_url=client.base_url, timeout=PATIENCE_S, trust_env=False) as other:
                during = answers(
                    client, len(quiet), lambda n: n % 50 != 0 or other.get("/api/status").json()["finished"] is None
                )
            write_s = time.perf_counter() - began_s
            row("while labels are written", during)
            before_mb, most_mb, size = memory_mb(pid), 0.0, 0
            began_s = time.perf_counter()
            with client.stream("GET", "/api/export?format=csv") as stream:
                for part in stream.iter_bytes():
                    size, most_mb = size + len(part), max(most_mb, memory_mb(pid))
            export_s = time.perf_counter() - began_s
            client.post("/api/finish/undo").raise_for_status()
            row(
                "while they are taken away",
                answers(client, len(quiet) + len(during), lambda count: count < UNDISTURBED),
            )
        sys.stdout.write(
            f"one look {look_s * 1000:.0f} ms; decided in {decided_s * 1000:.0f} ms; written in {write_s:.1f} s; "
            f"export of {size / 1e6:.0f} MB in {export_s:.1f} s: "
            f"memory {before_mb:.0f} MB before, at most {most_mb:.0f} MB\n"
        )


if __name__ == "__main__":
    main()

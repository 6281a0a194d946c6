"""What of inference gives way to other work on the machine: real threads and processes, as the system sees them."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config import ROOT
from IA.process.priority import NICE
from IA.protocol import pickle_file
from IA.protocol.files import IMAGES, PREDICTIONS, SETTINGS
from IA.protocol.records import Settings
from tests.processes.suite import START_S
from tests.serving import until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority belongs to the whole process"),
]

COUNT = 200
INFERENCE = (
    "import tests.faults.deaths.small_network, IA.inference, IA.process.loop; "
    "IA.process.loop.run_loop(IA.inference.main)"
)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[int]:
    """The process number of an inference that has embedded PNGs, which other processes decode for it."""
    run, folder = tmp_path / "run", tmp_path / "images"
    folder.mkdir()
    run.mkdir()
    noise = np.random.default_rng(0)
    paths = [f"{number:03}.png" for number in range(COUNT)]
    for path in paths:
        Image.fromarray(noise.integers(0, 255, (20, 20, 3), np.uint8)).save(folder / path)
    pickle_file.publish(run, SETTINGS, Settings(str(folder), "tiny", "max_prob", "red", "blue", "1d"))
    pickle_file.publish(run, IMAGES, paths)
    process = subprocess.Popen([sys.executable, "-c", INFERENCE, "--run", str(run)], cwd=ROOT)

    def is_done() -> bool:
        assert process.poll() is None
        with contextlib.suppress(OSError):
            return bool(pickle_file.read(run, PREDICTIONS).content.embedded == COUNT)
        return False

    try:
        until(is_done, START_S)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def test_only_what_embeds_gives_way(embedded: int) -> None:
    """The main thread keeps its priority; threads of the network and processes that decode have a lower one."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    lowered = min(19, own + NICE)
    threads = {int(task.name): _nice(task) for task in Path(f"/proc/{embedded}/task").iterdir()}
    assert threads[embedded] == own
    assert set(threads.values()) == {own, lowered}
    children = [int(child) for task in threads for child in _children(embedded, task)]
    assert children
    assert {_nice(Path(f"/proc/{child}")) for child in children} == {lowered}


def _nice(entry: Path) -> int:
    return int(entry.joinpath("stat").read_text().rsplit(")", 1)[1].split()[16])


def _children(process: int, thread: int) -> list[str]:
    return Path(f"/proc/{process}/task/{thread}/children").read_text().split()

"""What each export takes, with many answers: time, size, and memory beyond what the program takes at rest.

    python -m tests.benchmarks.exports [--answers 1000000] [--formats csv coco] [--tile 6x4] [--roll-up] [--no-exif]

The answers are made up, in a database of their own; the image of each is a hard link to one of a few small JPEGs, or
with --tile a tile of such a one, in any order. Every export runs in a process of its own, reads the database and throws
away what it makes. Memory is what Linux counts, without that of the process that cuts out tiles.
"""

import argparse
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backend.exports import FORMATS, pieces
from backend.exports.pictures import Pictures
from backend.exports.roll_up import RolledUp
from backend.exports.source import Source
from backend.runs.reading import opened
from backend.store.schema import DATABASE, prepare
from IA.images.tiles import Grid
from IA.protocol import pickle_file
from IA.protocol.files import SETTINGS
from IA.protocol.records import Settings
from tests.benchmarks.scale import make_files

LABELS = ("positive", "negative", "negative", "skipped")
ROW = (
    "INSERT INTO answers (id, path, label, source, client, shown_ms, probability, time, checkpoint)"
    " VALUES (?, ?, ?, 'key', 'client-0123456789', ?, ?, ?, ?)"
)


def make_paths(datadir: Path, answers: int, tile: str) -> list[str]:
    """So many images, made if need be."""
    grid = Grid.from_text(tile)
    if grid is None:
        return make_files(datadir, answers)
    paths = [path for photo in make_files(datadir, -(-answers // len(grid))) for path in grid.paths(photo)]
    random.Random(0).shuffle(paths)
    return paths[:answers]


def make_run(run: Path, datadir: Path, paths: list[str], tile: str = "") -> None:
    """A run with an answer to each of these paths."""
    run.mkdir()
    settings = Settings(str(datadir), "", "max_prob", "hat", "no hat", "benchmark", run=str(run), tile=tile)
    pickle_file.publish(run, SETTINGS, settings)
    with contextlib.closing(sqlite3.connect(run / DATABASE, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        prepare(connection)
        connection.execute("BEGIN")
        connection.executemany(ROW, map(_row, range(len(paths)), paths))
        connection.execute("COMMIT")


def _row(number: int, path: str) -> tuple[object, ...]:
    label, probability = LABELS[number % len(LABELS)], number % 1000 / 999
    return f"{number:032x}", path, label, 300 + number % 977, probability, 1.7e9 + number, number // 50


def measure(run: Path, format: str, roll_up: bool, exif: bool) -> None:
    """Make one export, in this process, and print its row."""
    reading = opened(run)
    before_bytes = forget_most_bytes()
    began_s, cpu_s, size = time.perf_counter(), time.process_time(), 0
    moment = reading.moment(by_path=FORMATS[format].tree is not None and reading.settings.tile != "" and not roll_up)
    answers = RolledUp(moment) if roll_up else moment
    source = Source(
        answers, "hat", "no hat", Pictures(reading.datadir, reading.inside), is_rolled_up=roll_up, reads_exif=exif
    )
    for piece in pieces(FORMATS[format].lines(source)):
        size += len(piece)
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    growth_bytes = most_bytes() - before_bytes
    sys.stdout.write(
        f"{format:14}{len(moment):>10}{took_s:>9.1f}{cpu_s:>9.1f}{size / 1e6:>10.1f}{growth_bytes / 1e6:>10.1f}\n"
    )


def forget_most_bytes() -> int:
    """What this process has in memory; from now on `most_bytes` is the most that it had since then."""
    Path("/proc/self/clear_refs").write_text("5")  # else it begins with what the process had that started this one
    return memory_bytes("VmRSS")


def most_bytes() -> int:
    """The most memory that this process had."""
    return memory_bytes("VmHWM")


def memory_bytes(name: str) -> int:
    """A figure of this process, as Linux tells it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Measure them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--tile", default="", help="answers to tiles of this grid")
    parser.add_argument("--roll-up", action="store_true", help="an answer a photo")
    parser.add_argument("--no-exif", action="store_true", help="without what cameras said of the photos")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure, given.formats[0], given.roll_up, not given.no_exif)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_paths(folder / "images", given.answers, given.tile)
        make_run(folder / "run", folder / "images", paths, given.tile)
        heads = ("answers", 10), ("s", 9), ("cpu s", 9), ("MB", 10), ("growth MB", 10)
        sys.stdout.write(f"{'format':14}{''.join(head.rjust(width) for head, width in heads)}\n")
        sys.stdout.flush()
        for format in given.formats:
            command = [sys.executable, "-m", __spec__.name, "--measure", str(folder / "run"), "--formats", format]
            command += ["--roll-up"] if given.roll_up else []
            command += ["--no-exif"] if given.no_exif else []
            subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


if __name__ == "__main__":
    main()

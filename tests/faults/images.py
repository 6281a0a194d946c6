"""Images that bite: whatever is in the folder, each file is shown or counted unreadable, and every process lives on.

Scale 1 takes about forty minutes on two cores: 17 kinds x 50 files, 6,000 damaged ones, thirty bombs, decoders
that crash and hang, links, and paths in requests.
"""

import contextlib
import io
import os
import socket
import stat
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from IA.images.workers import MEMORY_BYTES
from IA.protocol.files import IMAGES, PREDICTIONS
from IA.protocol.pickle_file import read
from tests.faults.pictures import bombs, zoo
from tests.faults.pictures.faulty import faulty_decoders
from tests.faults.pictures.leaving import links, paths
from tests.faults.pictures.watching import ROLES, Watch
from tests.faults.report import Row, skipped
from tests.processes.suite import START_S, Suite, running
from tests.serving import until

CLIENTS = 4
SETTLED_S = 3600.0
SERVER_MB, LOOP_MB = 400, 2000
MAGIC = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG",
    "image/gif": b"GIF8",
    "image/bmp": b"BM",
    "image/webp": b"RIFF",
}


@dataclass
class Outcome:
    """What became of the files of a folder.

    Attributes:
        files: how many there were.
        shown: numbers of those that the server showed, as a picture that Pillow opens.
        refused: those that it called unreadable.
        wrong: what else it did.
        unscored: numbers of those that inference called unreadable.
    """

    files: int
    shown: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    unscored: set[int] = field(default_factory=set)

    @property
    def unlike(self) -> set[int]:
        """Those of which server and inference say different things."""
        return self.refused ^ self.unscored


def rows(scale: float) -> Iterator[Row]:
    """One row a figure."""
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of damaged files that are opened here, to see what was shown
    yield from _zoo(max(1, round(50 * scale)), max(20, round(6000 * scale)))
    yield from _bombs()
    yield from _specials()
    yield from _crashes()
    yield from links(max(20, round(2000 * scale)))
    yield from paths()


# --- everything that people have --------------------------------------------------------------------------------------


def _zoo(per_kind: int, mutants: int) -> Iterator[Row]:
    with _place() as place:
        count = zoo.lay(place / "data", zoo.files(per_kind))
        count += zoo.lay(place / "data", zoo.mutants(mutants))
        what = f"{len(zoo.KINDS)} kinds x {per_kind} files, {mutants} damaged ones"
        yield from _judged(place, count, what)


def _bombs() -> Iterator[Row]:
    with _place() as place:
        names = bombs.lay(place / "data")
        for number in range(20):
            Image.new("RGB", (64, 48), (10 * number, 0, 0)).save(place / "data" / f"good-{number}.jpg")
        yield from _judged(place, len(names) + 20, f"{len(names)} bombs among 20 pictures")


def _judged(place: Path, count: int, what: str) -> Iterator[Row]:
    """Have a whole session deal with the folder, and say what came of it."""
    with running(place / "run", place / "data", "--finetune", "off") as suite:
        until(suite.all_run, START_S)
        with Watch(suite) as watch:
            outcome = judge(suite, count)
        restarts = suite.terminal().count("starting it again")
        names = read(suite.run, IMAGES).content
        told = len(watch.failed)
    silent = outcome.files - len(outcome.shown) - len(outcome.refused)
    unlike = [names[number] for number in sorted(outcome.unlike)]
    yield Row(
        f"{what}: shown, or counted unreadable",
        "all",
        f"{len(outcome.shown)} shown, {len(outcome.refused)} unreadable, {silent} neither {outcome.wrong[:3] or ''}",
        silent == 0 and not outcome.wrong,
    )
    yield Row(f"{what}: server and inference disagree", "0", f"{len(unlike)} {unlike[:5] or ''}", not unlike)
    yield Row(f"{what}: processes that ended", "0", str(restarts), restarts == 0)
    bounds = {"server": SERVER_MB, "decoder": MEMORY_BYTES // 2**20}
    yield Row(
        f"{what}: most memory",
        f"server {SERVER_MB} MB, each decoder {bounds['decoder']:,} MB, each loop {LOOP_MB:,} MB",
        watch.memory,
        set(watch.peaks_mb) == set(ROLES.values())
        and all(peak <= bounds.get(role, LOOP_MB) for role, peak in watch.peaks_mb.items()),
    )
    yield Row(
        f"{what}: the page meanwhile",
        "every request answered",
        f"{watch.asked} requests, {told} failed, the longest {watch.longest_s:.2f} s",
        watch.asked > 0 and not told,
    )


def judge(suite: Suite, count: int) -> Outcome:
    """Wait until inference has looked at all of the files, and ask the server for each of them in two sizes."""
    until(lambda: suite.status()["images"] == count and suite.status()["listing"] is False, START_S)
    outcome = Outcome(count)
    with ThreadPoolExecutor(CLIENTS) as clients:
        for number, verdict in enumerate(clients.map(lambda number: _ask(suite, number), range(count))):
            if verdict == "shown":
                outcome.shown.add(number)
            elif verdict == "unreadable":
                outcome.refused.add(number)
            else:
                outcome.wrong.append(f"{number}: {verdict}")
    until(lambda: _is_embedded(suite, count), SETTLED_S)
    outcome.unscored = set(read(suite.run, PREDICTIONS).content.unreadable)
    return outcome


def _is_embedded(suite: Suite, count: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        predictions = read(suite.run, PREDICTIONS).content
        return predictions.embedded + len(predictions.unreadable) == count
    return False


def _ask(suite: Suite, number: int) -> str:
    """What the server says of one image: "shown", "unreadable", or what is wrong."""
    verdicts = set()
    for query in ("?size=640", ""):
        response = suite.client.get(f"/api/images/{number}{query}", timeout=600)
        media_type = response.headers["content-type"]
        if response.status_code == 415:
            verdicts.add("unreadable")
        elif response.status_code != 200:
            verdicts.add(f"status {response.status_code}")
        elif not response.content.startswith(MAGIC.get(media_type, b"\0")):
            verdicts.add(f"served as {media_type}")
        else:
            with Image.open(io.BytesIO(response.content)) as picture:
                verdicts.add("shown" if not query or max(picture.size) <= 640 else f"of size {picture.size}")
    return " and ".join(sorted(verdicts))


# --- what is no file, or not yet --------------------------------------------------------------------------------------


def _specials() -> Iterator[Row]:
    """Names of images that are no regular files are not listed; a file that grows is shown once it is whole."""
    with _place() as place, socket.socket(socket.AF_UNIX) as listener:
        data = place / "data"
        Image.new("RGB", (64, 48)).save(data / "good.jpg")
        os.mkfifo(data / "pipe.jpg")
        listener.bind(str(data / "socket.png"))
        (data / "folder.jpg").mkdir()
        (data / "circle.gif").symlink_to(data / "circle.gif")
        (data / "itself").symlink_to(data)
        kinds = ["a pipe", "a socket", "a folder", "links in a circle"]
        with contextlib.suppress(PermissionError):
            os.mknod(data / "zero.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 5))
            kinds.append("a device")
        whole = bombs.encoded(zoo.photo(zoo.generator(0), 2000, 1500), "JPEG")
        with running(place / "run", data) as suite:
            until(suite.all_run, START_S)
            for end in range(0, len(whole), len(whole) // 20):
                with (data / "growing.jpg").open("ab") as file:
                    file.write(whole[end : end + len(whole) // 20])
                time.sleep(0.1)  # as a slow camera writes it
            outcome = Outcome(0)

            def is_settled() -> bool:
                nonlocal outcome
                outcome = judge(suite, 2)
                return len(outcome.shown) == 2 and not outcome.unlike

            with contextlib.suppress(AssertionError):
                until(is_settled, START_S)
            restarts = suite.terminal().count("starting it again")
        yield Row(
            f"named as an image: {', '.join(kinds)}; and a file that grows in twenty steps",
            "none listed; shown once it is whole; 0 processes ended",
            f"{outcome.files} listed, {len(outcome.shown)} shown, {restarts} ended",
            len(outcome.shown) == 2 and restarts == 0,
        )
    if os.getuid() == 0:
        yield from skipped("a file that may not be read", "this is root, who may read everything")
        return
    with _place() as place:
        Image.new("RGB", (64, 48)).save(place / "data" / "good.jpg")
        Image.new("RGB", (64, 48)).save(place / "data" / "closed.jpg")
        (place / "data" / "closed.jpg").chmod(0)
        with running(place / "run", place / "data") as suite:
            until(suite.all_run, START_S)
            until(lambda: _is_embedded(suite, 2), START_S)
            closed = read(suite.run, IMAGES).content.index("closed.jpg")
            status = suite.client.get(f"/api/images/{closed}?size=640").status_code
            unscored = list(read(suite.run, PREDICTIONS).content.unreadable)
        yield Row(
            "a file that may not be read",
            "404, unscored",
            f"{status}, {unscored}",
            status == 404 and unscored == [closed],
        )


# --- decoders that do not come back -----------------------------------------------------------------------------------


def _crashes() -> Iterator[Row]:
    """Decoders are replaced by some that crash, hang or fill the memory for marked files."""
    marks = ["crash.jpg", "crash-too.jpg", "crash.png", "eat.png", "hang.png"]
    with _place() as place:
        for number in range(60):
            Image.new("RGB", (64, 48), (4 * number, 0, 0)).save(place / "data" / f"good-{number}.jpg")
        with faulty_decoders(place, place / "data", marks):
            ended: list[int] = []
            for _ in range(2):  # and what was learnt of a file holds after the next start
                with running(place / "run", place / "data", "--finetune", "off") as suite:
                    until(suite.all_run, START_S)
                    before = suite.terminal().count("starting it again")
                    with Watch(suite, answers=False) as watch:
                        outcome = judge(suite, 60 + len(marks))
                    ended.append(suite.terminal().count("starting it again") - before)
                    names = read(suite.run, IMAGES).content
    refused = {names[number] for number in outcome.refused}
    what = "decoders that crash (3 files), fill the memory (1), hang (1), among 60 pictures"
    yield Row(
        f"{what}: unreadable",
        "these 5, by server and inference alike",
        f"{sorted(refused)}; {len(outcome.unlike)} not alike {outcome.wrong or ''}",
        refused == set(marks) and not outcome.unlike and not outcome.wrong,
    )
    yield Row(
        f"{what}: processes that ended",
        "at most 2 (a plain JPEG takes inference along, once); 0 after the next start",
        f"{ended[0]}, then {ended[1]}",
        ended[0] <= 2 and ended[1] == 0,
    )
    yield Row(
        f"{what}: the page meanwhile",
        "every request answered",
        f"{watch.asked} requests, {len(watch.failed)} failed, the longest {watch.longest_s:.2f} s",
        not watch.failed,
    )


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    """An empty folder with a folder `data` in it."""
    with tempfile.TemporaryDirectory(prefix="faults-images-") as place:
        (Path(place) / "data").mkdir()
        yield Path(place).resolve()

"""Power cuts: a real server under load on a real ext4, whose power is cut at a random moment.

Every answer that was acknowledged has to be there when the power is back, and so have the choice of a strategy, the
run's identity and its token. The same is tried with one protection at a time taken out: then harm must be done.

Scale 1 takes about a quarter of an hour on two cores.
"""

import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.deaths.crippled import FSYNCS
from tests.faults.deaths.disk import disk, why_not
from tests.faults.deaths.lives import Tally, live_and_die
from tests.faults.deaths.nursery import Nursery
from tests.faults.deaths.served import START_S, Served, unreadable
from tests.faults.report import Row, skipped

CUTS = 1000
CRIPPLED_CUTS = 60
LEAST_CRIPPLED = 20  # fewer may do no harm by chance


def rows(scale: float) -> Iterator[Row]:
    """The cuts, and those with a protection taken out."""
    cuts, crippled = max(round(CUTS * scale), 1), max(round(CRIPPLED_CUTS * scale), LEAST_CRIPPLED)
    reason = why_not()
    if reason is not None:
        yield from skipped(f"{cuts} power cuts", reason)
        return
    with Nursery("backend.server") as nursery:
        for without in ("", *FSYNCS):
            try:
                tally = cut(nursery, crippled if without else cuts, without)
            except subprocess.CalledProcessError as error:
                yield from skipped(f"{cuts} power cuts", f"no loop device: {error.stderr.decode().strip()}")
                return
            if without:
                yield Row(f"{tally.ends} power cuts without {without}", "harm", str(tally), tally.harmful > 0)
            else:
                yield Row(f"{tally.ends:,} power cuts under load", "0 lost, 0 torn", str(tally), not tally.harmful)


def cut(nursery: Nursery, cuts: int, without: str = "", seed: int = 0) -> Tally:
    """Cut the power so often.

    Args:
        nursery: has imported the server.
        cuts: how often.
        without: the protection that is taken out of the server, if any.
        seed: of everything drawn at random.
    """
    with tempfile.TemporaryDirectory() as folder, disk(Path(folder)) as power:

        def cut_once(served: Served) -> list[str]:
            served.freeze()  # else an fsync under way returns as if it were done, which nobody hears in a power cut
            power.cut()
            served.end()
            power.unmount()
            power.mount()
            return unreadable(served.run)

        def make(name: str, seed: int) -> Served:
            return Served(nursery, power.place / name, Path(folder) / f"images-{name}", seed)

        return live_and_die(make, cuts, cut_once, random.Random(seed), START_S, without)

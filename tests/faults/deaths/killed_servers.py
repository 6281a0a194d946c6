"""Kill -9 of the server at random moments, while it starts and while people answer."""

import random
import tempfile
from functools import partial
from pathlib import Path

from tests.faults.deaths.lives import Tally, live_and_die
from tests.faults.deaths.nursery import Nursery
from tests.faults.deaths.served import START_S, Served, kill_once


def kill_servers(kills: int, without: str = "", seed: int = 0) -> Tally:
    """Kill the server so often.

    Args:
        kills: how often.
        without: the protection that is taken out of it, if any.
        seed: of everything drawn at random.
    """
    with Nursery("backend.server") as nursery, tempfile.TemporaryDirectory() as folder:
        make = partial(_served, nursery, Path(folder))
        return live_and_die(make, kills, kill_once, random.Random(seed), START_S, without)


def _served(nursery: Nursery, folder: Path, name: str, seed: int) -> Served:
    return Served(nursery, folder / name, folder / f"images-{name}", seed)

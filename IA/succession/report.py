"""networks.pickle: which network is in force, which one comes behind it, and how far that one is."""

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

from IA.pool.scorer import Scorer
from IA.protocol.files import NETWORKS
from IA.protocol.pickle_file import publish
from IA.protocol.records import Networks

log = logging.getLogger(__name__)

EVERY_S = 2.0  # While only the count of embedded images changes, it is published this often.


@dataclass(frozen=True)
class Standing:
    """What there is to report.

    Attributes:
        asked: the setting `network`.
        network: the network in force.
        behind: the scorer behind it; None: there is none yet.
        name: of the network behind; "": there is none yet.
        is_decided: whether it was compared with the network in force, or there is none.
        takes_over: whether it takes over as soon as it has embedded every image.
        note: what else is to be said of it.
    """

    asked: str
    network: str
    behind: Scorer | None
    name: str
    is_decided: bool
    takes_over: bool
    note: str


class NetworkReport:
    """Publishes networks.pickle when it changes."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._last: Networks | None = None
        self._published_s = 0.0

    def publish(self, standing: Standing) -> None:
        """Publish what has changed; a full disk is one warning."""
        pool = None if standing.behind is None else standing.behind.pool
        embedded = 0 if pool is None else pool.embedded
        images = embedded if pool is None else embedded + len(pool.missing())
        now = Networks(
            asked=standing.asked,
            network=standing.network,
            behind="" if pool is None else standing.name,
            embedded=embedded,
            images=images,
            is_decided=standing.is_decided,
            note=standing.note or _note(standing, embedded, images),
        )
        if now == self._last or (self._is_count(now) and time.monotonic() - self._published_s < EVERY_S):
            return
        self._last, self._published_s = now, time.monotonic()
        try:
            publish(self._run, NETWORKS, now)
        except OSError as error:
            log.warning("%s could not be published (%s)", NETWORKS.name, error)

    def _is_count(self, now: Networks) -> bool:
        """Whether only the count differs from what was published last, and it has not come to its end."""
        if self._last is None or now.embedded == now.images:
            return False
        same = {"embedded": 0, "images": 0, "note": ""}
        return replace(now, **same) == replace(self._last, **same)  # type: ignore[arg-type]


def _note(standing: Standing, embedded: int, images: int) -> str:
    if standing.behind is None:
        return ""
    percent = f"{100 * embedded // images} %" if images else "nothing"
    then = "takes over when all is read" if standing.takes_over else "takes over if it is better"
    return f"{standing.name}: {percent} read, {then}."

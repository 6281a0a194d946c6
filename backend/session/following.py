"""What the other loops have published: a thread follows their files and hands each new version to who needs it."""

import threading
from collections.abc import Mapping
from pathlib import Path

from backend.map.folder_map import FolderMap
from backend.previews.ahead import Ahead
from backend.questions.explanations import ExplanationCache
from backend.questions.first import First
from backend.questions.queue import Queue
from backend.questions.similar import Likes
from backend.session.changes import Changes
from backend.session.marking import Marking
from backend.session.near_duplicates import NearDuplicates
from backend.session.settings import CurrentSettings
from IA.protocol import watching
from IA.protocol.files import DUPLICATES, EXPLANATIONS, HELD_OUT, LAYOUT, NETWORKS, PREDICTIONS, RANKING, SIMILAR
from IA.protocol.pickle_file import Version
from IA.protocol.records import Networks, Predictions, Ranking
from IA.protocol.shown import Explanations
from IA.protocol.watching import Latest

FILES = (HELD_OUT, DUPLICATES, PREDICTIONS, RANKING, EXPLANATIONS, SIMILAR, LAYOUT, NETWORKS)


class Following:
    """Follows the files of trainer, inference and selector.

    Attributes:
        predictions: what inference has published last; None before the first.
        ranking: what the selector has published last; None before the first.
        networks: what inference says of the networks; None before it has said anything.
        held_out: by path the probability that a model gave which had not learnt the answer.
    """

    def __init__(
        self,
        run: Path,
        settings: CurrentSettings,
        queue: Queue,
        first: First,
        marking: Marking,
        near_duplicates: NearDuplicates,
        explanations: ExplanationCache,
        likes: Likes,
        folder_map: FolderMap,
        ahead: Ahead,
        changes: Changes,
        stop: threading.Event,
    ) -> None:
        """Be ready to start; `stop` ends the thread."""
        self.predictions: Version[Predictions] | None = None
        self.ranking: Version[Ranking] | None = None
        self.networks: Networks | None = None
        self.held_out: Mapping[str, float] = {}
        self._explanations = explanations
        self._likes = likes
        self._map = folder_map
        self._explained: Version[Explanations] | None = None
        self._run = run
        self._settings = settings
        self._queue = queue
        self._first = first
        self._marking = marking
        self._near_duplicates = near_duplicates
        self._ahead = ahead
        self._changes = changes
        self._stop = stop
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def _follow(self) -> None:
        held_out, duplicates = Latest(self._run, HELD_OUT), Latest(self._run, DUPLICATES)
        predictions, ranking = Latest(self._run, PREDICTIONS), Latest(self._run, RANKING)
        explanations, similar = Latest(self._run, EXPLANATIONS), Latest(self._run, SIMILAR)
        layout = Latest(self._run, LAYOUT)
        networks = Latest(self._run, NETWORKS)
        for _ in watching.changes(self._run, *(file.name for file in FILES), stop=self._stop):
            self.held_out = held_out.content() or {}
            if (found := duplicates.version()) is not None and self._settings.now.alike != "off":
                self._near_duplicates.take(found)
            self._take_predictions(predictions.version())
            self._take_ranking(ranking.version())
            self._likes.take(similar.version())
            self._take_explanations(explanations.version())
            self._map.take_layout(layout.version())
            self._take_networks(networks.content())

    def _take_predictions(self, version: Version[Predictions] | None) -> None:
        if version is None or version is self.predictions:
            return
        self.predictions = version
        self._map.take_predictions(version)
        checkpoint = version.content.checkpoint
        self._queue.score(version.content.probability, checkpoint["generation"] if checkpoint else None)
        self._first.follow(version.content.probability)
        self._marking.take_unscorable(version.content.unreadable)
        self._changes.notify()

    def _take_ranking(self, version: Version[Ranking] | None) -> None:
        if version is None or version is self.ranking:
            return
        self.ranking = version
        self._queue.rank(version.content)
        self._ahead.wake()
        self._changes.notify()

    def _take_networks(self, networks: Networks | None) -> None:
        if networks != self.networks:
            self.networks = networks
            self._changes.notify()

    def _take_explanations(self, version: Version[Explanations] | None) -> None:
        if version is not None and version is not self._explained:
            self._explanations.take(version.content)
            self._explained = version

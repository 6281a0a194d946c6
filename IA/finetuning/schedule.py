"""When the backbone is to be fine-tuned: starts `IA.finetuning` in a process of its own as soon as it is due."""

import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from IA.embedding.engine import best_device
from IA.finetuning.checkpoint import only_writer
from IA.protocol.files import FINE_TUNING, PREDICTIONS
from IA.protocol.records import Settings
from IA.protocol.watching import Latest

log = logging.getLogger(__name__)

FIRST_ANSWERS = 500
LEAST_OF_A_KIND = 25  # of the rarer answer: a fifth of them are held out
AGAIN = 1.5  # times as many answers as at the last time
MODERATE_IMAGES = 20_000  # that a processor embeds anew within minutes


class Tuner:
    """At most one fine-tuning at a time."""

    def __init__(self, run: Path, datadir: Path | None) -> None:
        self._arguments = ["--run", str(run), *(["--datadir", str(datadir)] if datadir else [])]
        self._last = Latest(run, FINE_TUNING)
        self._predictions = Latest(run, PREDICTIONS)
        self._tried = 0  # answers at the last start, however it ended
        self._process: subprocess.Popen[bytes] | None = None
        with only_writer(run):  # there may never be another to sweep what a killed one left
            pass

    def consider(self, settings: Settings, base: str, labels: Mapping[str, bool]) -> None:
        """Start a fine-tuning if these answers are enough, and if it is in nobody's way.

        Args:
            settings: of the run.
            base: fingerprint of the backbone to begin with.
            labels: the answers.
        """
        if self._process is not None and self._process.poll() is not None:
            if self._process.returncode:
                log.warning("fine-tuning ended with code %d", self._process.returncode)
            self._process = None
        if self._process is None and self._is_due(base, labels) and self._is_welcome(settings):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "IA.finetuning", *self._arguments], stdin=subprocess.DEVNULL
            )
            self._tried = len(labels)
            log.info("fine-tuning on %d answers, process %d", len(labels), self._process.pid)

    def close(self) -> None:
        """End what is running; nothing of it is kept."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _is_due(self, base: str, labels: Mapping[str, bool]) -> bool:
        positives = sum(labels.values())
        if len(labels) < FIRST_ANSWERS or min(positives, len(labels) - positives) < LEAST_OF_A_KIND:
            return False
        last = self._last.content()
        learnt = last.labels if last is not None and last.base == base else 0
        return len(labels) >= AGAIN * max(learnt, self._tried)

    def _is_welcome(self, settings: Settings) -> bool:
        """With auto: a GPU is there, or everything is embedded and can be so again within minutes."""
        if settings.finetune != "auto" or best_device().type != "cpu":
            return settings.finetune != "off"
        predictions = self._predictions.content()
        return predictions is not None and not predictions.missing and predictions.embedded <= MODERATE_IMAGES

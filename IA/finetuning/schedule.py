"""Starts `IA.finetuning` in a process of its own as soon as a fine-tuning is due."""

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

FIRST_ANSWERS = 500  # The first fine-tuning waits for this many answers.
LEAST_OF_A_KIND = 25  # This many of the rarer answer are needed, as a fifth of them is held out.
AGAIN = 1.5  # The next fine-tuning waits for this many times the answers of the last one.
MODERATE_IMAGES = 20_000  # A processor embeds this many images anew within minutes.


class Tuner:
    """At most one fine-tuning at a time."""

    def __init__(self, run: Path, datadir: Path | None) -> None:
        self._arguments = ["--run", str(run), *(["--datadir", str(datadir)] if datadir else [])]
        self._last = Latest(run, FINE_TUNING)
        self._predictions = Latest(run, PREDICTIONS)
        self._tried = 0  # How many answers there were at the last start, however it ended.
        self._process: subprocess.Popen[bytes] | None = None
        with only_writer(run):  # Delete what a killed fine-tuning left; there may never be another one to do it.
            pass

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """The fine-tuning that was started last; None before there was one, and after its end was noticed."""
        return self._process

    def consider(self, settings: Settings, base: str, labels: Mapping[str, bool]) -> None:
        """Start a fine-tuning if it is due by these answers, and welcome.

        Args:
            settings: of the run.
            base: fingerprint of the backbone to begin with.
            labels: the answers.
        """
        if self._process is not None and self._process.poll() is not None:
            if self._process.returncode:
                log.warning("fine-tuning ended with code %d", self._process.returncode)
            self._process = None
        if self._process is None and self._is_due(base, labels) and self.is_welcome(settings):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "IA.finetuning", *self._arguments], stdin=subprocess.DEVNULL
            )
            self._tried = len(labels)
            log.info("fine-tuning on %d answers, process %d", len(labels), self._process.pid)

    def close(self) -> None:
        """End the fine-tuning that is running; nothing of it is kept."""
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

    def is_welcome(self, settings: Settings) -> bool:
        """Whether the settings allow it; with auto, it needs a GPU or a complete pool of moderate size."""
        if settings.finetune != "auto" or best_device().type != "cpu":
            return settings.finetune != "off"
        predictions = self._predictions.content()
        return predictions is not None and not predictions.missing and predictions.embedded <= MODERATE_IMAGES

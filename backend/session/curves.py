"""TensorBoard's curves of the audit: the server writes an event file; trouble with it never stops an answer."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

log = logging.getLogger(__name__)

EVERY_S = 10.0
AUDIT = {
    "to_find_low": ("to_find", "low"),
    "to_find_high": ("to_find", "high"),
    "recall_low": ("recall", "low"),
    "recall_high": ("recall", "high"),
    "certificate_answers": ("certificate", "answers"),
    "model_precision_low": ("model", "precision", "low"),
    "model_precision_high": ("model", "precision", "high"),
    "model_recall_low": ("model", "recall", "low"),
    "model_recall_high": ("model", "recall", "high"),
}
"""The name of each curve, and where its figure stands in the audit's part of the statistics."""


def figures(audit: Mapping[str, Any]) -> dict[str, float]:
    """The figures by the name of their curve; one that is not known yet is left out."""
    found: dict[str, float] = {}
    for name, way in AUDIT.items():
        value: Any = audit
        for part in way:
            value = value and value[part]
        if value is not None:
            found[f"audit/{name}"] = float(value)
    return found


class Curves:
    """Writes the figures every ten seconds at most, and only when one has changed."""

    def __init__(self, directory: Path, ask: Callable[[], tuple[int, dict[str, float]]]) -> None:
        """Begin to write.

        Args:
            directory: where the event file is; it is begun with the first figure.
            ask: gives the step, which is the number of answers, and the figures by name.
        """
        self._directory = directory
        self._ask = ask
        self._file: BinaryIO | None = None
        self._written: dict[str, float] = {}
        self._is_failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="curves", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is new, and end the file."""
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._write()
        self._write()
        if self._file is not None:
            self._file.close()

    def _write(self) -> None:
        step, now = self._ask()
        if step == 0 or now == self._written:
            return
        try:
            self._put({name: value for name, value in now.items() if value != self._written.get(name)}, step)
            self._written, self._is_failing = now, False
        except OSError as error:
            if not self._is_failing:
                log.warning("Nothing can be written for TensorBoard (%s); trying again later", error)
            self._is_failing = True
            with contextlib.suppress(OSError):
                if self._file is not None:
                    self._file.close()
            self._file = None  # A record may be torn, so what follows goes into a new file.

    def _put(self, changed: Mapping[str, float], step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event  # Only this needs them: 0.1 s and 6 MB.
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        events = []
        if self._file is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}"
            self._file = (self._directory / name).open("xb")
            events.append(Event(wall_time=time.time(), file_version="brain.Event:2"))
        values = [Summary.Value(tag=name, simple_value=value) for name, value in changed.items()]
        events.append(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
        records = RecordWriter(self._file)
        for event in events:
            records.write(event.SerializeToString())
        records.flush()

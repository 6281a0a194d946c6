"""What TensorBoard shows of the training: figures over the number of answers, curves and the worst mistakes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.tensorboard import SummaryWriter

from IA.images.decoding import pixels
from IA.images.pictures import UnreadableError
from IA.learning.events import Events
from IA.learning.learner import Learner

MISTAKES = 8
# Mistakes are shown every 25 answers, later whenever a tenth more have come: decoding takes a moment, and the event
# file is never deleted.
MISTAKES_EVERY = 25
SIDE_PX = 192


class Report:
    """The event file of the trainer; the step of every figure is the number of learnt answers."""

    def __init__(self, directory: Path) -> None:
        self._events = Events(directory)
        self._curved = self._pictured = 0

    def show(
        self,
        learner: Learner[str],
        labels: Mapping[str, bool],
        datadir: Path,
        milliseconds: float,
        inside: Path | None = None,
    ) -> None:
        """Write what was learnt.

        Args:
            learner: has learnt from the answers.
            labels: of the learnt answers, by path.
            datadir: the image folder.
            milliseconds: how long learning took.
            inside: a folder that the files of shown pictures must lie in; None: anywhere.
        """
        self._events.write(lambda writer: self._show(writer, learner, labels, datadir, milliseconds, inside))

    def close(self) -> None:
        """End the event file."""
        self._events.close()

    def _show(
        self,
        writer: SummaryWriter,
        learner: Learner[str],
        labels: Mapping[str, bool],
        datadir: Path,
        milliseconds: float,
        inside: Path | None,
    ) -> None:
        step = len(labels)
        writer.add_scalar("labels/count", step, step)
        writer.add_scalar("labels/positive", sum(labels.values()), step)  # over the steps, the curve of recall
        writer.add_scalar("training/loss", learner.training_loss(labels), step)
        writer.add_scalar("training/fit_ms", milliseconds, step)
        for name, value in learner.figures.items():
            writer.add_scalar(f"validation/{name}", value, step)
        held_out = {path: predicted for path, predicted in learner.held_out.items() if path in labels}
        if held_out and abs(step - self._curved) > self._curved // 10:
            self._curved = step
            truth = torch.tensor([labels[path] for path in held_out])
            writer.add_pr_curve("validation/precision_recall", truth, torch.tensor(list(held_out.values())), step)
        if held_out and abs(step - self._pictured) >= max(MISTAKES_EVERY, self._pictured // 10):
            self._pictured = step
            self._show_mistakes(writer, held_out, labels, datadir, inside)

    def _show_mistakes(
        self,
        writer: SummaryWriter,
        held_out: Mapping[str, float],
        labels: Mapping[str, bool],
        datadir: Path,
        inside: Path | None,
    ) -> None:
        """Show the pictures whose answers a model that had not learnt them contradicts most."""
        wrong = {path: abs(predicted - labels[path]) for path, predicted in held_out.items()}
        worst = sorted((path for path in wrong if wrong[path] > 0.5), key=lambda path: -wrong[path])[:MISTAKES]
        for rank, path in enumerate(worst):
            try:
                picture = Image.fromarray(pixels(datadir / path, SIDE_PX, inside))
            except (UnreadableError, OSError):
                continue
            square = ImageOps.pad(picture, (SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
            name = f"mistakes/{rank}_{'positive' if labels[path] else 'negative'}"
            writer.add_image(name, np.asarray(square), len(labels), dataformats="HWC")

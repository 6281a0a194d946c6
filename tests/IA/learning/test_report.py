"""What the trainer writes for TensorBoard."""

from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from IA.learning import report
from IA.learning.learner import Learner
from IA.learning.projection import Projection
from IA.learning.report import Report


def test_figures_curve_and_mistakes(images_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has scalars, a precision-recall curve, and the pictures whose answers the model contradicts."""
    monkeypatch.setattr(report, "MISTAKES_EVERY", 1)
    paths = sorted(path.relative_to(images_folder).as_posix() for path in images_folder.rglob("*.png"))
    red = torch.tensor([path.startswith("red") for path in paths])
    vectors = torch.randn(12, 8, generator=torch.Generator().manual_seed(0)) + 4.0 * red[:, None]
    labels = dict(zip(paths, red.tolist(), strict=True)) | {"red/0.png": False}
    learner: Learner[str] = Learner(lambda some: vectors[[paths.index(path) for path in some]])
    assert learner.learn(labels, Projection.from_vectors(vectors))
    shown = Report(tmp_path)
    shown.show(learner, labels, images_folder, milliseconds=3.0)
    shown.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    tags = events.Tags()
    assert {"labels/count", "labels/positive", "training/loss", "training/fit_ms"} <= set(tags["scalars"])
    assert {"validation/average_precision", "validation/accuracy"} <= set(tags["scalars"])
    assert [(event.step, event.value) for event in events.Scalars("labels/positive")] == [(12, 5)]
    assert tags["images"][0] == "mistakes/0_negative"
    assert "validation/precision_recall" in tags["tensors"]

"""Do predictor.ckpt, its exports and the page say the same? python -m tests.benchmarks.agreement RUN [IMAGES].

    bash launch.sh localhost 8077 PHOTOS --run RUN, some answers, Ctrl-C
    python -m tests.benchmarks.agreement RUN 500

Prints the largest difference, and the 99 % quantile, between each pair of: what predictions.pickle says (the page shows
it), `IA.predict` of many images and of few, the exported graph in torch, and ONNX Runtime, on pictures decoded as the
predictor does and in full size. "old Resize" is ONNX's own step for bytes in place of `IA.exporting.resampling`.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from config import UsageError
from IA import model
from IA.export import as_onnx
from IA.exporting.graph import traced
from IA.images.pixels import upright_pixels
from IA.model import Predictor
from IA.process.loop import one_sentence
from IA.protocol.files import IMAGES, PREDICTIONS, PREDICTOR, SETTINGS
from IA.protocol.pickle_file import read

MANY = 500
Prediction = NDArray[np.float64]


def main() -> None:
    """Print the table."""
    if len(sys.argv) not in (2, 3):
        raise UsageError("Name a run: python -m tests.benchmarks.agreement RUN [IMAGES].")
    run, many = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else MANY
    predictor, predictions = Predictor.load(run / PREDICTOR), read(run, PREDICTIONS).content
    if (predictions.checkpoint or {}).get("generation") != predictor.checkpoint.generation:
        raise UsageError(f"The predictions in {run} are of another checkpoint; let the run go on for a moment.")
    datadir, paths = Path(read(run, SETTINGS).content.datadir), read(run, IMAGES).content
    page = np.asarray(predictions.probability, np.float64)
    known = np.flatnonzero(~np.isnan(page))
    numbers = np.random.default_rng(0).choice(known, min(many, len(known)), replace=False)
    files = [datadir / paths[number] for number in numbers]
    size_px = predictor.preprocessing.size_px
    program = traced(predictor)
    graph = program.module()
    session, old = _session(program, predictor), _old_session(predictor)

    def with_engine(least: int) -> Prediction:
        model.MANY = least
        return np.array(predictor.predict(files))

    said = {
        "page": page[numbers],
        "IA.predict, many": _timed("IA.predict, many", lambda: with_engine(1)),
        "IA.predict, few": _timed("IA.predict, few", lambda: with_engine(len(files) + 1)),
        "torch.export": _timed(
            "torch.export",
            lambda: np.array([float(graph(torch.from_numpy(upright_pixels(file, size_px)))[0]) for file in files]),
        ),
        "ONNX": _timed("ONNX", lambda: _onnx(session, files, size_px)),
        "ONNX, full size": _timed("ONNX, full size", lambda: _onnx(session, files, None)),
        "ONNX, old Resize": _timed("ONNX, old Resize", lambda: _onnx(old, files, size_px)),
    }
    sys.stdout.write(f"\n{len(files)} images; largest difference / 99 % quantile, in 1e-6\n\n")
    sys.stdout.write(f"| | {' | '.join(said)} |\n|---|{'---|' * len(said)}\n")
    for name, ours in said.items():
        cells = (np.abs(ours - theirs) for theirs in said.values())
        told = " | ".join(f"{1e6 * cell.max():.0f} / {1e6 * np.quantile(cell, 0.99):.0f}" for cell in cells)
        sys.stdout.write(f"| {name} | {told} |\n")


def _timed(name: str, work: Callable[[], Prediction]) -> Prediction:
    began = time.perf_counter()
    said = work()
    sys.stdout.write(f"{name}: {len(said) / (time.perf_counter() - began):.0f} images/s\n")
    return said


def _session(program: torch.export.ExportedProgram, predictor: Predictor) -> onnxruntime.InferenceSession:
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(as_onnx(program, predictor.checkpoint))
        file.flush()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        return onnxruntime.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])


def _old_session(predictor: Predictor) -> onnxruntime.InferenceSession:
    """With bytes resized by `interpolate`, which becomes Resize."""
    with mock.patch("IA.exporting.graph.resized", _interpolated):
        return _session(traced(predictor), predictor)


def _interpolated(pixels: torch.Tensor, height: int, width: int) -> torch.Tensor:
    size = (height, width)
    picture = pixels[None].to(torch.uint8)
    return torch.nn.functional.interpolate(picture, size, mode="bicubic", antialias=True)[0].float()


def _onnx(session: onnxruntime.InferenceSession, files: list[Path], at_least_px: int | None) -> Prediction:
    return np.array(
        [float(session.run(["probability"], {"image": upright_pixels(file, at_least_px)})[0]) for file in files]
    )


if __name__ == "__main__":
    one_sentence(main)

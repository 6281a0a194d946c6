"""Take a predictor elsewhere: python -m IA.export predictor.ckpt [--to onnx|torch] [--out FILE] [--run RUN]."""

import argparse
import importlib
import io
import json
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch.export import ExportedProgram

from config import UsageError, pip_install
from IA.exporting.card import card
from IA.exporting.evidence import evidence
from IA.exporting.graph import EXAMPLE_PX, traced
from IA.model import Checkpoint, Predictor
from IA.process.loop import one_sentence
from IA.protocol.files import SETTINGS
from IA.protocol.replacement import check_writable, replace

USAGE = "python -m IA.export predictor.ckpt [--to onnx|torch] [--out FILE] [--run RUN]"
SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
OPSET = 18
MOST_BYTES = 2_000_000_000  # an ONNX file may be no longer
OUTPUTS = ["probability", "embedding"]
ABOUT = "about.json"  # a .pt2 file holds this, and an .onnx file has the same as metadata
PACKAGES = ("onnx", "onnxscript")
HOW = (
    "image: (height, width, 3) bytes, RGB, upright, any size; probability: of the positive class, positive from the "
    "threshold on; embedding: of the network. JPEG larger than twice size_px may be decoded at 1/2, 1/4 or 1/8."
)

HOW_TILES = "It has learnt tiles: cut a photo into {} (columns x rows); as probable as its most probable tile it is."


def about(checkpoint: Checkpoint) -> dict[str, str]:
    """The metadata of an exported file, as text."""
    return {
        "classes": json.dumps(checkpoint.classes, ensure_ascii=False),
        "threshold": repr(checkpoint.threshold),
        "labels": str(checkpoint.labels),
        "generation": str(checkpoint.generation),
        "network": checkpoint.network,
        "metrics": json.dumps(checkpoint.metrics),
        "created": checkpoint.created,
        "size_px": str(checkpoint.preprocessing.size_px),
        "tile": checkpoint.tile,
        "usage": f"{HOW} {HOW_TILES.format(checkpoint.tile)}" if checkpoint.tile else HOW,
    }


def as_torch(program: ExportedProgram, checkpoint: Checkpoint) -> bytes:
    """A file that `torch.export.load` reads with torch alone."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={ABOUT: json.dumps(about(checkpoint))})
    return buffer.getvalue()


def as_onnx(program: ExportedProgram, checkpoint: Checkpoint) -> bytes:
    """A file that any ONNX runtime reads.

    Raises:
        UsageError: a package is missing, or ONNX lacks a step of the network.
    """
    _need(PACKAGES)
    if sum(weights.nbytes for weights in program.state_dict.values()) > MOST_BYTES:
        raise UsageError(f"{checkpoint.network} is larger than the 2 GB that an ONNX file may have; use --to torch.")
    picture = torch.zeros(*EXAMPLE_PX, 3, dtype=torch.uint8)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = torch.onnx.export(
                program,
                (picture,),
                input_names=["image"],
                output_names=OUTPUTS,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError, ValueError, TypeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise UsageError(f"{checkpoint.network} has no form in ONNX ({reason}); use --to torch.") from error
    if outcome is None:
        raise UsageError(f"{checkpoint.network} has no form in ONNX; use --to torch.")
    model = outcome.model_proto
    _clean(model)
    for key, value in about(checkpoint).items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString())


def _clean(model: Any) -> None:
    """Name the sizes as people know them, and remove everything about the machine that exports."""
    graph = model.graph
    for name, side in zip(("height", "width"), graph.input[0].type.tensor_type.shape.dim, strict=False):
        side.dim_param = name
    del graph.value_info[:]
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""


def _need(packages: tuple[str, ...]) -> None:
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError:
            raise UsageError(
                f"ONNX takes {package}, which is not installed; {pip_install('export')}, or --to torch."
            ) from None


class _ExportParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[0].upper()}{message[1:]}: {USAGE}.")


def _arguments() -> argparse.Namespace:
    parser = _ExportParser(prog="python -m IA.export", description=__doc__, allow_abbrev=False)
    parser.add_argument("checkpoint", metavar="predictor.ckpt", type=Path)
    parser.add_argument("--to", choices=SUFFIXES, help="what to write (what the end of FILE says, else onnx)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="where to (beside predictor.ckpt)")
    parser.add_argument("--run", metavar="RUN", type=Path, help="the run it comes from, for the card (where it lies)")
    given = parser.parse_args()
    ends = {suffix: kind for kind, suffix in SUFFIXES.items()}
    if given.to is None:
        given.to = "onnx" if given.out is None else ends.get(given.out.suffix)
    if given.out is None:
        given.out = given.checkpoint.with_suffix(SUFFIXES[given.to])
    if given.to is None or given.out.suffix != SUFFIXES[given.to]:
        raise UsageError(f"{given.out} should end in {SUFFIXES.get(given.to, '.onnx or .pt2')}.")
    check_writable(given.out, given.out.with_suffix(".md"))
    if given.run is None and (given.checkpoint.parent / SETTINGS.name).exists():
        given.run = given.checkpoint.parent
    return given


def main() -> None:
    """Write the file and its card, and print their paths."""
    given = _arguments()
    if given.to == "onnx":
        _need(PACKAGES)
    try:
        predictor = Predictor.load(given.checkpoint)
    except (OSError, ValueError) as error:
        raise UsageError(f"{error}") from None
    checkpoint = predictor.checkpoint
    known = None if given.run is None else evidence(given.run, checkpoint.generation, checkpoint.threshold)
    program = traced(predictor)
    data = as_onnx(program, checkpoint) if given.to == "onnx" else as_torch(program, checkpoint)
    text = card(checkpoint, given.out.name, given.out.suffix, known)
    try:
        for path, content in ((given.out, data), (given.out.with_suffix(".md"), text.encode())):
            replace(path, content)
            sys.stdout.write(f"{path}\n")
    except OSError as error:
        raise UsageError(f"{given.out} cannot be written: {error.strerror}.") from None


if __name__ == "__main__":
    one_sentence(main)

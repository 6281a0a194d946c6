"""The files between the processes: their names, schema, atomic replace, restricted reading and watching.

Nobody else opens these files. Each has one writer; each is replaced as a whole, never edited.

| file               | written by | read by                  | holds                                          |
| ------------------ | ---------- | ------------------------ | ---------------------------------------------- |
| settings.pickle    | server     | all loops                | `Settings`: network, strategy, names           |
| images.pickle      | server     | all loops                | the paths below DATADIR; an image's number     |
|                    |            |                          | is its place here, and never changes           |
| annotations.pickle | server     | all loops, users         | `{path: True, False or None (skipped)}` in the |
|                    |            |                          | order answered                                 |
| audit.pickle       | server     | all loops                | of these, the ones that were drawn at random   |
|                    |            |                          | and that the model must not know: IA/asked.py  |
| predictor.ckpt     | trainer    | inference, server, users | the network with its head: IA/model.py         |
| held_out.pickle    | trainer    | server                   | `{path: probability}` of answered images, by a |
|                    |            |                          | head that had not learnt this answer,          |
|                    |            |                          | calibrated on all answers alike                |
| features.pickle    | inference  | trainer                  | `Features`: mean and PCA basis                 |
| duplicates.pickle  | inference  | server, trainer          | `Duplicates`: which images are alike           |
| predictions.pickle | inference  | selector, server         | `Predictions`: probability, novelty            |
| ranking.pickle     | selector   | inference, server        | `Ranking`: what to ask next, best first        |
| explanations.pickle| inference  | server                   | `Explanations`: where the model looks in the   |
|                    |            |                          | next images, and what they are like            |
| wanted.pickle      | server     | inference                | `Wanted`: of which image more are wanted       |
| similar.pickle     | inference  | server                   | `Similar`: the images most like that one       |
| backbone.ckpt      | finetuning | trainer, inference       | a backbone that has learnt from the answers:   |
|                    |            |                          | IA/tuned.py                                    |
| finetuning.pickle  | finetuning | trainer                  | `FineTuning`: what came of it the last time    |

A pickle here holds built-in types only, and behind its STOP a footer that plain `pickle.load` ignores:
magic, format version, generation, length and SHA-256. Arrays are little-endian bytes of a fixed type, read back as
memoryviews ("f": float32, "i": int32, "b": int8) that `numpy.asarray` takes without a copy.
"""

import contextlib
import fcntl
import hashlib
import io
import logging
import os
import pickle
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, Literal, NoReturn, Protocol, TypeVar

import numpy as np
from watchdog.events import FileCreatedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from config import ALIKE, DEFAULT_ALIKE, DEFAULT_AUDIT
from IA import opcodes

log = logging.getLogger(__name__)

Content = TypeVar("Content")
Array = Any
"""Anything with the buffer protocol when written; a one-dimensional memoryview when read."""

PREDICTOR = "predictor.ckpt"
BACKBONE = "backbone.ckpt"
LOOPS = ("trainer", "inference", "selector")

AGAIN_S = 5.0  # a turn is taken so often at least
LABELS = (bool, type(None))  # types of a label in annotations.pickle
FOOTER = struct.Struct("<8sHQQ32s")  # magic, format version, generation, length of the pickle, SHA-256 of all before it
MAGIC = b"IA\x00files"
FORMAT = 1
MOST_BYTES = 2**30  # of a pickle here: some ten million paths
MOST_ALIKE = 100  # images that one question may be about
MOST_SIMILAR = 200  # images that are told to be like another one
MOST = 2**53  # of a count or a generation
NEIGHBOURS = 3  # of either class, in an explanation
LARGEST_MAP = 64  # places on a side
FULL = 127  # what a place of a map says at most, for or against
BAD_PICKLE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    struct.error,
)


@dataclass(frozen=True)
class Settings:
    """What the person chose for this run.

    Attributes:
        datadir: absolute path of the image folder, as the server sees it.
        network: name of the backbone, or a file of weights.
        strategy: what to ask first, one of `config.STRATEGIES`.
        positive: what the positive answer is called.
        negative: what the negative answer is called.
        id: tells this run from any other, also from one that stood in the same place before.
        finetune: whether the backbone is to learn too, one of `config.FINETUNE`.
        run: absolute path of the run directory; where it stands elsewhere now, it was moved or copied.
        follow_links: whether images may lie anywhere that a link in `datadir` leads to.
        audit: share of the questions that are drawn at random, 0 to 1.
        audit_after: what `audit` goes back to once the certificate is given; None: it stays.
        recall: share of the positives that the certificate is about.
        confidence: how certain it is to be.
        alike: whether near duplicates are one question, one of `config.ALIKE`.
        examples: absolute path of a folder of pictures of what is looked for; "": there are none.
        tile: the grid that every photo is cut up by, such as 6x4; "": the images are the photos.
    """

    datadir: str
    network: str
    strategy: str
    positive: str
    negative: str
    id: str
    finetune: str = "auto"
    run: str = ""
    follow_links: bool = False
    audit: float = DEFAULT_AUDIT
    audit_after: float | None = None
    recall: float = 0.95
    confidence: float = 0.95
    alike: str = DEFAULT_ALIKE
    examples: str = ""
    tile: str = ""

    def bounds(self, datadir: Path) -> Path | None:
        """The folder that images may not lie outside of, for a machine that sees them at `datadir`; None: no bounds."""
        return None if self.follow_links else datadir.resolve()


@dataclass(frozen=True)
class Features:
    """What the pool says about the embedding space.

    Attributes:
        backbone: fingerprint of the backbone whose embeddings these are.
        images: how many images the figures rest on.
        mean: (D,) float32, of the embeddings.
        basis: (D * K,) float32, the first K principal directions as columns, row by row.
        rooted: whether the root of each value of an embedding is taken first.
    """

    backbone: str
    images: int
    mean: Array
    basis: Array
    rooted: bool


@dataclass(frozen=True)
class FineTuning:
    """What came of the last fine-tuning.

    Attributes:
        base: fingerprint of the backbone it began with.
        labels: how many positive and negative answers there were.
        before: average precision on answers held out, with that backbone.
        after: the same with the new one.
        certainty: share of resamples of the held-out answers in which the new one is better.
        taken: whether backbone.ckpt was replaced by it.
    """

    base: str
    labels: int
    before: float
    after: float
    certainty: float
    taken: bool


@dataclass(frozen=True)
class Duplicates:
    """Which images are near duplicates of one another.

    Attributes:
        first: (N,) int32, for each image the number of the one that stands for it: itself where it is alone.
            Everybody in a group is alike to that one.
    """

    first: Array


@dataclass(frozen=True)
class Predictions:
    """What the model thinks of every image, with the checkpoint it comes from.

    Attributes:
        probability: (N,) float32, of positive; NaN where not scored, and everywhere before the first checkpoint.
        novelty: (N,) float32, cosine distance to the nearest answered image; NaN where not embedded.
        unreadable: (U,) int32, images that could not be decoded.
        embedded: how many images have an embedding.
        labels: how many positive and negative answers these figures have learnt from.
        checkpoint: the checkpoint's `generation`, `labels`, `threshold`, `metrics`; None before the first.
        missing: how many images are still to be embedded.
        similarity: (N,) float32, the largest cosine to an example of what is looked for, NaN where not embedded; empty
            with a checkpoint, or without examples.
    """

    probability: Array
    novelty: Array
    unreadable: Array
    embedded: int
    labels: int
    checkpoint: dict[str, Any] | None
    missing: int = 0
    similarity: Array = b""


@dataclass(frozen=True)
class Ranking:
    """The images to ask next.

    Attributes:
        images: (R,) int32, numbers of the images without an answer that the model knows of, best first.
        probability: (R,) float32, of positive; NaN where not scored.
        labels: how many positive and negative answers the order has learnt from.
        strategy: which strategy ordered them.
        checkpoint: generation of the checkpoint behind it; None before the first.
    """

    images: Array
    probability: Array
    labels: int
    strategy: str
    checkpoint: int | None


@dataclass(frozen=True)
class Explanations:
    """Why the model thinks so, of a few images.

    Attributes:
        checkpoint: generation of the checkpoint that is explained.
        images: (E,) int32, numbers of the images.
        shapes: (2 E,) int32, height and width of each map; 0 and 0 where there is none.
        maps: (sum of height * width,) int8, one map after the other, row by row, over the upright picture: how much a
            place speaks for positive, or below 0 against it; the furthest from 0 is `FULL` in each map.
        neighbours: (6 E,) int32, for each image the nearest three with a positive and the nearest three with a
            negative answer, the nearest first; -1 where there are fewer.
        similarity: (6 E,) float32, of these, the cosine.
    """

    checkpoint: int
    images: Array
    shapes: Array
    maps: Array
    neighbours: Array
    similarity: Array


@dataclass(frozen=True)
class Wanted:
    """A person wants more images like one of them.

    Attributes:
        image: its number.
        request: tells this wish from any other.
    """

    image: int
    request: str


@dataclass(frozen=True)
class Similar:
    """The images most like the one that was wanted, less those whose answer the model knows.

    Attributes:
        request: the wish that this answers.
        images: (S,) int32, at most `MOST_SIMILAR`, the likest first; empty where the image has no embedding.
        cosine: (S,) float32, of each, in the space of the pool.
    """

    request: str
    images: Array
    cosine: Array


@dataclass(frozen=True)
class PickleFile(Generic[Content]):
    """One file of the protocol: its name, and how its content becomes built-in types and back.

    `unpack` raises ValueError, KeyError or TypeError where the built-in types are not what the schema says.
    """

    name: str
    pack: Callable[[Content], object]
    unpack: Callable[[Any], Content]


@dataclass(frozen=True)
class Version(Generic[Content]):
    """One good version of a file."""

    generation: int
    content: Content


def _array(buffer: Array, kind: str) -> bytes:
    view = memoryview(buffer)
    if view.format.lstrip("<") != kind:
        raise TypeError(f"an array of {view.format!r} where {kind!r} is due")
    return view.tobytes()


def _view(data: object, kind: Literal["f", "i", "b"]) -> Array:
    if not isinstance(data, bytes):
        raise TypeError("an array that is not bytes")
    return memoryview(data).cast(kind)  # TypeError where the length does not fit


def _typed(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise TypeError(f"{type(value).__name__} where {kinds[0].__name__} is due")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < MOST:
        raise ValueError("a count that is no number from 0 up")
    return value


def _finite(array: Array) -> Array:
    if not np.isfinite(np.asarray(array)).all():
        raise ValueError("a figure that is not finite")
    return array


def _within(array: Array, most: float, unknown: bool = False, least: float = 0) -> Array:
    """The array, if all its values are from `least` to `most`; NaN, where `unknown` may be."""
    values = np.asarray(array)
    if not ((values >= least) & (values <= most) | (np.isnan(values) if unknown else False)).all():
        raise ValueError(f"a figure that is not from {least} to {most}")
    return array


def _unpack_paths(data: Any) -> list[str]:
    if not all(type(path) is str for path in _typed(data, list)):
        raise TypeError("a path that is not text")
    paths: list[str] = data
    return paths


def _unpack_annotations(data: Any) -> dict[str, bool | None]:
    if not all(type(path) is str and type(label) in LABELS for path, label in _typed(data, dict).items()):
        raise TypeError("an annotation that is not path: True, False or None")
    return dict(data)


def _unpack_settings(data: Any) -> Settings:
    fields = Settings.__dataclass_fields__
    known = {name: field.default for name, field in fields.items()} | data  # earlier runs do not say all
    kinds: dict[str, tuple[type, ...]] = {name: (str,) for name in fields} | {
        "follow_links": (bool,),
        "audit": (float,),
        "audit_after": (float, type(None)),
        "recall": (float,),
        "confidence": (float,),
    }
    settings = Settings(**{name: _typed(known[name], *kind) for name, kind in kinds.items()})
    shares = (settings.audit, settings.audit_after or 0.0, settings.recall, settings.confidence)
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError("a share that is not from 0 to 1")
    if settings.alike not in ALIKE:
        raise ValueError("an unknown way to find near duplicates")
    return settings


def _pack_features(features: Features) -> dict[str, object]:
    return {
        "backbone": features.backbone,
        "images": features.images,
        "mean": _array(features.mean, "f"),
        "basis": _array(features.basis, "f"),
        "rooted": features.rooted,
    }


def _unpack_features(data: Any) -> Features:
    mean, basis = _finite(_view(data["mean"], "f")), _finite(_view(data["basis"], "f"))
    if not len(mean) or not len(basis) or len(basis) % len(mean):
        raise ValueError("mean and basis do not fit each other")
    return Features(_typed(data["backbone"], str), _count(data["images"]), mean, basis, _typed(data["rooted"], bool))


def _unpack_held_out(data: Any) -> dict[str, float]:
    for path, probability in _typed(data, dict).items():
        if not 0 <= _typed(probability, float) <= 1 or type(path) is not str:
            raise ValueError("held-out figures that are not path: probability")
    return dict(data)


def _unpack_fine_tuning(data: Any) -> FineTuning:
    before, after, certainty = (_typed(data[name], float) for name in ("before", "after", "certainty"))
    base, labels, taken = _typed(data["base"], str), _count(data["labels"]), _typed(data["taken"], bool)
    return FineTuning(base, labels, before, after, certainty, taken)


def _pack_duplicates(duplicates: Duplicates) -> dict[str, object]:
    return {"first": _array(duplicates.first, "i")}


def _unpack_duplicates(data: Any) -> Duplicates:
    first = _view(data["first"], "i")
    values = np.asarray(_within(first, len(first) - 1))
    if (values[values] != values).any():
        raise ValueError("a group whose first image is in another one")
    if len(values) and np.bincount(values).max() > MOST_ALIKE:
        raise ValueError(f"a group of more than {MOST_ALIKE}")
    return Duplicates(first)


def _pack_predictions(predictions: Predictions) -> dict[str, object]:
    return {
        "probability": _array(predictions.probability, "f"),
        "novelty": _array(predictions.novelty, "f"),
        "unreadable": _array(predictions.unreadable, "i"),
        "embedded": predictions.embedded,
        "labels": predictions.labels,
        "checkpoint": predictions.checkpoint,
        "missing": predictions.missing,
        "similarity": _array(predictions.similarity, "f") if len(predictions.similarity) else b"",
    }


def _unpack_predictions(data: Any) -> Predictions:
    probability = _within(_view(data["probability"], "f"), 1, unknown=True)
    novelty = _view(data["novelty"], "f")
    unreadable = _view(data["unreadable"], "i")
    if len(probability) != len(novelty):
        raise ValueError("probability and novelty differ in length")
    _within(unreadable, len(probability) - 1)
    checkpoint = _typed(data["checkpoint"], dict, type(None))
    if checkpoint is not None:
        _count(checkpoint["generation"])
        _count(checkpoint["labels"])
        for name, value in _typed(checkpoint["metrics"], dict).items():
            _typed(name, str)
            _typed(value, float) if type(value) is not int else _count(value)
    embedded, labels, missing = (_count(data[name]) for name in ("embedded", "labels", "missing"))
    similarity = _within(_view(data.get("similarity", b""), "f"), 1, unknown=True, least=-1)  # earlier runs have none
    if len(similarity) not in (0, len(probability)):
        raise ValueError("probability and similarity differ in length")
    return Predictions(probability, novelty, unreadable, embedded, labels, checkpoint, missing, similarity)


def _pack_ranking(ranking: Ranking) -> dict[str, object]:
    return {
        "images": _array(ranking.images, "i"),
        "probability": _array(ranking.probability, "f"),
        "labels": ranking.labels,
        "strategy": ranking.strategy,
        "checkpoint": ranking.checkpoint,
    }


def _unpack_ranking(data: Any) -> Ranking:
    images = _within(_view(data["images"], "i"), MOST)
    probability = _within(_view(data["probability"], "f"), 1, unknown=True)
    if len(images) != len(probability):
        raise ValueError("images and probability differ in length")
    checkpoint = _typed(data["checkpoint"], int, type(None))
    return Ranking(images, probability, _count(data["labels"]), _typed(data["strategy"], str), checkpoint)


def _pack_explanations(explanations: Explanations) -> dict[str, object]:
    return {
        "checkpoint": explanations.checkpoint,
        "images": _array(explanations.images, "i"),
        "shapes": _array(explanations.shapes, "i"),
        "maps": _array(explanations.maps, "b"),
        "neighbours": _array(explanations.neighbours, "i"),
        "similarity": _array(explanations.similarity, "f"),
    }


def _unpack_explanations(data: Any) -> Explanations:
    images = _within(_view(data["images"], "i"), MOST)
    shapes = _within(_view(data["shapes"], "i"), LARGEST_MAP)
    maps = _within(_view(data["maps"], "b"), FULL, least=-FULL)
    neighbours = _within(_view(data["neighbours"], "i"), MOST, least=-1)
    similarity = _within(_view(data["similarity"], "f"), 1, least=-1)
    each = 2 * NEIGHBOURS * len(images)
    if len(shapes) != 2 * len(images) or len(neighbours) != each or len(similarity) != each:
        raise ValueError("images, shapes, neighbours and similarity do not fit each other")
    if int(np.asarray(shapes).reshape(-1, 2).prod(axis=1).sum()) != len(maps):
        raise ValueError("maps and shapes do not fit each other")
    return Explanations(_count(data["checkpoint"]), images, shapes, maps, neighbours, similarity)


def _unpack_wanted(data: Any) -> Wanted:
    return Wanted(_count(data["image"]), _typed(data["request"], str))


def _pack_similar(similar: Similar) -> dict[str, object]:
    return {
        "request": similar.request,
        "images": _array(similar.images, "i"),
        "cosine": _array(similar.cosine, "f"),
    }


def _unpack_similar(data: Any) -> Similar:
    images = _within(_view(data["images"], "i"), MOST)
    cosine = _within(_view(data["cosine"], "f"), 1, least=-1)
    if len(images) != len(cosine) or len(images) > MOST_SIMILAR:
        raise ValueError("images and cosines that do not fit each other, or too many")
    return Similar(_typed(data["request"], str), images, cosine)


SETTINGS = PickleFile[Settings]("settings.pickle", asdict, _unpack_settings)
IMAGES = PickleFile[list[str]]("images.pickle", list, _unpack_paths)
ANNOTATIONS = PickleFile[dict[str, bool | None]]("annotations.pickle", dict, _unpack_annotations)
AUDIT = PickleFile[dict[str, bool | None]]("audit.pickle", dict, _unpack_annotations)
FINE_TUNING = PickleFile[FineTuning]("finetuning.pickle", asdict, _unpack_fine_tuning)
HELD_OUT = PickleFile[dict[str, float]]("held_out.pickle", dict, _unpack_held_out)
FEATURES = PickleFile[Features]("features.pickle", _pack_features, _unpack_features)
DUPLICATES = PickleFile[Duplicates]("duplicates.pickle", _pack_duplicates, _unpack_duplicates)
PREDICTIONS = PickleFile[Predictions]("predictions.pickle", _pack_predictions, _unpack_predictions)
RANKING = PickleFile[Ranking]("ranking.pickle", _pack_ranking, _unpack_ranking)
EXPLANATIONS = PickleFile[Explanations]("explanations.pickle", _pack_explanations, _unpack_explanations)
WANTED = PickleFile[Wanted]("wanted.pickle", asdict, _unpack_wanted)
SIMILAR = PickleFile[Similar]("similar.pickle", _pack_similar, _unpack_similar)
PICKLES = (
    SETTINGS,
    IMAGES,
    ANNOTATIONS,
    AUDIT,
    FINE_TUNING,
    HELD_OUT,
    FEATURES,
    DUPLICATES,
    PREDICTIONS,
    RANKING,
    EXPLANATIONS,
    WANTED,
    SIMILAR,
)

# --- writing ----------------------------------------------------------------------------------------------------------


def replace(path: Path, data: bytes | memoryview, mode: int = 0o666) -> None:
    """Put `data` in place of the file, durably: a reader sees the old file or the new one, also after a power cut.

    Args:
        path: of the file.
        data: all that is to be in it.
        mode: who may read and write it, less the umask.

    Raises:
        OSError: the disk is full or read-only; the old file is untouched, or the new one there but maybe not for good.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None  # a write does not say of which file


def publish(run: Path, file: PickleFile[Content], content: Content) -> int:
    """Replace one of the pickles.

    Returns:
        Its generation: one more than that of the version before.

    Raises:
        OSError: as `replace`.
    """
    data = io.BytesIO()
    pickler = pickle.Pickler(data, protocol=5)
    pickler.fast = True  # no memo, which would take as much memory again as a million paths
    pickler.dump(file.pack(content))
    return publish_pickled(run, file.name, data)


def publish_pickled(run: Path, name: str, data: io.BytesIO) -> int:
    """The same with content that is pickled already; its footer is appended to it."""
    path = run / name
    generation = _generation(path) + 1
    data.seek(0, os.SEEK_END)
    data.write(FOOTER.pack(MAGIC, FORMAT, generation, data.tell(), b"")[:-32])
    data.write(hashlib.sha256(data.getbuffer()).digest())
    replace(path, data.getbuffer())
    return generation


def sweep(run: Path, *names: str) -> None:
    """Remove the temporaries that dead writers of these files left; call it as their only writer."""
    for name in names:
        for temporary in run.glob(f".{name}.*.tmp"):
            temporary.unlink(missing_ok=True)


# --- reading ----------------------------------------------------------------------------------------------------------


class LaterError(ValueError):
    """The file is of a format that is not known yet."""


class _BuiltinsOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"names {module}.{name}, where only built-in types may stand")


def read(run: Path, file: PickleFile[Content]) -> Version[Content]:
    """Read one of the pickles, trusting nothing.

    Raises:
        FileNotFoundError: there is none yet.
        OSError: it cannot be read.
        ValueError: it is torn, foreign or not what the schema says; the sentence names the file.
    """
    path = run / file.name
    try:
        data, generation = _whole(path)
        opcodes.check(data, len(data) - FOOTER.size)
        content = file.unpack(_BuiltinsOnly(io.BytesIO(data)).load())  # ends at its STOP, before the footer
    except BAD_PICKLE as error:
        raise ValueError(f"{path} is not a good {file.name} ({error}).") from None
    return Version(generation, content)


def read_foreign(path: Path) -> object:
    """The built-in types in a pickle, of a run or of another program; a checksum is compared if there is one.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or holds anything else.
    """
    try:
        with _regular(path) as file:
            data = file.read(MOST_BYTES + 1)
        is_ours = MAGIC in data[-FOOTER.size :]
        end = len(_whole(path)[0]) - FOOTER.size if is_ours else len(data)
        if end > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        opcodes.check(data, end, opcodes.FOREIGN)
        content: object = _BuiltinsOnly(io.BytesIO(data)).load()
    except BAD_PICKLE as error:
        raise ValueError(f"{path} is no good pickle ({error}).") from None
    return content


def _whole(path: Path) -> tuple[bytes, int]:
    """The bytes of one of the pickles, and its generation. Raises ValueError where they are not as written."""
    with _regular(path) as file:
        footer, size = _footer(file)
        if size > MOST_BYTES:
            raise ValueError(f"{size} bytes")
        file.seek(0)
        data = file.read(size)
    if len(data) != size or hashlib.sha256(memoryview(data)[:-32]).digest() != footer[-1]:
        raise ValueError("wrong checksum")
    return data, footer[2]


@contextlib.contextmanager
def _regular(path: Path) -> Iterator[BinaryIO]:
    """Open a file, but nothing that would keep us waiting, as a pipe does."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("no regular file")
        yield file


def _footer(file: BinaryIO) -> tuple[tuple[bytes, int, int, int, bytes], int]:
    """The footer, and the size of the whole file. Raises ValueError where the footer is not ours or does not fit."""
    size = file.seek(0, os.SEEK_END)
    if size < FOOTER.size:
        raise ValueError("shorter than its footer")
    file.seek(size - FOOTER.size)
    footer = FOOTER.unpack(file.read(FOOTER.size))
    magic, version, generation, length, _ = footer
    if magic == MAGIC and version > FORMAT:
        raise LaterError("written by a later version of this program")
    if magic != MAGIC or version != FORMAT or length != size - FOOTER.size or generation >= MOST:
        raise ValueError("no footer of ours")
    return footer, size


def _generation(path: Path) -> int:
    """Generation of the version in place; 0 where there is none or its footer is not ours."""
    try:
        with _regular(path) as file:
            return _footer(file)[0][2]
    except (FileNotFoundError, ValueError, struct.error):
        return 0


def is_of_later_version(path: Path) -> bool:
    """Whether a later version of this program wrote this pickle."""
    try:
        with _regular(path) as file:
            _footer(file)
    except LaterError:
        return True
    except (OSError, ValueError, struct.error):
        return False
    return False


Signature = tuple[int, int, int]


def signature(path: Path) -> Signature | None:
    """What tells one version of a file from the next: inode, time of change in ns, size in bytes; None: no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


class Latest(Generic[Content]):
    """The last good version of one pickle: a torn or foreign file is one warning and changes nothing."""

    def __init__(self, run: Path, file: PickleFile[Content]) -> None:
        self._run = run
        self._file = file
        self._seen: Signature | None = None
        self._is_failing = False
        self._version: Version[Content] | None = None

    def version(self) -> Version[Content] | None:
        """The last good version, read again only if the file was replaced; None before the first."""
        now = signature(self._run / self._file.name)
        if now is not None and now != self._seen:
            try:
                self._version = read(self._run, self._file)
                self._is_failing = False
            except FileNotFoundError:
                now = None
            except OSError as error:  # it may be good, and is looked at again
                now = None
                if not self._is_failing:
                    log.warning("%s; the last good version stays in force", error)
                self._is_failing = True
            except ValueError as error:
                log.warning("%s; the last good version stays in force", error)
            self._seen = now
        return self._version

    def content(self) -> Content | None:
        """The content of `version()`."""
        version = self.version()
        return None if version is None else version.content


# --- watching ---------------------------------------------------------------------------------------------------------


class _Wake(FileSystemEventHandler):
    """Sets an event when one of the names is created or replaced; an exception here would end the observer."""

    def __init__(self, names: frozenset[str], event: threading.Event) -> None:
        self._names = names
        self._event = event

    def on_any_event(self, event: FileSystemEvent) -> None:
        target = os.fsdecode(event.dest_path or event.src_path)
        if os.path.basename(target) in self._names:  # noqa: PTH119 - called for every event: no Path needed
            self._event.set()


def observe(
    folder: Path, handler: FileSystemEventHandler, events: list[type[FileSystemEvent]], recursive: bool = False
) -> BaseObserver:
    """A thread that tells the handler of events in a folder, until it is stopped.

    Raises:
        OSError: the system cannot watch: the folder is away, inotify is exhausted; nothing stays behind.
    """
    observer = Observer()
    try:
        observer.schedule(handler, str(folder), recursive=recursive, event_filter=events)
        observer.start()
    except OSError:
        observer.stop()
        raise
    return observer


class Stop(Protocol):
    """What ends a loop; a threading.Event will do."""

    def is_set(self) -> bool:
        """Whether the loop is to end."""


def changes(run: Path, *names: str, stop: Stop, poll_s: float = 0.5, again_s: float = AGAIN_S) -> Iterator[None]:
    """Yield at once, and again whenever one of the files was replaced, until `stop` is set.

    Several replacements while the caller works are one turn. Where the system cannot watch (inotify exhausted,
    network file systems) a look every `poll_s` seconds finds the change.

    Args:
        run: the run directory; it is made where it is missing.
        names: file names in it.
        stop: ends the iteration within `poll_s` seconds.
        poll_s: seconds between two looks.
        again_s: seconds after which to yield although nothing has changed: what has failed is tried again then.
    """
    run.mkdir(parents=True, exist_ok=True)
    wake = threading.Event()
    observer = None
    try:
        observer = observe(run, _Wake(frozenset(names), wake), [FileMovedEvent, FileCreatedEvent])
    except OSError as error:
        log.warning("%s cannot be watched (%s); looking every %.1f s instead", run, error, poll_s)
    try:
        while not stop.is_set():
            wake.clear()
            seen = [signature(run / name) for name in names]
            yield
            ends_s = time.monotonic() + again_s
            while not stop.is_set() and not wake.is_set() and seen == [signature(run / name) for name in names]:
                if time.monotonic() > ends_s:
                    break
                wake.wait(poll_s)
    finally:
        if observer is not None:
            observer.stop()
            observer.join()


# --- one writer a file ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def hold(run: Path, name: str) -> Iterator[bool]:
    """Hold the lock of one loop while the block runs; yields False where another process holds it.

    The system lets go of it when the process ends, however it ends.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / f".{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def is_held(run: Path, name: str) -> bool:
    """Whether the process behind this lock is alive. Raises OSError where that cannot be told."""
    try:
        with (run / f".{name}.lock").open("rb") as file:  # only read, as on a disk that has become read-only
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False

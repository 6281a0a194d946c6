"""Files that lie: every file of a run cut, flipped or forged, through the code that reads it.

Scale 1: each byte of every file cut once (a small network stands for the checkpoints, so that each byte can be), 20,000
flipped bits in pickles and checkpoints, 18,600 more in caches and answers, all attacks, and 120 lies to a running
suite.
"""

import contextlib
import json
import logging
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.previews.cache import PreviewCache
from backend.runs.instructions import NAME, Instructions
from backend.store.labels import Labels
from backend.store.schema import DATABASE
from backend.store.table import Answer, Label
from backend.web.access import token_of
from config import DEFAULT_NETWORK, ROOT, UsageError
from IA.embedding.cache import DamagedError, Embeddings
from IA.finetuning.checkpoint import Tuned
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.model import Checkpoint, Predictor, load_head
from IA.networks import Backbone, build, register
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.files import BACKBONE, PREDICTOR
from IA.protocol.pickle_file import PickleFile
from IA.protocol.watching import Latest
from tests.conftest import tiny
from tests.faults.forgery import attacks
from tests.faults.report import Row
from tests.IA.protocol.test_files import EXAMPLES as PICKLES
from tests.processes.suite import Suite, running
from tests.serving import until

FLIPS = 20_000
MOST_GROWN_MB = 100
Tally = Counter[str]


def rows(scale: float) -> Iterator[Row]:
    """Every figure; at scale 1 about a quarter of an hour on 2 cores."""
    torch.set_num_threads(1)
    register("tiny")(tiny)
    with quiet():
        yield pickles_cut(scale)
        yield pickles_flipped(scale)
        yield pickles_forged()
        yield checkpoints_cut(scale)
        yield checkpoints_flipped(scale)
        yield large_checkpoint(scale)
        yield checkpoints_forged()
        yield not_finite()
        yield embeddings_cut(scale)
        yield embeddings_flipped(scale)
        yield embeddings_flipped_in_use(scale)
        yield previews(scale)
        yield answers_cut(scale)
        yield answers_flipped(scale)
        yield log_flipped(scale)
        yield odd_texts()
    yield from running_suite(scale)


# --- what lies are made of --------------------------------------------------------------------------------------------


def cuts(data: bytes, scale: float) -> Iterator[bytes]:
    """The data cut at each byte, or at every so many."""
    for length in range(0, len(data), max(1, round(1 / scale))):
        yield data[:length]


def flips(data: bytes, count: float, chance: random.Random, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The data with one bit flipped between two places, so many times."""
    for _ in range(max(1, round(count))):
        lie = bytearray(data)
        lie[chance.randrange(begin, len(data) if end is None else end)] ^= 1 << chance.randrange(8)
        yield bytes(lie)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for a while."""
    with tempfile.TemporaryDirectory(prefix="files-that-lie-") as name:
        yield Path(name)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Thousands of warnings that are due: they are counted, not shown."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, [logging.NullHandler()]
    try:
        yield
    finally:
        root.handlers = handlers


class Warnings(logging.Handler):
    """Counts warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        self.count += 1

    def taken(self) -> int:
        """How many since the last time."""
        count, self.count = self.count, 0
        return count


def verdict(tally: Tally, *good: str) -> tuple[str, bool]:
    """What came of all lies, in words, and whether only good things did."""
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(tally.items()))
    return told, bool(tally) and set(tally) <= set(good)


def put(path: Path, data: bytes) -> None:
    """Replace a file as its writer would, in no hurry to have it on the disk."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(data)
    temporary.replace(path)


# --- pickles ----------------------------------------------------------------------------------------------------------


def _to_pickles(lies: Callable[[bytes], Iterable[bytes]]) -> Tally:
    """Tell these lies to a reader of each pickle, as a loop reads; each is looked at twice."""
    tally: Tally = Counter()
    warnings = Warnings()
    with folder() as run:
        for file, content in PICKLES:
            pickle_file.publish(run, file, content)
            latest = Latest(run, file)
            said = file.pack(latest.content())
            for lie in lies((run / file.name).read_bytes()):
                put(run / file.name, lie)
                tally[_believed(latest, file, said, warnings)] += 1
    logging.getLogger().removeHandler(warnings)
    return tally


def _believed(latest: Latest[Any], file: PickleFile[Any], said: object, warnings: Warnings) -> str:
    try:
        content = [latest.content(), latest.content()][-1]
    except Exception as error:  # noqa: BLE001 - whatever comes is what this is to find out
        return f"ended by {type(error).__name__}"
    if content is None or file.pack(content) != said:
        return "WRONG"
    told = warnings.taken()
    return "refused, last good kept, one warning" if told == 1 else f"with {told} warnings"


GOOD_PICKLE = "refused, last good kept, one warning"


def pickles_cut(scale: float) -> Row:
    """Each pickle cut at each byte."""
    told, is_met = verdict(_to_pickles(lambda data: cuts(data, scale)), GOOD_PICKLE)
    return Row("pickles cut at each byte", "0 wrong, one warning each", told, is_met)


def pickles_flipped(scale: float) -> Row:
    """Each pickle with one bit flipped."""
    chance = random.Random(0)
    each = FLIPS / 2 * scale / len(PICKLES)
    told, is_met = verdict(_to_pickles(lambda data: flips(data, each, chance)), GOOD_PICKLE)
    return Row("pickles with one bit flipped", "0 wrong, one warning each", told, is_met)


def _forged(kind: str, files: Iterator[tuple[str, str, bytes]], ran: Path, directory: Path) -> Row:
    """Write forged files, and let another process read them.

    Args:
        kind: of the files, for the row.
        files: name of the attack, of the file, and its bytes.
        ran: exists once code of an attack has run.
        directory: for them.
    """
    for number, (attack, name, data) in enumerate(files):
        place = directory / f"{number:03} {attack.replace('/', ' ')}"
        place.mkdir()
        (place / name).write_bytes(data)
    command = [sys.executable, "-m", "tests.faults.forgery.attacks", str(directory), kind]
    read = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    lines = [json.loads(line) for line in read.stdout.splitlines()]
    outcomes = [line for line in lines if "outcome" in line]
    tally: Tally = Counter(line["outcome"] for line in outcomes)
    if read.returncode:
        tally[f"the reader ended with {read.returncode} at {lines[-1].get('begin')} {read.stderr[-300:]}"] += 1
    if ran.exists():
        tally["CODE RAN"] += 1
    grown = max((line["grown_mb"] for line in outcomes), default=0)
    told, is_met = verdict(tally, "refused")
    bar = f"all refused, 0 code run, < {MOST_GROWN_MB} MB"
    return Row(f"forged {kind}", bar, f"{told}; at most {grown} MB more", is_met and grown < MOST_GROWN_MB)


def pickles_forged() -> Row:
    """Hostile pickles with right footers, in place of each file."""
    with folder() as directory, folder() as run:
        ran = run / "ran"

        def files() -> Iterator[tuple[str, str, bytes]]:
            for file, content in PICKLES:
                pickle_file.publish(run, file, content)
                sound = (run / file.name).read_bytes()[: -pickle_file.FOOTER.size]
                for name, data in attacks.pickles(f"touch {ran}", sound):
                    yield name, file.name, attacks.with_footer(data)
                for name, data in attacks.odd_footers(sound):
                    yield name, file.name, data

        return _forged("pickles", files(), ran, directory)


# --- checkpoints ------------------------------------------------------------------------------------------------------


def predictor_of(network: str) -> Predictor:
    """A predictor that has learnt from a dozen answers."""
    backbone = build(network)
    torch.manual_seed(0)
    vectors = torch.rand(12, backbone.dimension)
    space = Projection.from_vectors(vectors)
    head = Head.fit(space.project(vectors), torch.arange(12) % 2 == 0, space)
    return Predictor(backbone, head, labels=12, metrics={"accuracy": 0.75}, generation=3, created="2026-01-01")


def _head_said(checkpoint: Checkpoint) -> bytes:
    said = {name: value for name, value in vars(checkpoint).items() if name != "head"}
    return repr(said).encode() + _weights(checkpoint.head.state_dict())


def _weights(state: dict[str, torch.Tensor]) -> bytes:
    return b"".join(name.encode() + tensor.contiguous().numpy().tobytes() for name, tensor in sorted(state.items()))


def _predictor_said(predictor: Predictor) -> bytes:
    return _head_said(predictor.checkpoint) + _weights(predictor.state_dict())


def _tuned_said(tuned: Tuned) -> bytes:
    said = (tuned.backbone.name, tuned.backbone.preprocessing, tuned.base, tuned.labels, sorted(tuned.learnt))
    return repr(said).encode() + _weights(tuned.backbone.module.state_dict())


Reader = Callable[[Path], bytes]
READERS: dict[str, list[Reader]] = {
    PREDICTOR: [lambda path: _head_said(load_head(path)), lambda path: _predictor_said(Predictor.load(path))],
    BACKBONE: [lambda path: _tuned_said(Tuned.load(path))],
}


def _backbone_of(predictor: Predictor) -> Backbone:
    network, preprocessing = predictor.checkpoint.network, predictor.preprocessing
    return Backbone(network, predictor.backbone, preprocessing, predictor.head.basis.shape[0])


def _save(name: str, run: Path) -> None:
    predictor = predictor_of("tiny")
    if name == PREDICTOR:
        predictor.save(run / name)
    else:
        Tuned(_backbone_of(predictor), "base", 12, frozenset({"a.jpg", "b.jpg"})).save(run / name)


def _to_checkpoints(lies: Callable[[bytes], Iterable[bytes]]) -> Tally:
    tally: Tally = Counter()
    with folder() as run:
        for name, readers in READERS.items():
            _save(name, run)
            sound = [reader(run / name) for reader in readers]
            for lie in lies((run / name).read_bytes()):
                put(run / name, lie)
                tally.update(_taken(reader, run / name, said) for reader, said in zip(readers, sound, strict=True))
    return tally


def _taken(reader: Reader, path: Path, said: bytes) -> str:
    try:
        return "with the same content" if reader(path) == said else "WRONG"
    except ValueError as error:
        return "refused" if "\n" not in str(error) and path.name in str(error) else f"refused with {str(error)!r}"
    except Exception as error:  # noqa: BLE001 - whatever comes is what this is to find out
        return f"ended by {type(error).__name__}"


def checkpoints_cut(scale: float) -> Row:
    """Each checkpoint cut at each byte, through every reader of it."""
    told, is_met = verdict(_to_checkpoints(lambda data: cuts(data, scale)), "refused")
    return Row("predictor.ckpt and backbone.ckpt cut at each byte (small network)", "all refused", told, is_met)


def checkpoints_flipped(scale: float) -> Row:
    """Each checkpoint with one bit flipped; what only names dates and gaps between members changes nothing."""
    chance = random.Random(1)
    tally = _to_checkpoints(lambda data: flips(data, FLIPS / 4 * scale, chance))
    told, is_met = verdict(tally, "refused", "with the same content")
    return Row("predictor.ckpt and backbone.ckpt with one bit flipped (small network)", "0 wrong", told, is_met)


def large_checkpoint(scale: float) -> Row:
    """The checkpoint of the default network: its directory and its structure closely, the rest now and then."""
    chance = random.Random(2)
    tally: Tally = Counter()
    with folder() as run:
        path = run / PREDICTOR
        predictor_of(DEFAULT_NETWORK).save(path)
        data = path.read_bytes()
        sound = [reader(path) for reader in READERS[PREDICTOR]]
        count = max(1, round(50 * scale))
        some = [
            *flips(data, count, chance),
            *flips(data, count, chance, end=60_000),
            *flips(data, count, chance, begin=len(data) - 40_000),
            *(data[: chance.randrange(len(data))] for _ in range(count)),
            *(data[: len(data) - 1 - chance.randrange(40_000)] for _ in range(count)),
        ]
        for lie in some:
            put(path, lie)
            tally.update(_taken(reader, path, said) for reader, said in zip(READERS[PREDICTOR], sound, strict=True))
    told, is_met = verdict(tally, "refused", "with the same content")
    what = f"predictor.ckpt of {DEFAULT_NETWORK} ({len(data) / 2**20:.0f} MB), {len(some)} cuts and flips drawn"
    return Row(what, "0 wrong", told, is_met)


def checkpoints_forged() -> Row:
    """Hostile checkpoints with right checksums."""
    with folder() as directory, folder() as run:
        ran = run / "ran"

        def files() -> Iterator[tuple[str, str, bytes]]:
            for checkpoint in READERS:
                _save(checkpoint, run)
                for name, data in attacks.checkpoints(f"touch {ran}", (run / checkpoint).read_bytes()):
                    yield name, checkpoint, data

        return _forged("checkpoints", files(), ran, directory)


def not_finite() -> Row:
    """A network with a NaN or an infinity: not saved, and where it stands in a file, not taken."""
    tally: Tally = Counter()
    with folder() as run:
        for name in [name for name, tensor in predictor_of("tiny").state_dict().items() if tensor.is_floating_point()]:
            for bad in (float("nan"), float("inf"), float("-inf")):
                tally.update(_not_finite(run, name, bad))
        tally[_predicted(run)] += 1
    told, is_met = verdict(tally, "not saved", "refused")
    return Row("NaN or infinity in each weight", "never saved, never taken, also by IA.predict", told, is_met)


def _not_finite(run: Path, name: str, bad: float) -> Iterator[str]:
    predictor = predictor_of("tiny")
    predictor.state_dict()[name].reshape(-1)[0] = bad
    path = run / PREDICTOR
    try:
        predictor.save(path)
        yield "SAVED"
    except ValueError:
        yield "WRITTEN" if path.exists() else "not saved"
    _save_unchecked(predictor, path)
    for number, reader in enumerate(READERS[PREDICTOR]):
        if name.startswith("head.") or number:
            yield _taken(reader, path, b"")
    path.unlink()
    if name.startswith("backbone."):
        tuned = Tuned(_backbone_of(predictor), "base", 12, frozenset())
        try:
            tuned.save(run / BACKBONE)
            yield "SAVED"
        except ValueError:
            yield "WRITTEN" if (run / BACKBONE).exists() else "not saved"


def _predicted(run: Path) -> str:
    """What a person is told who labels a folder with such a predictor."""
    predictor = predictor_of("tiny")
    predictor.head.weights[0] = float("nan")
    _save_unchecked(predictor, run / PREDICTOR)
    _pictures(run / "images", 1)
    command = [sys.executable, "-m", "IA.predict", str(run / PREDICTOR), str(run / "images")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    is_sentence = ended.stderr.count("\n") == 1 and "not finite" in ended.stderr
    return "refused" if (ended.returncode, ended.stdout) == (2, "") and is_sentence else f"told {ended.stderr!r}"


def _save_unchecked(predictor: Predictor, path: Path) -> None:
    """What another program might have saved."""
    said = {name: value for name, value in vars(predictor.checkpoint).items() if name != "head"}
    content = {"format": 1, **said, "state_dict": dict(predictor.state_dict())}
    torch.save(content | {"preprocessing": predictor.preprocessing.as_dict()}, path)


# --- caches -----------------------------------------------------------------------------------------------------------

IMAGES, DIMENSION = 40, 10
KEYS = np.arange(1, IMAGES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
VECTORS = np.random.default_rng(0).normal(size=(IMAGES, DIMENSION)).astype(np.float16).astype(np.float32)


def _cache(directory: Path) -> Embeddings:
    cache = Embeddings(directory, DIMENSION)
    for start in range(0, IMAGES, 8):
        cache.append(KEYS[start : start + 8], VECTORS[start : start + 8])
    return cache


def _opened_again(directory: Path) -> str:
    """What a loop finds in the cache after a restart, and once it has made anew what it lacks."""
    try:
        cache = Embeddings(directory, DIMENSION)
        rows = cache.rows(KEYS)
        is_right = np.array_equal(cache.vectors(rows[rows >= 0]), VECTORS[rows >= 0])
        missing = rows < 0
        if missing.any():
            cache.append(KEYS[missing], VECTORS[missing])
        is_right &= np.array_equal(cache.vectors(cache.rows(KEYS)), VECTORS)
    except Exception as error:  # noqa: BLE001 - whatever comes is what this is to find out
        return f"ended by {type(error).__name__}"
    if not is_right:
        return "WRONG"
    return "some made anew" if missing.any() else "all as it was"


def _to_embeddings(lies: Callable[[bytes], Iterable[bytes]]) -> Tally:
    tally: Tally = Counter()
    with folder() as directory:
        _cache(directory)
        sound = {name: (directory / name).read_bytes() for name in ("keys", "vectors")}
        used = {"keys": len(sound["keys"]), "vectors": IMAGES * len(sound["vectors"]) // 4096}
        for name, data in sound.items():
            for lie in lies(data[: used[name]]):
                for other, as_it_was in sound.items():
                    put(directory / other, as_it_was)
                put(directory / name, lie + data[used[name] :] if len(lie) == used[name] else lie)
                tally[_opened_again(directory)] += 1
    return tally


def embeddings_cut(scale: float) -> Row:
    """Both files of the cache cut at each byte that is in use."""
    told, is_met = verdict(_to_embeddings(lambda data: cuts(data, scale)), "some made anew", "all as it was")
    return Row("embedding cache cut at each byte", "0 wrong vectors, loop goes on", told, is_met)


def embeddings_flipped(scale: float) -> Row:
    """Both files of the cache with one bit flipped."""
    chance = random.Random(3)
    tally = _to_embeddings(lambda data: flips(data, FLIPS / 4 * scale, chance))
    told, is_met = verdict(tally, "some made anew", "all as it was")
    return Row("embedding cache with one bit flipped", "0 wrong vectors, loop goes on", told, is_met)


def embeddings_flipped_in_use(scale: float) -> Row:
    """A bit flips in the file while a loop has it open: the loop ends rather than use it, and finds its way again."""
    chance = random.Random(4)
    tally: Tally = Counter()
    with folder() as directory:
        cache = _cache(directory)
        everything = cache.rows(KEYS)
        path = directory / "vectors"
        data = path.read_bytes()
        for lie in flips(data[: IMAGES * len(data) // 4096], FLIPS / 8 * scale, chance):
            with path.open("r+b") as file:
                file.write(lie)
            try:
                is_right = np.array_equal(cache.vectors(everything), VECTORS)
                tally["all as it was" if is_right else "WRONG"] += 1
            except DamagedError:
                tally["told"] += 1
            with path.open("r+b") as file:
                file.write(data)
    told, is_met = verdict(tally, "told", "all as it was")
    return Row("embedding cache with one bit flipped while it is open", "0 wrong vectors", told, is_met)


def previews(scale: float) -> Row:
    """A kept picture cut at each byte, and with one bit flipped."""
    chance, content = random.Random(5), bytes(range(256)) * 8
    tally: Tally = Counter()
    with folder() as directory:
        PreviewCache(directory).put("a", content)
        path = next(directory.iterdir())
        data = path.read_bytes()
        for lie in [*cuts(data, scale), *flips(data, FLIPS / 8 * scale, chance)]:
            put(path, lie)
            found = PreviewCache(directory).get("a")
            tally["made anew" if found is None else "as it was" if found == content else "WRONG"] += 1
    told, is_met = verdict(tally, "made anew")
    return Row("preview cache cut at each byte, and flipped", "0 wrong pictures", told, is_met)


# --- answers ----------------------------------------------------------------------------------------------------------

NAMES: list[Label] = ["positive", "negative", "skipped"]
MAIN = "seq, id, path, label, source, client, state"
REST = "shown_ms, probability, time, group_id, repeat"


def _answers(run: Path, count: int) -> Labels:
    labels = Labels(run)
    for number in range(count):
        label, group = NAMES[number % 3], f"group {number // 4}" if number % 8 < 4 else None
        path = f"folder {number % 7}/{number % (count - 20)}.jpg"
        labels.annotate(Answer(f"{number:036}", path, label, "key", "me", 500, number / count, group=group)).result()
        if number % 50 == 49:
            labels.undo("me").result()
    return labels


def _history(database: Path, columns: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.text_factory = bytes
        return list(connection.execute(f"SELECT {columns} FROM answers ORDER BY seq"))


def _started(run: Path, sound: dict[str, bytes], lie: dict[str, bytes], main: object, rest: object) -> str:
    """What the server makes of its answers: refused with one sentence, or as they were, or else."""
    for path in run.iterdir():
        path.unlink()
    for name, data in (sound | lie).items():
        (run / name).write_bytes(data)
    try:
        Labels(run).close()
    except UsageError as error:
        kept = {name: data for name, data in (sound | lie).items() if not name.endswith("-wal")}  # SQLite drops that
        changed = [name for name, data in kept.items() if not _still(run / name, data)]
        is_sentence = "\n" not in str(error) and str(run) in str(error)
        return "refused" if is_sentence and not changed else f"refused, but {changed or error}"
    except Exception as error:  # noqa: BLE001 - whatever comes is what this is to find out
        return f"ended by {type(error).__name__}"
    try:
        is_main, is_rest = (_history(run / DATABASE, MAIN) == main, _history(run / DATABASE, REST) == rest)
    except sqlite3.Error:
        return "UNREADABLE ANSWERS"
    if not is_main:
        return "fewer, told and kept" if list(run.glob("annotations.pickle.*")) else "OTHER ANSWERS"
    return "as they were" if is_rest else "another time, probability or group"


def _still(path: Path, data: bytes) -> bool:
    """Whether a file is as it was."""
    return path.exists() and path.read_bytes() == data


def _to_answers(lies: Callable[[bytes], Iterable[bytes]]) -> Tally:
    tally: Tally = Counter()
    with folder() as run:
        _answers(run, 300).close()
        sound = {name: (run / name).read_bytes() for name in (DATABASE, protocol.ANNOTATIONS.name)}
        main, rest = _history(run / DATABASE, MAIN), _history(run / DATABASE, REST)
        for lie in lies(sound[DATABASE]):
            tally[_started(run, sound, {DATABASE: lie}, main, rest)] += 1
    return tally


def answers_cut(scale: float) -> Row:
    """The database cut, also to nothing."""
    told, is_met = verdict(_to_answers(lambda data: cuts(data, scale / 128)), "refused", "as they were")
    return Row("labels.sqlite3 cut at every 128th byte", "exit 2 with one sentence, nothing overwritten", told, is_met)


def answers_flipped(scale: float) -> Row:
    """The database with one bit flipped. SQLite has no checksums: figures beside an answer may change unseen."""
    chance = random.Random(6)
    tally = _to_answers(lambda data: flips(data, 3000 * scale, chance))
    told, is_met = verdict(tally, "refused", "as they were", "another time, probability or group")
    return Row("labels.sqlite3 with one bit flipped", "0 other images or labels", told, is_met)


def log_flipped(scale: float) -> Row:
    """The log of the database, as a kill leaves it: SQLite drops what follows a damaged page, and does not say so."""
    chance = random.Random(7)
    tally: Tally = Counter()
    with folder() as run, folder() as copy:
        labels = _answers(run, 60)
        wanted = sum(labels.counts().values())
        published = Latest(run, protocol.ANNOTATIONS)
        until(lambda: len(published.content() or {}) == wanted)
        log_name = f"{DATABASE}-wal"
        sound = {name: (run / name).read_bytes() for name in (DATABASE, log_name, protocol.ANNOTATIONS.name)}
        main, rest = _history(run / DATABASE, MAIN), _history(run / DATABASE, REST)
        labels.close()
        log_data = sound[log_name]
        for lie in [*flips(log_data, 600 * scale, chance), *cuts(log_data, scale / 512)]:
            tally[_started(copy, sound, {log_name: lie}, main, rest)] += 1
    told, is_met = verdict(tally, "as they were", "fewer, told and kept", "refused")
    bar = "no answer lost unsaid: annotations.pickle is kept"
    return Row("labels.sqlite3-wal after a kill, flipped or cut", bar, told, is_met)


# --- texts ------------------------------------------------------------------------------------------------------------


def odd_texts() -> Row:
    """What may stand in `token` and `instructions.md`: taken, or told in one sentence."""
    odd = [
        b"",
        b"\n",
        b"\xff\xfe",
        b"\x00" * 40,
        "ü".encode(),
        b"a b",
        b"x" * 10_000_000,
        b"\r\nabc\r\n",
        b"\xef\xbb\xbfabc",
    ]
    tally: Tally = Counter()
    for content in [*odd, None, "pipe"]:
        with folder() as run:
            for name in ("token", NAME):
                if content is None:
                    (run / name).mkdir()
                elif isinstance(content, str):
                    os.mkfifo(run / name)
                else:
                    (run / name).write_bytes(content)
            tally[_token(run)] += 1
            tally[_instructions(run)] += 1
    told, is_met = verdict(tally, "told", "taken")
    return Row("odd contents of token and instructions.md", "taken, or one sentence", told, is_met)


def _token(run: Path) -> str:
    try:
        token = token_of(run)
    except UsageError:
        return "told"
    except Exception as error:  # noqa: BLE001 - whatever comes is what this is to find out
        return f"token: {type(error).__name__}"
    return "taken" if token.isascii() and token.isprintable() and " " not in token else f"token {token!r}"


def _instructions(run: Path) -> str:
    warnings = Warnings()
    instructions = Instructions(run)
    try:
        texts = [instructions.text, instructions.text]
    except Exception as error:  # noqa: BLE001 - whatever comes is what this is to find out
        return f"instructions: {type(error).__name__}"
    finally:
        logging.getLogger().removeHandler(warnings)
    if warnings.count:
        return "told" if warnings.count == 1 and texts == [None, None] else "instructions: told more than once"
    return "taken"


# --- the whole suite --------------------------------------------------------------------------------------------------


def running_suite(scale: float) -> Iterator[Row]:
    """Lies in place of the files while all loops work on them; nothing ends, and afterwards they go on."""
    chance = random.Random(8)
    count = max(6, round(120 * scale))
    with folder() as place:
        datadir = place / "images"
        _pictures(datadir, 80)
        with running(place / "run", datadir) as suite:
            until(suite.all_run, 90)
            for image in range(4):
                suite.answer(image, NAMES[image % 2])
            until(lambda: suite.learnt() == 4, 120)
            before = _processes(suite)
            tally, slowest_s = _lie_to(suite, count, chance, place / "ran")
            for image in range(4 + count, 8 + count):
                suite.answer(image % 80, NAMES[image % 2])
            wanted = suite.status()
            until(lambda: suite.learnt() == _answered(suite), 120)
            is_same = _processes(suite) == before
            told, most = _told(suite, tally)
    lies = ", ".join(f"{number} in {name}" for name, number in sorted(tally.items()))
    yield Row(
        f"{count} lies while all loops run",
        "no process ends, it goes on learning",
        f"{'the same processes' if is_same else 'A PROCESS ENDED'}, learnt {wanted['positives']} + "
        f"{wanted['negatives']} answers; slowest answer {1000 * slowest_s:.0f} ms ({lies})",
        is_same and not (place / "ran").exists(),
    )
    yield Row(
        f"{count} lies while all loops run: warnings",
        "at most one a lie and reader",
        f"{told} warnings, at most {most} for a lie in one process",
        told > 0 and most <= 1,
    )


LIED = (*(file.name for file in protocol.PICKLES if file is not protocol.FINE_TUNING), PREDICTOR, BACKBONE)


def _lie_to(suite: Suite, count: int, chance: random.Random, ran: Path) -> tuple[Tally, float]:
    """Put a lie in place of a file, answer an image, and put the file back where nobody writes it again."""
    tally: Tally = Counter()
    slowest_s = 0.0
    sound = {name: (suite.run / name).read_bytes() for name in LIED if (suite.run / name).exists()}
    for number in range(count):
        name = chance.choice(list(sound))
        forged = attacks.with_footer(chance.choice(list(attacks.pickles(f"touch {ran}", sound[name])))[1])
        flipped = next(flips(sound[name], 1, chance))
        put(suite.run / name, chance.choice([forged, flipped, sound[name][: chance.randrange(len(sound[name]))]]))
        tally[name] += 1
        began_s = time.monotonic()
        suite.answer(4 + number % 76, NAMES[number % 2])
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        time.sleep(chance.uniform(0.05, 0.5))  # lies come when they come
        if name in {protocol.SETTINGS.name, protocol.IMAGES.name, protocol.FEATURES.name}:
            put(suite.run / name, sound[name])
    return tally, slowest_s


def _answered(suite: Suite) -> int:
    status: Any = suite.status()
    return int(status["positives"] + status["negatives"])


def _processes(suite: Suite) -> dict[str, int]:
    modules = ("backend", "IA.training", "IA.inference", "IA.selector")
    return {module: suite.pid_of(module) for module in modules}


def _told(suite: Suite, tally: Tally) -> tuple[int, int]:
    """How many warnings of bad files are in the logs, and the most of one file in one process against its lies."""
    told, most = 0, 0
    for log_file in (suite.run / "logs").glob("*.log"):
        lines = [line for line in log_file.read_text().splitlines() if "is not a good" in line]
        told += len(lines)
        for name, lies in tally.items():
            of_this = sum(f"/{name} is not" in line for line in lines)
            most = max(most, -(-of_this // lies))
    return told, most


def _pictures(datadir: Path, count: int) -> None:
    from PIL import Image

    datadir.mkdir()
    colours = np.random.default_rng(0).integers(0, 255, (count, 3))
    for number, colour in enumerate(colours):
        Image.new("RGB", (64, 48), tuple(int(part) for part in colour)).save(datadir / f"{number:03}.png")

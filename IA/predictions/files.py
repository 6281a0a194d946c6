"""Predictions as rows of CSV or JSON lines, in a file that a later process can continue after any kind of end.

| a row is about          | columns                                     |
|-------------------------|---------------------------------------------|
| an image                | `path,probability,label`                    |
| a tile                  | `path,probability,label,source_image,tile`  |
| a photo, by its tiles   | `path,probability,label,tile`               |
"""

import contextlib
import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from config import UsageError
from IA.images.tiles import MARK, Grid, grid_of, split
from IA.protocol import locks
from IA.text.answer_words import UNREADABLE
from IA.text.cells import harmless, plain

COLUMNS = ("path", "probability", "label")
OF_TILES = (*COLUMNS, "source_image", "tile")
OF_PHOTOS = (*COLUMNS, "tile")
KINDS = {COLUMNS: "predictions", OF_TILES: "predictions of tiles", OF_PHOTOS: "predictions of photos by their tiles"}
QUOTE = '"'
MOST_BYTES = 64 * 1024  # no row is longer, since a path has 4096 characters at most
FAR_FROM_SURE = 4  # this many rows are kept to tell one predictor from another: those with a probability nearest to 0.5


@dataclass(frozen=True)
class PredictionRow:
    """The prediction for one image, or for a photo by its tiles.

    Attributes:
        path: relative to the folder; the path of a tile has a mark.
        probability: of positive; NaN if the image is unreadable.
        label: the name of the class, or `UNREADABLE`.
        reason: why the image is unreadable; "" if it is readable or nobody knows.
        tile: for a photo, its most probable tile as it stands behind the mark of a path; else "".
    """

    path: str
    probability: float
    label: str
    reason: str = ""
    tile: str = ""

    @property
    def image(self) -> str:
        """The path of the predicted image: for a photo by its tiles, the most probable tile."""
        return f"{self.path}{MARK}{self.tile}" if self.tile else self.path


class RowFormat(Protocol):
    """How rows become bytes and back."""

    @property
    def head(self) -> bytes:
        """The bytes that a file begins with."""

    def encode(self, rows: Iterable[PredictionRow]) -> bytes:
        """The rows, each ending in a newline."""

    def decode(self, record: bytes) -> PredictionRow:
        """The row in these bytes. Raises ValueError if they are no row."""

    def is_whole(self, record: bytes) -> bool:
        """Whether these lines, the last one with its newline, are a whole row."""


class Csv:
    """A header and a line for each row. A name that is no UTF-8 stays as it is, and no cell begins like a formula."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        """One of the three kinds of rows."""
        self._columns = columns
        self.head = (",".join(columns) + "\n").encode()

    def encode(self, rows: Iterable[PredictionRow]) -> bytes:
        """See `RowFormat`."""
        lines = []
        for row in rows:
            probability = "" if math.isnan(row.probability) else f"{row.probability:.6f}"
            further = "".join(f",{_quoted(value or '')}" for value in _further(row, self._columns).values())
            lines.append(f"{_quoted(row.path)},{probability},{_quoted(row.label)}{further}\n")
        return "".join(lines).encode("utf-8", "surrogateescape")

    def decode(self, record: bytes) -> PredictionRow:
        """See `RowFormat`."""
        text = record.decode("utf-8", "surrogateescape")
        try:
            quick = text.rstrip("\n").split(",")  # this is much faster, and enough for nearly all rows
            values = next(csv.reader(io.StringIO(text, newline=""))) if QUOTE in text else quick
        except (csv.Error, StopIteration) as error:
            raise ValueError("not a row") from error
        cells = dict(zip(self._columns, map(plain, values), strict=True))
        return _row(cells, float(cells["probability"] or "nan"), self._columns)

    def is_whole(self, record: bytes) -> bool:
        """See `RowFormat`."""
        return record.count(b'"') % 2 == 0


def _quoted(text: str) -> str:
    """Quote a cell as `csv.writer` does, and also if it holds a carriage return, which ends a line for readers."""
    text = harmless(text)
    return f'"{text.replace(QUOTE, 2 * QUOTE)}"' if any(letter in text for letter in '",\r\n') else text


class JsonLines:
    """An object for each row."""

    head = b""

    def __init__(self, columns: tuple[str, ...]) -> None:
        """One of the three kinds of rows."""
        self._columns = columns

    def encode(self, rows: Iterable[PredictionRow]) -> bytes:
        """See `RowFormat`."""
        return "".join(f"{json.dumps(_as_dict(row, self._columns))}\n" for row in rows).encode()

    def decode(self, record: bytes) -> PredictionRow:
        """See `RowFormat`."""
        cells = json.loads(record)
        if not isinstance(cells, dict) or cells.keys() - {"reason"} != set(self._columns):
            raise ValueError("not a row")
        if not all(type(cells[name]) is str for name in ("path", "label")):
            raise ValueError("not a row")
        probability = math.nan if cells["probability"] is None else cells["probability"]
        if type(probability) is not float:
            raise ValueError("not a probability")
        return _row(cells, probability, self._columns)

    def is_whole(self, record: bytes) -> bool:
        """See `RowFormat`."""
        return True


FORMATS: dict[str, Callable[[tuple[str, ...]], RowFormat]] = {".csv": Csv, ".jsonl": JsonLines}


def _further(row: PredictionRow, columns: tuple[str, ...]) -> dict[str, str | None]:
    """The cells in the columns that only some kinds of files have; None: an empty cell."""
    if columns == COLUMNS:
        return {}
    photo, tile = split(row.path)
    known = {"source_image": photo, "tile": row.tile if tile is None else str(tile)}
    return {name: known[name] or None for name in columns[len(COLUMNS) :]}


def _row(cells: Mapping[str, Any], probability: float, columns: tuple[str, ...]) -> PredictionRow:
    row = PredictionRow(
        cells["path"], probability, cells["label"], tile=cells["tile"] or "" if columns == OF_PHOTOS else ""
    )
    if any((cells[name] or None) != value for name, value in _further(row, columns).items()):
        raise ValueError("columns that do not agree")
    return row


def _as_dict(row: PredictionRow, columns: tuple[str, ...]) -> dict[str, object]:
    known = None if math.isnan(row.probability) else round(row.probability, 6)
    cells: dict[str, object] = {"path": row.path, "probability": known, "label": row.label}
    return cells | _further(row, columns) | ({"reason": row.reason} if row.reason else {})


class PredictionFile:
    """A file that grows by whole rows. If a dead writer left a part of a row at the end, that is cut off.

    Attributes:
        labels: the labels of the rows in the file, by path.
        doubtful: the rows that tell best whether another predictor wrote the file.
        grids: the grids that cut up the photos in the file; None among them: some photos are whole.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = COLUMNS) -> None:
        """Open the file and read its rows. A torn row at its end goes when the first new row is written.

        Args:
            path: the file.
            columns: `COLUMNS`, `OF_TILES` or `OF_PHOTOS`.

        Raises:
            UsageError: this is not a file of predictions, it cannot be written, or another process writes to it.
        """
        if path.suffix not in FORMATS:
            raise UsageError(f"{path} ends in none of {', '.join(FORMATS)}; name a file that does.")
        self._format, self._kind = FORMATS[path.suffix](columns), KINDS[columns]
        self.labels: dict[str, str] = {}
        self.doubtful: list[PredictionRow] = []
        self.grids: set[Grid | None] = set()
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
        self._lock: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
        try:
            self._hold(path)
            self._end: int | None = self._read(path)  # where the whole rows end; None: the file ends there
        except BaseException:
            with self._lock, self._file:
                raise

    def write(self, rows: Iterable[PredictionRow]) -> None:
        """Append rows with one write, so that no signal divides them. Raises OSError; then a part may be written."""
        if self._end is not None:
            self._file.truncate(self._end)
            if not self._end:
                _write_all(self._file, self._format.head)
            self._end = None
        _write_all(self._file, self._format.encode(rows))

    def close(self) -> None:
        """Close the file once it is on the disk."""
        with self._lock, self._file:
            os.fsync(self._file.fileno())

    def _hold(self, path: Path) -> None:
        try:
            self._lock = locks.take(self._file)
        except BlockingIOError:
            raise UsageError(f"Another process is writing to {path}; wait for it, or name another file.") from None

    def _read(self, path: Path) -> int:
        """Take up the rows that are there; returns where the last whole row ends."""
        head = self._format.head
        end = 0
        try:
            with path.open("rb") as file:
                began = file.read(len(head))
                if began != head:
                    if head.startswith(began):  # the file is empty, or torn in its first line
                        return 0
                    raise ValueError("another header")
                end = len(head)
                for record in _records(file, self._format):
                    self._take(self._format.decode(record))
                    end += len(record)
        except ValueError:
            raise UsageError(f"{path} is no file of {self._kind} from byte {end} on; name another one.") from None
        return end

    def _take(self, row: PredictionRow) -> None:
        self.labels[row.path] = row.label
        if row.label != UNREADABLE:
            self.grids.add(grid_of(row.image))
        is_telling = len(self.doubtful) < FAR_FROM_SURE or _sureness(row) < _sureness(self.doubtful[-1])
        if is_telling and not math.isnan(row.probability):
            self.doubtful = sorted([*self.doubtful, row], key=_sureness)[:FAR_FROM_SURE]


class RowStream:
    """Standard output: the same rows, and no earlier rows to continue."""

    def __init__(self, file: BinaryIO, columns: tuple[str, ...] = COLUMNS) -> None:
        self.labels: dict[str, str] = {}
        self.doubtful: list[PredictionRow] = []
        self.grids: set[Grid | None] = set()
        self._file, self._format = file, FORMATS[".csv"](columns)
        _write_all(file, self._format.head)

    def write(self, rows: Iterable[PredictionRow]) -> None:
        """See `PredictionFile`."""
        _write_all(self._file, self._format.encode(rows))
        self._file.flush()

    def close(self) -> None:
        """Nothing to do."""


def _sureness(row: PredictionRow) -> float:
    return abs(row.probability - 0.5)


def _write_all(file: BinaryIO | io.RawIOBase, data: bytes) -> None:
    unwritten = memoryview(data)
    while unwritten:
        unwritten = unwritten[file.write(unwritten) or 0 :]


def _records(file: BinaryIO, form: RowFormat) -> Iterator[bytes]:
    """The whole rows. Quotes of a CSV may hold newlines, and the last line may be torn."""
    record = b""
    for line in file:
        record += line
        if len(record) > MOST_BYTES:
            raise ValueError("no row is so long")
        if line.endswith(b"\n") and form.is_whole(record):
            yield record
            record = b""

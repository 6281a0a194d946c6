"""Reads the scores that a person has already: a table of images and numbers; the higher, the more likely positive.

Names of images are read as those of labels are, and found by the same rules. Rows are taken one after the other and not
kept, so a table of ten million rows needs little more memory than a small one.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from backend.images.images import Images
from backend.images.names import displayed
from backend.imports.addresses import in_cp1252, is_image
from backend.imports.records import PATHS, ColumnError
from backend.imports.rows import CSV, JSON_LINES
from backend.imports.score_search import ScoreSearch
from backend.imports.tables import csv_rows, json_line_records
from config import UsageError
from IA.images.tiles import TILE
from IA.protocol.fields import FINITE
from IA.protocol.records import Scores
from IA.text.answer_words import folded
from IA.text.words import counted

COLUMNS = (
    *("score", "scores", "probability", "prob", "confidence", "conf", "p", "similarity", "relevance", "prediction"),
    *("predicted", "pred", "y_score", "y_prob", "logit", "value", "weight"),
)
USUAL = (PATHS, COLUMNS, ("tile",))
SUFFIXES = (*CSV.suffixes, *JSON_LINES.suffixes)
SEPARATORS = ";\t,"  # A comma is the last guess, because it may stand in a number.
REST_EVERY = 1000  # After so many rows other threads have their turn.
REST_S = 0.0005


class ScoreRow(NamedTuple):
    """What one row says: the address of an image, its tile if a column names it, and the cell with the score."""

    address: str
    tile: str
    score: Any


@dataclass
class ScoresFound:
    """What a file of scores has for the images of a run.

    Attributes:
        scores: to be published.
        images: how many images the run has.
        file: the name of the file.
        rows: how many rows the file has.
        unknown: rows that name no image, or may mean several.
        example: the address in one of them.
        twice: images that have two different scores in the file.
        no_number: rows whose score is no finite number.
        bad: lines that are no JSON.
        stopped: why the reading ended before the end of the file; "": it did not.
        has_percent: whether some scores are written with a percent sign.
    """

    scores: Scores
    images: int
    file: str
    rows: int = 0
    unknown: int = 0
    example: str = ""
    twice: int = 0
    no_number: int = 0
    bad: int = 0
    stopped: str = ""
    has_percent: bool = False

    @property
    def is_of_use(self) -> bool:
        """Whether the scores put any image before another."""
        values = self.scores.scores
        return any(value != values[0] for value in values)

    def sentence(self) -> str:
        """What was read and how, for the person."""
        values, name = self.scores.scores, displayed(self.file)
        unread = "".join(f"; {note}" for note in self._left_out())
        if not len(values):
            return f"{name}: no row gives an image of this folder a score{unread}; the order stays as it was."
        have = f"{name}: {len(values):,} of {self.images:,} images have a score"
        if not self.is_of_use:
            return f"{have}, always {values[0]:.4g}, which puts none before another{unread}."
        least, most = min(values), max(values)
        how = "probabilities" if least >= 0 and most <= 1 else "an order, the highest first"
        percent = ", 1 % as 0.01" if self.has_percent else ""
        return f"{have} from {least:.4g} to {most:.4g}, read as {how}{percent}{unread}."

    def _left_out(self) -> Iterator[str]:
        if self.unknown:
            example = f" (such as {displayed(self.example)[:100]!r})" if self.example else ""
            yield counted(self.unknown, f"row names no single image{example}", f"rows name no single image{example}")
        if self.twice:
            yield counted(
                self.twice, "image has two scores, of which the last counts", "images have two scores; the last counts"
            )
        if self.no_number:
            yield counted(self.no_number, "score is no number", "scores are no number")
        if self.bad:
            yield counted(self.bad, "line is no JSON object", "lines are no JSON object")
        if self.stopped:
            yield f"the reading ended early, because {self.stopped}"


def check_scores(path: Path) -> None:
    """Look at the first rows of a file of scores.

    Raises:
        UsageError: it cannot be read, or has no column of images or scores.
    """
    try:
        if next(iter(_rows(path, Counter())), None) is None:
            raise ValueError("it has no rows")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path} cannot be read: {reason}; name another file with --scores.") from None
    except ValueError as error:
        reason = displayed(str(error)).rstrip(".")
        raise UsageError(
            f"{path} is no table of scores: {reason}; give it two columns, path and score, or JSON lines such as "
            '{"path": "a.jpg", "score": 0.5}.'
        ) from None


def read_scores(path: Path, images: Images, stop: Event) -> ScoresFound:
    """The scores in a file, of the images that the run has published.

    Args:
        path: CSV or JSON lines.
        images: the images of the run.
        stop: ends the reading early; then the result is of no use.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no table of scores.
    """
    search, bad = ScoreSearch(images), Counter[str]()
    rows = no_number = 0
    has_percent, stopped = False, ""
    try:
        for row in _rows(path, bad):
            rows += 1
            if rows % REST_EVERY == 0 and stop.wait(REST_S):
                break
            score = number(row.score)
            if score is None:
                no_number += 1
            else:
                has_percent = has_percent or (isinstance(row.score, str) and "%" in row.score)
                search.take(row.address, row.tile, score)
    except ValueError as error:
        if not rows:
            raise
        stopped = displayed(str(error)).rstrip(".")
    scores, twice = search.outcome()
    return ScoresFound(
        scores=scores,
        images=images.published,
        file=path.name,
        rows=rows,
        unknown=search.unknown,
        example=search.example,
        twice=twice,
        no_number=no_number,
        bad=bad.total(),
        stopped=stopped,
        has_percent=has_percent,
    )


def _rows(path: Path, bad: Counter[str]) -> Iterator[ScoreRow]:
    """The rows of a file, which its ending tells how to read.

    Raises:
        OSError: the file cannot be read.
        ColumnError: a column is missing.
        ValueError: it is no such table.
    """
    known = [suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() in SUFFIXES]
    if not known:
        raise ValueError(f"its name ends in none of {', '.join(SUFFIXES)}")
    return _of_csv(path) if known[0] in CSV.suffixes else _of_json_lines(path, bad)


def _of_csv(path: Path) -> Iterator[ScoreRow]:
    rows = csv_rows(path, SEPARATORS)
    first = next(rows, [])
    image, score, tile = _columns(first)
    is_header = number(first[score]) is None and not is_image(first[image]) if first else True
    for row in rows if is_header else chain([first], rows):
        cells = _joined(row, score) if len(row) == len(first) + 1 else row
        if len(cells) > image:
            yield ScoreRow(
                cells[image],
                _tile(cells[tile] if tile is not None and tile < len(cells) else None),
                cells[score] if score < len(cells) else None,
            )


def _joined(row: Sequence[str], score: int) -> Sequence[str]:
    """A row whose score was cut at its decimal comma, put together again; any other row as it is."""
    whole, share = row[score].strip(), row[score + 1].strip(" %") if score + 1 < len(row) else ""
    if whole.lstrip("+-").isdecimal() and share.isdecimal():
        return [*row[:score], f"{whole}.{row[score + 1].strip()}", *row[score + 2 :]]
    return row


def _of_json_lines(path: Path, bad: Counter[str]) -> Iterator[ScoreRow]:
    names: tuple[str, str] | None = None
    for record in json_line_records(path, lambda wrong: bad.update([wrong.rpartition(" ")[2]])):
        if names is None:
            columns = list(record)
            image, score, _ = _columns(columns)
            names = columns[image], columns[score]
        address = record.get(names[0])
        yield ScoreRow(address if isinstance(address, str) else "", _tile(record.get("tile")), record.get(names[1]))


def _columns(first: Sequence[str]) -> tuple[int, int, int | None]:
    """Where the images, the scores and the tiles stand in a table, by its first row. Raises ColumnError."""
    places: dict[str, int] = {}
    for place, name in enumerate(first):
        places.setdefault(folded(in_cp1252(name)), place)
    image, score, tile = (next((places[name] for name in usual if name in places), None) for usual in USUAL)
    if image is None and score is None and len(first) == 2:  # There may be no header.
        numbers = [place for place in (0, 1) if number(first[place]) is not None]
        images = [place for place in (0, 1) if is_image(first[place])]
        if len(numbers) == 1 or len(images) == 1:
            image = images[0] if len(images) == 1 else 1 - numbers[0]
            return image, 1 - image, None
    if not first:
        raise ValueError("it is empty")
    if image is None:
        raise ColumnError("images", map(str.strip, first))
    if score is None:
        raise ColumnError("scores", map(str.strip, first))
    return image, score, tile


def _tile(cell: Any) -> str:
    return cell if isinstance(cell, str) and TILE.fullmatch(cell) else ""


def number(cell: Any) -> float | None:
    """The finite number in a cell, such as 0.85, 0,85, 85 %, 1.234,5 or 8.5e-1; None: there is none."""
    if isinstance(cell, str):
        text = cell.strip()
        try:
            value = math.nan if "_" in text else float(text)
        except ValueError:
            value = _written(text)
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        try:
            value = float(cell)
        except OverflowError:
            return None
    else:
        return None
    return value if abs(value) <= FINITE else None


def _written(text: str) -> float:
    """A number with a percent sign, a decimal comma or thousands; not a number if it is none."""
    plain = text.removesuffix("%").rstrip().replace("\u2212", "-").replace("\u00a0", "")
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma > point and plain.count(",") == 1:
        plain = plain.replace(".", "").replace(",", ".")
    else:
        plain = plain.replace(",", "")
    try:
        value = math.nan if "_" in plain else float(plain)
    except ValueError:
        return math.nan
    return value / 100 if text.endswith("%") else value

"""Finds the image that a foreign path means: by its exact name, a looser rule, a move, or its file name alone.

A looser rule counts only if all stricter ones find nothing, and only if it finds exactly one image. The search never
guesses: a path that may mean two images means none.
"""

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from backend.imports.addresses import AddressReading

Move = tuple[str, str]
"""The beginning of paths in the file, and what replaces it below DATADIR; each ends with a slash or is empty."""

MOVED = "moved"
UNICODE_FORM = "unicode_form"
CASE = "case"
NAME = "name"
LAST_TIER = 2  # This is the highest tier of readings.


@dataclass
class Matches:
    """Which image each path means.

    Attributes:
        images: the image that each path means.
        move: the move that explains paths from elsewhere; None: there is none.
        unknown: paths that mean no image.
        ambiguous: paths that fit several images.
        elsewhere: paths with the file name of one image, but in another folder.
        claimed: paths that fit an image only by a loose rule, while another path means or fits the same image.
        rules: how many paths were found by each rule that is looser than the exact name.
    """

    images: dict[str, str] = field(default_factory=dict)
    move: Move | None = None
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)


def unicode_form(text: str) -> str:
    """The text in one Unicode form, because an accent may be a letter of its own, as on macOS, or not."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def caseless(text: str) -> str:
    """The text in one Unicode form and in lower case."""
    return unicode_form(unicode_form(text).casefold())


Fold = Callable[[str], str]
FOLDS: tuple[tuple[tuple[str, ...], Fold], ...] = (((), str), ((UNICODE_FORM,), unicode_form), ((CASE,), caseless))
LOOSE = frozenset({UNICODE_FORM, CASE, NAME})  # These rules may turn two names into one.


def match(
    paths: Iterable[str],
    images: Sequence[str],
    datadir: str,
    readings: Mapping[str, Sequence[AddressReading]] | None = None,
) -> Matches:
    """Find the images that these paths mean.

    A path below DATADIR, or relative to it, means itself, perhaps in another Unicode form or case. The other paths are
    taken for paths in a folder that was moved: the search compares each from its end with the images of the same name,
    and the move is the one on which most paths agree. Finally, a file name without a folder means the only image that
    has this name.

    Args:
        paths: absolute, or relative to the folder of images.
        images: paths relative to DATADIR.
        datadir: DATADIR, absolute.
        readings: returns the possible readings of a path.
    """
    several = readings or {}
    search = _Search({path: several.get(path, (AddressReading(path),)) for path in paths}, images, datadir)
    for tier in range(LAST_TIER + 1):
        search.whole(tier, *FOLDS[0])
    for rule, fold in FOLDS[1:]:
        search.whole(LAST_TIER, rule, fold)
    for rule, fold in FOLDS:
        search.moved(rule, fold)
    for rule, fold in FOLDS:
        search.named(rule, fold)
    return search.outcome()


class _Search:
    """Looks for paths by one rule after the other, and remembers what each rule has found."""

    def __init__(self, paths: Mapping[str, Sequence[AddressReading]], images: Sequence[str], datadir: str) -> None:
        self._open = dict(paths)
        self._images, self._datadir = images, datadir
        self._matches = Matches()
        self._rules: dict[str, tuple[str, ...]] = {}  # The rules by which each path was found.
        self._fitting: dict[str, int] = {}  # How many images, up to 2, have the file name of each path.
        self._by_fold: dict[Fold, Mapping[str, Sequence[str]]] = {}

    def whole(self, tier: int, rule: tuple[str, ...], fold: Fold) -> None:
        """Take each path for one relative to DATADIR, or for an absolute one below it."""
        if not self._open:
            return
        known = self._known(fold)
        for path, readings in list(self._open.items()):
            allowed = [reading for reading in readings if reading.tier <= tier]
            found = [(reading, known.get(fold(self._inside(reading.path)), ())) for reading in allowed]
            self._take(path, found, rule)

    def moved(self, rule: tuple[str, ...], fold: Fold) -> None:
        """Take each path for one in a folder that was moved."""
        if not self._open:
            return
        moves = self._moves(fold)
        move = self._matches.move or _agreed(moves)
        self._matches.move = move
        if move is None:
            return
        are_scattered = any(
            len(found) == 1 and found[0] != move and any(map(_is_bare, self._open[path]))
            for path, found in moves.items()
        )
        claimed = set(self._matches.images.values())
        before, after = fold(move[0]), fold(move[1])
        known = self._known(fold)
        for path, readings in list(self._open.items()):
            is_bare = any(map(_is_bare, readings))
            if is_bare and are_scattered and len(moves[path]) > 1:
                continue  # other bare file names mean images elsewhere, so the move does not decide
            for tier in range(LAST_TIER + 1):
                found = [
                    (reading, known.get(after + folded.removeprefix(before), ()))
                    for reading in readings
                    if reading.tier == tier and (folded := fold(reading.path)).startswith(before)
                ]
                if is_bare and not claimed.isdisjoint(image for _, images in found for image in images):
                    break
                if self._take(path, found, (MOVED, *rule)):
                    break

    def named(self, rule: tuple[str, ...], fold: Fold) -> None:
        """Take each path without a folder for the image that has its name; count the images with the others' names."""
        if not self._open:
            return
        names = {fold(_name(reading.path)) for readings in self._open.values() for reading in readings}
        named = _named(self._images, names, fold)
        for path, readings in list(self._open.items()):
            for tier in range(LAST_TIER + 1):
                found = [
                    (reading, named[name])
                    for reading in readings
                    if reading.tier == tier and (name := fold(_name(reading.path))) in named
                ]
                if any(_is_bare(reading) for reading, _ in found):
                    self._take(path, found, (NAME, *rule))
                elif found:
                    self._fitting.setdefault(path, len({image for _, images in found for image in images}))
                if found:
                    break

    def outcome(self) -> Matches:
        """The result after all rules; if a loose rule finds the same image for several paths, none of these counts."""
        matches = self._matches
        claims = Counter(matches.images.values())
        for path, rules in self._rules.items():
            if LOOSE.isdisjoint(rules) or claims[matches.images[path]] == 1:
                matches.rules.update(rules)
            else:
                del matches.images[path]
                matches.claimed.append(path)
        for path in self._open:
            fitting = self._fitting.get(path, 0)
            if fitting == 1:
                matches.elsewhere.append(path)
            else:  # A move decides which image a path would be, so other images of its name do not count.
                (matches.ambiguous if fitting and not matches.move else matches.unknown).append(path)
        return matches

    def _take(self, path: str, found: Sequence[tuple[AddressReading, Sequence[str]]], rule: tuple[str, ...]) -> bool:
        """Settle a path if any of its readings is an image; a path that may be several images means none."""
        images = {image for _, several in found for image in several}
        if not images:
            return False
        del self._open[path]
        if len(images) > 1:
            self._matches.ambiguous.append(path)
            return True
        reading = next(reading for reading, several in found if several)
        self._matches.images[path] = images.pop()
        if rules := (*reading.rules, *rule):
            self._rules[path] = rules
        return True

    def _known(self, fold: Fold) -> Mapping[str, Sequence[str]]:
        """The images by their folded paths; several images if the fold makes their paths equal."""
        if fold not in self._by_fold:
            known: dict[str, tuple[str, ...]] = {}
            for image in self._images:
                text = fold(image)
                known[text] = (*known.get(text, ()), image)[:2]
            self._by_fold[fold] = known
        return self._by_fold[fold]

    def _inside(self, path: str) -> str:
        return os.path.relpath(path, self._datadir) if path.startswith("/") else os.path.normpath(path)

    def _moves(self, fold: Fold) -> dict[str, list[Move]]:
        """For each path the moves that turn it into the images that share its longest end."""
        wanted = {
            path: [[fold(reading.path) for reading in readings if reading.tier == tier] for tier in range(3)]
            for path, readings in self._open.items()
        }
        names = {_name(text) for tiers in wanted.values() for tier in tiers for text in tier}
        named = {name: [*map(fold, images)] for name, images in _named(self._images, names, fold).items()}
        moves: dict[str, list[Move]] = {}
        for path, tiers in wanted.items():
            found = ([move for text in tier for move in _moves_of(text, named)] for tier in tiers)
            moves[path] = next(filter(None, found), [])
        return moves


def _named(images: Sequence[str], names: Set[str], fold: Fold) -> dict[str, list[str]]:
    """The images by their folded file names, for the names in `names`."""
    named: dict[str, list[str]] = defaultdict(list)
    for image in images:
        if (name := fold(_name(image))) in names:
            named[name].append(image)
    return named


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_bare(reading: AddressReading) -> bool:
    """Whether a path is a file name without a folder."""
    return "/" not in os.path.normpath(reading.path)


def _moves_of(path: str, named: Mapping[str, Sequence[str]]) -> list[Move]:
    common = {image: _common_end(path, image) for image in named.get(_name(path), ())}
    longest = max(common.values(), default=0)
    return [
        (path[: len(path) - longest], image[: len(image) - longest])
        for image, length in common.items()
        if length == longest
    ]


def _common_end(path: str, image: str) -> int:
    """The length of the longest common end of two paths that consists of whole names."""
    length = -1
    for ours, theirs in zip(reversed(path.split("/")), reversed(image.split("/")), strict=False):
        if ours != theirs:
            break
        length += 1 + len(ours)
    return length


def _agreed(moves: dict[str, list[Move]]) -> Move | None:
    """The move of most paths that allow only one; a move that adds a folder needs half of the paths that allow any."""
    votes = Counter(found[0] for found in moves.values() if len(found) == 1).most_common(2)
    if not votes or (len(votes) == 2 and votes[0][1] == votes[1][1]):
        return None
    move, count = votes[0]
    return move if not move[1] or 2 * count >= sum(map(bool, moves.values())) else None

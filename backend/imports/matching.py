"""Which image of a run a foreign path means: paths of the same folder, perhaps as it was seen from elsewhere."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Move = tuple[str, str]
"""What paths begin with in the file, and instead of it below DATADIR; each ends with a slash or is empty."""


@dataclass
class Matches:
    """What was found.

    Attributes:
        images: the image that each path means.
        move: how paths from elsewhere were understood; None where none was.
        unknown: paths of no image.
        ambiguous: paths with the name of an image, of which nothing says that they mean it.
    """

    images: dict[str, str] = field(default_factory=dict)
    move: Move | None = None
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)


def match(paths: Iterable[str], images: Sequence[str], datadir: str) -> Matches:
    """Find the images that these paths mean.

    A path below DATADIR, or relative to it, means itself. The others are taken for paths of a folder that was moved:
    each is compared from its end with the images of the same name, and what most of them agree on is the move.

    Args:
        paths: absolute, or relative to the folder of images.
        images: paths relative to DATADIR.
        datadir: DATADIR, absolute.
    """
    matches, known = Matches(), set(images)
    elsewhere = []
    for path in paths:
        inside = os.path.relpath(path, datadir) if path.startswith("/") else os.path.normpath(path)
        if inside in known:
            matches.images[path] = inside
        else:
            elsewhere.append(path)
    moves = _moves(elsewhere, images)
    matches.move = _agreed(moves)
    for path in elsewhere:
        before, after = matches.move or ("", "")
        moved = after + path.removeprefix(before)
        if matches.move and path.startswith(before) and moved in known:
            matches.images[path] = moved
        else:
            (matches.ambiguous if moves[path] and not matches.move else matches.unknown).append(path)
    return matches


def _moves(paths: Sequence[str], images: Sequence[str]) -> dict[str, list[Move]]:
    """For each path the moves that would make it the images with the longest end in common."""
    named: dict[str, list[str]] = defaultdict(list)
    names = {os.path.basename(path) for path in paths}  # noqa: PTH119 - of text, not of files here
    for image in images:
        if (name := image.rpartition("/")[2]) in names:
            named[name].append(image)
    moves: dict[str, list[Move]] = {}
    for path in paths:
        common = {image: _common_end(path, image) for image in named[path.rpartition("/")[2]]}
        longest = max(common.values(), default=0)
        moves[path] = [
            (path[: len(path) - longest], image[: len(image) - longest])
            for image, length in common.items()
            if length == longest
        ]
    return moves


def _common_end(path: str, image: str) -> int:
    """How many characters of whole names two paths have in common at their ends."""
    length = -1
    for ours, theirs in zip(reversed(path.split("/")), reversed(image.split("/")), strict=False):
        if ours != theirs:
            break
        length += 1 + len(ours)
    return length


def _agreed(moves: dict[str, list[Move]]) -> Move | None:
    """What most paths speak for that leave no choice; part of an image's path alone must convince half of the rest."""
    votes = Counter(found[0] for found in moves.values() if len(found) == 1).most_common(2)
    if not votes or (len(votes) == 2 and votes[0][1] == votes[1][1]):
        return None
    move, count = votes[0]
    return move if not move[1] or 2 * count >= sum(map(bool, moves.values())) else None

"""Plans what an import does to the answers of a run, and reports it before anything is stored."""

import re
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import get_args

from backend.imports.addresses import APOSTROPHE, AS_WRITTEN, BACKSLASHES, CP1252, AddressReading, readings
from backend.imports.labelled import Labelled, Words
from backend.imports.matching import CASE, MOVED, NAME, UNICODE_FORM, Matches, match
from backend.store.sources import BY_IMPORT, BY_MODEL, Source
from backend.store.table import Answer, Label
from IA.images.tiles import MARK, grid_of, photo_of, split
from IA.text.words import counted

TELL = 5  # The report gives so many examples of each kind.
OWN_SOURCES: dict[str, Source] = {source: source for source in get_args(Source)}
CLIENT = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
FIELD = "field"
RULES = {
    MOVED: ("was found as moved", "were found as moved"),
    NAME: ("was found by its name alone", "were found by their names alone"),
    UNICODE_FORM: ("was found in another Unicode form", "were found in another Unicode form"),
    CASE: ("was found in another case", "were found in another case"),
    BACKSLASHES: ("was found with its backslashes as slashes", "were found with their backslashes as slashes"),
    AS_WRITTEN: ("was found with + # & % as they stand", "were found with + # & % as they stand"),
    CP1252: ("was found with its bytes read as cp1252", "were found with their bytes read as cp1252"),
    APOSTROPHE: ("was found without its first apostrophe", "were found without their first apostrophe"),
    FIELD: ("was found in another field than image", "were found in another field than image"),
}
"""How the report says by which rule paths were found that are not the exact names of images."""


@dataclass
class Plan:
    """What an import would do.

    Attributes:
        matches: which images the paths mean.
        fresh: the labels in the file of images that have no label yet.
        same: images that have the same label as in the file.
        conflicts: images that have another label, each with the label in the file.
        contradictions: images to which the file gives two labels; the import takes neither.
        unread: words that mean no label here, and how many rows have only such words.
        unlabelled: how many rows have no label.
        by_model: how many labels a model gave; the import does not take them.
        of_photos: photos that are positive or skipped in the file, while the images here are their tiles: such a label
            decides no single tile, whereas a negative one applies to all tiles.
        named: the images that have a label in the file, taken or not.
        rows: the row of the file for each image in `fresh` and `conflicts`.
    """

    matches: Matches
    fresh: dict[str, Label] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    conflicts: dict[str, Label] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)
    unlabelled: int = 0
    by_model: int = 0
    of_photos: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    rows: dict[str, Labelled] = field(default_factory=dict)

    def answers(self, overwrite: bool, group: str | None = None) -> list[Answer]:
        """The answers to store, in the order of the file; an undo takes the import back by its `group`."""
        taken = self.fresh | (self.conflicts if overwrite else {})
        return [_answer(image, taken[image], row, group) for image, row in self.rows.items() if image in taken]

    def group(self, is_sampled: Callable[[str], bool]) -> str | None:
        """A new name by which to undo the import; None: images left the sample, and an undo cannot return them."""
        return None if self.drawn(is_sampled) else str(uuid.uuid4())

    def drawn(self, is_sampled: Callable[[str], bool]) -> list[str]:
        """The images named in the file that had been sampled at random.

        The audit no longer samples from images that the file names, whatever they show. So the sampled ones among them
        must leave the sample too: from then on they count as selected by the model.
        """
        return [image for image in self.named if is_sampled(image)]


def plan(
    labelled: Iterable[Labelled], words: Words, images: Sequence[str], datadir: str, standing: Mapping[str, Label]
) -> Plan:
    """Plan what the labels in a file change in a run.

    Args:
        labelled: the rows of the file.
        words: the meaning of its words.
        images: the images of the run, relative to `datadir`.
        datadir: DATADIR, absolute.
        standing: the answers that the run has.
    """
    unread, unlabelled, by_model = Counter[str](), 0, 0
    by_path: defaultdict[str, dict[Label, Labelled]] = defaultdict(dict)
    several: dict[str, list[AddressReading]] = {}
    photos = set(map(photo_of, images))
    for row in labelled:
        label = words.label(row.words)
        if row.source == BY_MODEL:
            by_model += 1
        elif label is None and not row.words:
            unlabelled += 1
        elif label is None:
            unread[", ".join(row.words)] += 1
        else:
            path, meant = readings_of(row, photos)
            by_path[path].setdefault(label, row)
            if meant != [AddressReading(path)]:
                several[path] = meant
    is_cut_up = bool(images) and images[0] not in photos
    matches = match(by_path, [*images, *sorted(photos)] if is_cut_up else images, datadir, several)
    planned = Plan(matches, unread=unread, unlabelled=unlabelled, by_model=by_model)
    given: dict[str, dict[Label, Labelled]] = {}
    for path, image in matches.images.items():
        given.setdefault(image, {}).update(by_path[path])
    if is_cut_up:
        _to_tiles(given, images, photos, planned)
    planned.named = list(given)
    for image, labels in given.items():
        [label, *others] = labels
        if others:
            planned.contradictions.append(image)
        elif standing.get(image) == label:
            planned.same.append(image)
        else:
            (planned.conflicts if image in standing else planned.fresh)[image] = label
            planned.rows[image] = labels[label]
    return planned


def readings_of(row: Labelled, photos: Container[str]) -> tuple[str, list[AddressReading]]:
    """A name for the path of a row, and all its readings; the path of a known photo has only one."""
    photo, tile = split(row.path)
    text = row.tile if tile is None else str(tile)
    end = f"{MARK}{text}" if text else ""
    found = [AddressReading(photo)] if photo in photos else readings(photo)
    for other in row.or_paths:
        found += [AddressReading(other)] if other in photos else readings(other)
    rules = (FIELD,) if row.field else ()
    meant = [AddressReading(f"{reading.path}{end}", (*reading.rules, *rules), reading.tier) for reading in found]
    name = meant[0].path if len(meant) == 1 else ", ".join((photo, *row.or_paths)) + end
    return name, meant


def _to_tiles(given: dict[str, dict[Label, Labelled]], images: Sequence[str], photos: Set[str], planned: Plan) -> None:
    """Give each tile the label of its photo, if that label applies to every tile."""
    grid, known = grid_of(images[0]), set(images)
    for photo in [image for image in given if image in photos]:
        labels = given.pop(photo)
        if len(labels) > 1:
            planned.contradictions.append(photo)
        elif "negative" not in labels:
            planned.of_photos.append(photo)
        elif grid is not None:
            whole = labels["negative"]
            for tile in filter(known.__contains__, grid.paths(photo)):
                row = Labelled(tile, whole.words, annotator=whole.annotator, time=whole.time)
                given.setdefault(tile, {}).setdefault("negative", row)


def report(planned: Plan, standing: Mapping[str, Label], overwrite: bool) -> Iterator[str]:
    """The report for the person, line by line."""
    matches = planned.matches
    yield counted(len(planned.fresh), "image gets a label", "images get a label")
    if matches.move:
        yield f"  paths are read as moved from {matches.move[0] or './'} to DATADIR/{matches.move[1]}"
    for rule, (one, many) in RULES.items():
        if matches.rules[rule]:
            yield f"  {counted(matches.rules[rule], f'path {one}', f'paths {many}')}"
    yield counted(len(planned.same), "has it already", "have it already")
    keeps, keep = "keeps its own; --overwrite changes it", "keep theirs; --overwrite changes them"
    conflicts = [f"{image}: {standing[image]}, in the file {label}" for image, label in planned.conflicts.items()]
    unread = [f"{word}: {count}" for word, count in planned.unread.most_common()]
    for count, one, many, examples in (
        (
            len(planned.conflicts),
            f"has another label and {'is given the one in the file' if overwrite else keeps}",
            f"have another label and {'are given the one in the file' if overwrite else keep}",
            conflicts,
        ),
        (
            len(planned.contradictions),
            "has two labels in the file and gets neither",
            "have two labels in the file and get neither",
            planned.contradictions,
        ),
        (
            len(matches.ambiguous),
            "path may mean one image or another and is left out",
            "paths may mean one image or another and are left out",
            matches.ambiguous,
        ),
        (
            len(matches.elsewhere),
            "path has the file name of an image, but another folder, and is left out",
            "paths have the file names of images, but other folders, and are left out",
            matches.elsewhere,
        ),
        (
            len(matches.claimed),
            "path fits an image only loosely, and another path fits it too: it is left out",
            "paths fit images only loosely, and other paths fit them too: they are left out",
            matches.claimed,
        ),
        (
            len(matches.unknown),
            "path is of no image in this run and is left out",
            "paths are of no image in this run and are left out",
            matches.unknown,
        ),
        (
            len(planned.of_photos),
            "photo is positive or skipped in the file, which says nothing of its tiles, and is left out",
            "photos are positive or skipped in the file, which says nothing of their tiles, and are left out",
            planned.of_photos,
        ),
        (
            planned.by_model,
            "label was given by a model, not by a person, and is left out",
            "labels were given by a model, not by a person, and are left out",
            [],
        ),
        (planned.unlabelled, "row has no label", "rows have no label", []),
        (
            planned.unread.total(),
            "is left out, as it is not known what its word means; say it with --positive or --negative",
            "are left out, as it is not known what their words mean; say it with --positive or --negative",
            unread,
        ),
    ):
        if count:
            yield counted(count, one, many)
            yield from (f"  {example}" for example in examples[:TELL])
            if len(examples) > TELL:
                yield f"  and {len(examples) - TELL} more"


def _answer(image: str, label: Label, row: Labelled, group: str | None) -> Answer:
    """The answer to store; it keeps source, client and time if one of our own exports has them."""
    return Answer(
        id=str(uuid.uuid4()),
        path=image,
        label=label,
        source=OWN_SOURCES.get(row.source or "", BY_IMPORT),
        client=row.annotator if row.annotator and CLIENT.fullmatch(row.annotator) else "import",
        shown_ms=row.shown_ms,
        probability=row.probability,
        checkpoint=row.checkpoint,
        group=group,
        imported=True,
        time=time.time() if row.time is None else row.time,
    )

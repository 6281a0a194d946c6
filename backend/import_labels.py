"""Takes over labels from a file: python -m backend.import_labels RUN FILE [--dry-run] [--overwrite].

FILE is the annotations.pickle of a run, or of the seed of this project. With --dry-run nothing is stored, only told. An
image that has another answer keeps it, unless --overwrite is given.
"""

import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.alone import alone
from backend.answers import DATABASE, Answer, Label
from backend.checks import check_version
from backend.database import NotDurableError
from backend.imports import FORMATS
from backend.imports.matching import Matches, match
from backend.labels import Labels
from config import UsageError
from IA.loop import one_sentence
from IA.protocol import IMAGES, SETTINGS, read

USAGE = "python -m backend.import_labels RUN FILE [--dry-run] [--overwrite]"
TELL = 5  # examples of each kind of trouble


@dataclass
class Plan:
    """What an import would do.

    Attributes:
        matches: which images the paths mean.
        fresh: labels of images that have none.
        same: images that have this label already.
        conflicts: images that have another label, and the one in the file.
        contradictions: images to which the file gives two labels; neither is taken.
    """

    matches: Matches
    fresh: dict[str, Label] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    conflicts: dict[str, Label] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)


def plan(labels: Mapping[str, Label], images: Sequence[str], datadir: str, standing: Mapping[str, Label]) -> Plan:
    """Find out what the labels in a file mean for a run.

    Args:
        labels: by path, as in the file.
        images: the images of the run, relative to `datadir`.
        datadir: absolute.
        standing: the answers that the run has.
    """
    planned = Plan(match(labels, images, datadir))
    given: dict[str, set[Label]] = {}
    for path, image in planned.matches.images.items():
        given.setdefault(image, set()).add(labels[path])
    for image, said in given.items():
        [label, *others] = said
        if others:
            planned.contradictions.append(image)
        elif image not in standing:
            planned.fresh[image] = label
        elif standing[image] == label:
            planned.same.append(image)
        else:
            planned.conflicts[image] = label
    return planned


def told(planned: Plan, standing: Mapping[str, Label], overwrite: bool) -> Iterator[str]:
    """What a person is to know of it, line by line."""
    matches = planned.matches
    yield f"{len(planned.fresh)} images get a label"
    if matches.move:
        yield f"  paths are read as moved from {matches.move[0] or './'} to DATADIR/{matches.move[1]}"
    yield f"{len(planned.same)} have it already"
    changed = "are given the one in the file" if overwrite else "keep theirs; --overwrite changes them"
    conflicts = [
        f"{image}: {standing[image]}, in the file {label}" for image, label in list(planned.conflicts.items())[:TELL]
    ]
    for count, what, examples in (
        (len(planned.conflicts), f"have another label and {changed}", conflicts),
        (len(planned.contradictions), "have two labels in the file and get neither", planned.contradictions),
        (len(matches.ambiguous), "paths may mean one image or another and are left out", matches.ambiguous),
        (len(matches.unknown), "paths are of no image in this run and are left out", matches.unknown),
    ):
        if count:
            yield f"{count} {what}"
            yield from (f"  {example}" for example in examples[:TELL])
            if count > TELL:
                yield f"  and {count - TELL} more"


def import_labels(run: Path, file: Path, dry_run: bool = False, overwrite: bool = False) -> Plan:
    """Take over the labels in a file, all or none.

    Raises:
        UsageError: the run is in use or is none, or the file cannot be read; nothing is stored.
    """
    given = _read(file)
    try:
        images, settings = read(run, IMAGES).content, read(run, SETTINGS).content
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} is no run that was ever started ({error}); start on it first.") from None
    check_version(run)
    with alone(run, "import"):
        labels = Labels(run)
        try:
            standing = {answer.path: answer.label for answer in labels.standing(newest=False)}
            planned = plan(given, images, settings.datadir, standing)
            for line in told(planned, standing, overwrite):
                sys.stdout.write(f"{line}\n")
            if not dry_run:
                taken = planned.fresh | (planned.conflicts if overwrite else {})
                labels.annotate_all([_answer(image, label) for image, label in taken.items()]).result()
        except NotDurableError as error:
            raise UsageError(f"The labels could not be stored in {run / DATABASE}: {error}; none was.") from None
        finally:
            labels.close()
    return planned


def _read(file: Path) -> dict[str, Label]:
    for suffix, labels in FORMATS.items():
        if suffix in file.suffixes:
            try:
                return labels(file)
            except (OSError, ValueError) as error:
                raise UsageError(f"The labels in {file} cannot be read: {str(error).rstrip('.')}.") from None
    raise UsageError(f"{file} ends in none of {', '.join(FORMATS)}; name a file of labels.")


def _answer(image: str, label: Label) -> Answer:
    return Answer(str(uuid.uuid4()), image, label, "import", "import")


def main() -> None:
    """Import what the command line names."""
    options = {argument for argument in sys.argv[1:] if argument.startswith("--")}
    names = [argument for argument in sys.argv[1:] if argument not in options]
    if len(names) != 2 or options - {"--dry-run", "--overwrite"}:
        raise UsageError(f"Name a run and a file of labels: {USAGE}.")
    run, file = (Path(name).expanduser().resolve() for name in names)
    import_labels(run, file, "--dry-run" in options, "--overwrite" in options)
    if "--dry-run" in options:
        sys.stdout.write("Nothing was stored; without --dry-run it is.\n")


if __name__ == "__main__":
    one_sentence(main)

"""Writes the answers in another program's format: python -m backend.export RUN --format FORMAT --to PATH.

csv, jsonl, label-studio and coco are files. folders (a folder for each answer) and imagefolder (Hugging Face) hold the
images too: a zip if PATH ends in .zip, else a folder of copies or, by --link, of hard or symbolic links. Of a run
with --tile, --roll-up makes one answer of those to the tiles of a photo. The run is only read, and may be in use. What
is at PATH already is never touched.
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, get_args

from tqdm import tqdm

from backend.exports import FORMATS, pieces
from backend.exports.folders import TABLE
from backend.exports.format import ExportFormat
from backend.exports.pictures import Pictures
from backend.exports.roll_up import RolledUp
from backend.exports.source import LOCAL_FILES, Source
from backend.exports.trees.tree import LINKS, MISSING, Link, Tree, WriteError
from backend.runs.reading import RunReading, opened, report_mistakes
from backend.store.sources import BY_MODEL
from backend.store.table import Answer, Label
from config import Parser, UsageError
from IA.images.tiles import Grid
from IA.process.loop import one_sentence
from IA.protocol.files import IMAGES
from IA.protocol.pickle_file import read
from IA.text.words import counted


@dataclass(frozen=True)
class Exported:
    """How much an export has written.

    Attributes:
        answers: how many answers people gave.
        images: how many images the export holds; None: the format holds no images.
        left_out: answers that were skipped because their images have no place in the export.
        missing: images that could not be read, or that changed while they were read.
        unknown: photos of which nothing is known yet; 0 unless the answers were rolled up.
        by_model: labels that a model gave.
    """

    answers: int
    images: int | None = None
    left_out: int = 0
    missing: int = 0
    unknown: int = 0
    by_model: int = 0


def export(
    reading: RunReading,
    format: ExportFormat,
    to: Path,
    link: Link | None = None,
    label: Label | None = None,
    prefix: str = LOCAL_FILES,
    roll_up: bool = False,
    exif: bool = True,
) -> Exported:
    """Write an export, whole or not at all.

    Args:
        reading: the run.
        format: what to write.
        to: a file or a folder that is not there yet.
        link: how a folder refers to the images; None: a zip if `to` ends in .zip, else copies.
        label: only answers with this label.
        prefix: the text that Label Studio needs before the path of an image.
        roll_up: make one answer for each photo from the answers to its tiles.
        exif: read the time and the camera of each photo from its file.

    Raises:
        UsageError: the export cannot be written, or the answers cannot be read; nothing is at `to` then.
    """
    is_folder = format.tree is not None and (link is not None or to.suffix.lower() != ".zip")
    if link is not None and format.tree is None:
        trees = " and ".join(name for name, other in FORMATS.items() if other.tree is not None)
        raise UsageError(f"--link is for {trees}; leave it out for {format.name}.")
    if is_folder and to.is_relative_to(reading.datadir):
        raise UsageError(f"{to} is in the folder of images, and would be asked about too; name another place.")
    settings = reading.settings
    if roll_up and not settings.tile:
        raise UsageError("--roll-up is for runs with --tile; leave it out.")
    if settings.tile and not roll_up and link not in {None, "copy"}:
        raise UsageError("A tile is no file that a link could lead to; take --link copy, or --roll-up.")
    by_path = format.tree is not None and settings.tile != "" and not roll_up
    moment = reading.moment(None if roll_up else label, by_path)
    photos = RolledUp(moment, label) if roll_up else None
    with tqdm(total=None if photos else len(moment), unit=" labels", file=sys.stderr, mininterval=0.5) as bar:
        by_model = Counter[bool]()
        answers = _counted(photos or moment, bar, by_model)
        pictures = Pictures(reading.datadir, reading.inside)
        source = Source(answers, settings.positive, settings.negative, pictures, label, prefix, roll_up, exif)
        tree = None if format.tree is None else format.tree(source)
        with report_mistakes(reading.run):
            if tree is None:
                _write(to, lambda part: _file(format.lines(source), part))
            elif is_folder:
                _write(to, lambda part: _folder(tree, part, link or "copy"))
            else:
                _write(to, lambda part: _file(tree.zipped(), part))
    if format.scheme is not None:
        scheme = format.scheme.content(settings.positive, settings.negative, settings.tile != "" and not roll_up)
        try:
            _write(_scheme_beside(to, format), lambda part: part.write_bytes(scheme))
        except UsageError:
            to.unlink()  # A person gets both files or none.
            raise
    unknown = 0 if photos is None else max(0, _photos(reading) - photos.known)
    if tree is None:
        return Exported(by_model[False], unknown=unknown, by_model=by_model[True])
    return Exported(by_model[False], tree.placed, tree.left_out, tree.missing.count, unknown, by_model[True])


def _scheme_beside(to: Path, format: ExportFormat) -> Path:
    """The path of the scheme that goes with an export."""
    return to if format.scheme is None else to.with_suffix(Path(format.scheme.ending).suffix)


def _photos(reading: RunReading) -> int:
    """How many photos a run with tiles has; 0 where that cannot be read: no answer depends on it."""
    grid = Grid.from_text(reading.settings.tile)
    try:
        return len(read(reading.run, IMAGES).content) // len(grid) if grid else 0
    except (OSError, ValueError):
        return 0


def _counted(answers: Iterable[Answer], bar: "tqdm[NoReturn]", by_model: Counter[bool]) -> Iterator[Answer]:
    for answer in answers:
        yield answer
        by_model[answer.source == BY_MODEL] += 1
        bar.update()


def _file(content: Iterator[bytes], part: Path) -> None:
    with part.open("xb") as file:
        file.writelines(pieces(content))
        file.flush()
        os.fsync(file.fileno())


def _folder(tree: Tree, part: Path, link: Link) -> None:
    part.mkdir()
    tree.write(part, link)
    os.sync()  # One sync covers all files; a million single ones would take hours.


def _write(to: Path, make: Callable[[Path], object]) -> None:
    """Make a file or folder beside its place, and move it there once it is whole."""
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        make(part)
        _check_free(to)  # another program may have made it meanwhile
        part.rename(to)
    except (OSError, WriteError) as error:
        raise UsageError(f"{to} could not be written ({str(error).rstrip('.')}); nothing is there.") from None
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def _check_free(to: Path) -> None:
    if os.path.lexists(to):
        raise UsageError(f"{to} is there already; name a place that is free.")


def main() -> None:
    """Export what the command line names."""
    parser = Parser(
        prog="python -m backend.export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=_path, help="the run directory")
    parser.add_argument("--format", required=True, choices=FORMATS)
    parser.add_argument("--to", required=True, type=_path, metavar="PATH", help="where; nothing may be there yet")
    parser.add_argument("--link", choices=LINKS, help="what a folder of images is made of (copy)")
    parser.add_argument("--label", choices=get_args(Label), help="only these (all)")
    parser.add_argument("--roll-up", action="store_true", help="one answer a photo: positive if any of its tiles is")
    parser.add_argument("--no-exif", action="store_true", help="leave captured and camera empty: quicker on slow disks")
    parser.add_argument("--prefix", default=LOCAL_FILES, help=f"for Label Studio, before each path ({LOCAL_FILES})")
    parser.add_argument("--datadir", type=_path, metavar="DIR", help="the images, where they are elsewhere now")
    given = parser.parse_args()
    format = FORMATS[given.format]
    for place in dict.fromkeys((given.to, _scheme_beside(given.to, format))):
        _check_free(place)
    reading = opened(given.run, given.datadir)
    exported = export(
        reading, format, given.to, given.link, given.label, given.prefix, given.roll_up, not given.no_exif
    )
    sys.stdout.writelines(f"{line}\n" for line in _sentences(exported, format, given.to))


def _sentences(exported: Exported, format: ExportFormat, to: Path) -> Iterator[str]:
    if exported.images is None:
        by_model = counted(exported.by_model, "label of the model", "labels of the model")
        answers = counted(exported.answers, "answer", "answers")
        yield f"{f'{answers} and {by_model}' if exported.by_model else answers} in {to}"
    else:
        yield f"{counted(exported.images, 'image', 'images')} in {to}"
    if exported.left_out:
        yield f"{counted(exported.left_out, 'skipped image is', 'skipped images are')} only named in {TABLE} there"
    if exported.unknown:
        photos = counted(exported.unknown, "photo is left out: it has", "photos are left out: they have")
        yield f"{photos} tiles without an answer, and none that is positive"
    if format.scheme is not None:
        yield f"the labelling config for them in {_scheme_beside(to, format)}"
    if exported.missing:
        was = counted(exported.missing, "image was", "images were")
        listed = "lists it" if exported.missing == 1 else "lists them"
        yield f"{was} not there, or changed meanwhile: {MISSING} in it {listed}"


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


if __name__ == "__main__":
    one_sentence(main)

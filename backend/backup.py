"""Copies a run while it is in use: python -m backend.backup RUN TARGET.

TARGET is then a run of its own: it holds the answers with their history, and every file that cannot be made again from
them. cache/, logs/ and tensorboard/ are left out.
"""

import argparse
import os
import shutil
import sqlite3
import sys
from pathlib import Path

from backend.runs import instructions
from backend.store.database import copy_database
from backend.store.schema import DATABASE
from config import Parser, UsageError
from IA.process.loop import one_sentence
from IA.protocol.files import BACKBONE, FINE_TUNING, HELD_OUT, IMAGES, PREDICTOR, SETTINGS
from IA.protocol.replacement import replace

FILES = (SETTINGS.name, IMAGES.name, HELD_OUT.name, FINE_TUNING.name, PREDICTOR, BACKBONE, instructions.NAME)


def back_up(run: Path, target: Path) -> None:
    """Copy a run.

    Raises:
        UsageError: there is no run, the target exists already, or a file cannot be read or written.
    """
    if not (run / DATABASE).is_file():
        raise UsageError(f"There are no answers in {run}; name a run directory.")
    if target.exists():
        raise UsageError(f"{target} is there already; name a folder that is not.")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")  # nobody may take half a copy for a run
    try:
        part.mkdir(parents=True)
        for name in FILES:
            if (run / name).is_file():
                replace(part / name, (run / name).read_bytes())
        copy_database(run / DATABASE, part / DATABASE)
        part.rename(target)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise UsageError(f"{run} could not be copied to {target}: {str(error).rstrip('.')}.") from error


def main() -> None:
    """Copy the run that the command line names."""
    parser = Parser(
        prog="python -m backend.backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", help="the run directory, which may be in use")
    parser.add_argument("target", metavar="TARGET", help="where the copy goes; nothing may be there yet")
    given = parser.parse_args()
    run, target = (Path(name).expanduser().resolve() for name in (given.run, given.target))
    back_up(run, target)
    sys.stdout.write(f"{target} is a copy of {run}; start on it with --run {target}.\n")


if __name__ == "__main__":
    one_sentence(main)

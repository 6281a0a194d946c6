"""How long it takes from the command to a ranking of all images, for the first question over a folder and the second.

    python -m tests.benchmarks.second_question FOLDER

Real processes; the second run has another directory beside the first one, and the embeddings that it finds there.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS, RANKING
from tests.processes.suite import Suite, running
from tests.serving import until

DEADLINE_S = 3600.0


def is_ranked(suite: Suite) -> bool:
    """Whether every image is embedded and in the ranking."""
    try:
        predictions = pickle_file.read(suite.run, PREDICTIONS).content
        return (
            predictions.embedded == len(predictions.novelty)
            and not predictions.missing
            and len(pickle_file.read(suite.run, RANKING).content.images) == len(predictions.novelty)
        )
    except (OSError, ValueError):
        return False


def main() -> None:
    """Ask two questions, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    with tempfile.TemporaryDirectory() as runs:
        for question in ("first", "second"):
            began = time.monotonic()
            with running(Path(runs) / question, folder, "--positive", question) as suite:
                until(lambda: is_ranked(suite), DEADLINE_S)
                sys.stdout.write(f"{question}: {time.monotonic() - began:.1f} s\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Try what can go wrong on the real suite, and print the table of docs/reference/reliability.md.

    python -m tests.faults                      everything, as often as docs/reference/reliability.md says: hours
    python -m tests.faults power --scale 0.1    one part, a tenth as often

Each part is a module beside this one with `rows(scale)`. What needs root or a program that is missing says so in its
row. The exit code is 1 where a bar is not reached.
"""

import argparse
import importlib
import sys
import time
from datetime import date

from tests.faults.report import HEADER, Row

PARTS = ("power", "kills", "calls", "environment", "files", "images", "web", "load", "soak")


def main() -> int:
    """Run the parts; rows are printed as they come."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="how often, as a share of the full number")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for part in arguments.parts:
        started_s = time.monotonic()
        sys.stdout.write(f"\n## {part}, {date.today()}\n\n{HEADER}\n")
        for row in importlib.import_module(f"tests.faults.{part}").rows(arguments.scale):
            rows.append(row)
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
        sys.stdout.write(f"\n{time.monotonic() - started_s:.0f} s\n")
    return int(any(row.is_met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())

"""How many examples hypothesis tries: one in ten in the fast set, all of them in tests/run.sh."""

import os

SHARE = 1 if os.environ.get("EXAMPLES") == "all" else 10
FEWEST = 5


def examples(most: int) -> int:
    """So many of a property's examples are tried in this run of the tests."""
    return max(most // SHARE, min(FEWEST, most))

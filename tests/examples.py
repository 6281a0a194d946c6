"""How many examples hypothesis tries: one in ten in the fast set, all of them in tests/run.sh."""

import os

SHARE = 1 if os.environ.get("EXAMPLES") == "all" else 10
FEWEST = 5


def examples(most: int) -> int:
    """How many of a property's examples this run of the tests tries."""
    return max(most // SHARE, min(FEWEST, most))

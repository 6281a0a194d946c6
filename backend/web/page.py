"""The files of the page, as they were built."""

import re
from functools import lru_cache
from pathlib import Path

from config import IS_CLONE, ROOT

PAGE = ROOT / "reactcode" / "dist" if IS_CLONE else ROOT / "backend" / "page"
PROGRAM = re.compile(r"""<script type="module"[^>]* src="\./assets/([^"/]+)">""")
FOR_GOOD = "private, max-age=31536000, immutable"  # The cache header of what never changes under its address.


def program() -> str | None:
    """The name of the script that the page starts with, which each version changes; None while there is no page."""
    path = PAGE / "index.html"
    try:
        return _program(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=1)
def _program(path: Path, _mtime_ns: int) -> str | None:
    found = PROGRAM.search(path.read_text("utf-8"))
    return found and found[1]

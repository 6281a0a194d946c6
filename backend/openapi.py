"""A command that writes the OpenAPI document of the annotation server, from which the page's types are generated."""

import contextlib
import json
import tempfile
from pathlib import Path

from backend.app import create_app
from backend.session.session import Session
from config import ROOT, Config

DOCUMENT = ROOT / "docs" / "reference" / "openapi.json"


def document() -> str:
    """The document of the code as it is."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        with contextlib.closing(Session(Config(run=run, datadir=Path(folder)))) as session:
            described = create_app(session, None).openapi()
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it to where it is committed."""
    DOCUMENT.write_text(document(), "utf-8")


if __name__ == "__main__":
    main()

"""A command that writes the OpenAPI document of the annotation server, from which the page's types are generated."""

import json

from backend.app import routes_app
from config import ROOT

DOCUMENT = ROOT / "docs" / "reference" / "openapi.json"


def document() -> str:
    """The document of the code as it is."""
    return json.dumps(routes_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it to where it is committed."""
    DOCUMENT.write_text(document(), "utf-8")


if __name__ == "__main__":
    main()

"""The ways in which an answer can be given: one list for the database, the requests, the exports and the page."""

from typing import Final, Literal

ClientSource = Literal["key", "button", "timeout", "grid", "map", "api"]
"""What a client can say of an answer that it sends."""
Source = Literal[ClientSource, "import"]
"""What the database can have of an answer."""
ExportedSource = Literal[Source, "model"]
"""What an export can have beside a label: the model's labels are no answers, but stand among them there."""

BY_MAP: Final = "map"
KEPT: Final = ":kept"  # ends the id of an answer that is stored once more because of the map: see `places.py`
BY_IMPORT: Final = "import"
BY_MODEL: Final = "model"

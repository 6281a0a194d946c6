"""Cells of a CSV file that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it.

That is what OWASP advises against CSV injection. `plain` gives back the very text.
"""

import re

FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # the last four: the same in full width


def harmless(text: str) -> str:
    """A text as it stands in a cell."""
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell: str) -> str:
    """The text that `harmless` made a cell of."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell

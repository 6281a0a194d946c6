"""Cells of a CSV file that no spreadsheet takes for a formula.

A text that begins like a formula gets an apostrophe before it, as OWASP advises against CSV injection. `plain` removes
the apostrophe again.
"""

import re

FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # the last four: the same in full width


def harmless(text: str) -> str:
    """The cell for a text."""
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell: str) -> str:
    """The text in a cell that `harmless` made."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell

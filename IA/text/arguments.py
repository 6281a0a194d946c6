"""The values that a person gives on a command line: each function reads one kind, or says what is wrong with the text.

All of them raise argparse.ArgumentTypeError.
"""

import argparse
import math
import re
import socket

from IA.text.network_names import split_networks
from IA.text.prompts import checked_prompt

GRID = re.compile(r"([1-9]\d{0,2})x([1-9]\d{0,2})", re.ASCII)  # columns x rows
MOST_TILES = 1000  # of one photo
AUTO_IDLE_LEAST_S = 10


def port(text: str) -> int:
    """A port that leaves the next one for TensorBoard."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) <= 65534:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, a number from 1 to 65534")
    return int(text)


def host(text: str) -> str:
    """An address in its usual form, without the brackets that it has in links; a name as it is."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in bare:  # The usual form of an address does not name its interface.
        return bare
    try:
        *_, (address, *_) = socket.getaddrinfo(bare, None, flags=socket.AI_NUMERICHOST)[0]
    except (OSError, UnicodeError):
        return bare
    return str(address).removeprefix("::ffff:") if "." in str(address) else str(address)


def grid(text: str) -> str:
    """A grid of tiles, such as 6x4."""
    found = GRID.fullmatch(text)
    if found is None or not 2 <= int(found[1]) * int(found[2]) <= MOST_TILES:
        raise argparse.ArgumentTypeError(f"{text!r} is no grid of 2 to {MOST_TILES} tiles, columns x rows, such as 6x4")
    return text


def networks(text: str) -> str:
    """One network, or two of which the second comes behind the first."""
    try:
        split_networks(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share, a number from 0 to 1")
    return number


def prompt(text: str) -> str:
    """What a person looks for, in its one form."""
    try:
        return checked_prompt(text)
    except ValueError as mistake:
        raise argparse.ArgumentTypeError(str(mistake).removesuffix(".")) from None


def idle_s(text: str) -> float:
    """A time in seconds, at least `AUTO_IDLE_LEAST_S`; 0, as for `off`, means never."""
    if text == "off":
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if seconds != 0 and not AUTO_IDLE_LEAST_S <= seconds < math.inf:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time to wait, {AUTO_IDLE_LEAST_S} seconds or more; 0 or off: never"
        )
    return seconds

"""A check of a pickle, opcode by opcode, before Python's unpickler reads it.

The unpickler believes any size. Twenty bytes that name place 2 ** 30 of the memo take 16 GB, and a million nested
tuples overflow the stack as soon as they are a key. A pickle that holds only the opcodes which this project writes can
do neither: the memory that it takes is bounded by its length.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass

STOP, FRAME, GLOBAL, LONG_BINPUT = pickle.STOP[0], pickle.FRAME[0], pickle.GLOBAL[0], pickle.LONG_BINPUT[0]
TEXT = pickle.SHORT_BINUNICODE[0]  # by far the most frequent opcode: a path
MOST_NESTED = 20_000  # containers and tuples; torch writes four for each tensor, this project three in a file


def _sizes(opcodes_by_size: dict[int, tuple[bytes, ...]]) -> dict[int, int]:
    return {opcode[0]: size for size, opcodes in opcodes_by_size.items() for opcode in opcodes}


COUNTED = _sizes(  # opcodes followed by a count of bytes, by how many bytes this count has
    {
        1: (pickle.SHORT_BINUNICODE, pickle.SHORT_BINBYTES, pickle.LONG1),
        4: (pickle.BINUNICODE, pickle.BINBYTES),
        8: (pickle.BINUNICODE8, pickle.BINBYTES8, pickle.FRAME),
    }
)
PLAIN = _sizes(  # the other opcodes of this project's pickles, by how many bytes follow
    {
        0: (
            *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.MARK),
            *(pickle.APPEND, pickle.APPENDS, pickle.SETITEM, pickle.SETITEMS),
        ),
        1: (pickle.PROTO, pickle.BININT1),
        2: (pickle.BININT2,),
        4: (pickle.BININT,),
        8: (pickle.BINFLOAT,),
    }
)
REMEMBERED = {1: (pickle.BINPUT, pickle.BINGET), 4: (LONG_BINPUT.to_bytes(), pickle.LONG_BINGET)}


@dataclass(frozen=True)
class Kind:
    """Which opcodes a pickle may hold.

    Attributes:
        sizes: how many bytes follow each opcode; those in `COUNTED` are allowed too.
        nested: opcodes that begin a container.
        names: whether it may name classes and functions, which its reader checks.
    """

    sizes: Mapping[int, int]
    nested: frozenset[int]
    names: bool = False


OURS = Kind(PLAIN, frozenset(pickle.EMPTY_LIST + pickle.EMPTY_DICT))
FOREIGN = Kind(PLAIN | _sizes({0: (pickle.MEMOIZE,), **REMEMBERED}), OURS.nested)  # the opcodes of plain pickle.dump
TORCH = Kind(  # the opcodes of torch.save
    PLAIN | _sizes({0: (pickle.REDUCE, pickle.BINPERSID), **REMEMBERED}),
    OURS.nested | frozenset(pickle.EMPTY_TUPLE + pickle.TUPLE + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3),
    names=True,
)


def check(data: bytes, end: int, kind: Kind = OURS) -> None:
    """Refuse a pickle that holds more than it may.

    Args:
        data: begins with the pickle.
        end: where the pickle ends, right behind its STOP.
        kind: what the pickle may hold.

    Raises:
        ValueError: there is another opcode, a size reaches beyond the end, or too much is nested.
    """
    sizes, nested = kind.sizes, kind.nested
    place = depth = 0
    while place < end - 1:
        opcode = data[place]
        if opcode == TEXT:
            place += 2 + data[place + 1]
        elif opcode in sizes:
            if opcode == LONG_BINPUT and int.from_bytes(data[place + 1 : place + 5], "little") > end:
                raise ValueError("it claims more memory than it is long")
            place += 1 + sizes[opcode]
        elif opcode in nested:
            if (depth := depth + 1) > MOST_NESTED:
                raise ValueError(f"more than {MOST_NESTED} containers are in it")
            place += 1
        elif opcode in COUNTED:
            place += _counted(data, place, COUNTED[opcode])
        elif opcode == GLOBAL and kind.names:
            place = data.index(b"\n", data.index(b"\n", place, end) + 1, end) + 1
        else:
            raise ValueError(f"opcode {opcode:#04x} has no place in it")
    if place != end - 1 or data[place] != STOP:
        raise ValueError("it is not as long as it says")


def _counted(data: bytes, place: int, width: int) -> int:
    """How many bytes an opcode takes with the bytes it counts. A frame counts bytes, but does not hold them itself."""
    count = int.from_bytes(data[place + 1 : place + 1 + width], "little")
    if count > len(data) - place:
        raise ValueError(f"it claims {count} further bytes, which are not there")
    return 1 + width + (count if data[place] != FRAME else 0)

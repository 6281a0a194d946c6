"""One pickle between the processes: a writer publishes it as a whole, a reader trusts nothing in it.

A pickle holds built-in types only. A footer follows its STOP: magic, format version, generation, length and SHA-256.
Plain `pickle.load` ignores the footer.
"""

import contextlib
import hashlib
import io
import os
import pickle
import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, NoReturn, TypeVar

from IA.protocol import opcodes, replacement
from IA.protocol.fields import MOST

Content = TypeVar("Content")

FOOTER = struct.Struct("<8sHQQ32s")  # magic, format version, generation, length of the pickle, SHA-256 of all before it
MAGIC = b"IA\x00files"
FORMAT = 1
MOST_BYTES = 2**30  # a pickle may be this long, which is enough for some ten million paths
BAD_PICKLE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    struct.error,
)


@dataclass(frozen=True)
class PickleFile(Generic[Content]):
    """One file of the protocol: its name, and how its content becomes built-in types and back.

    `unpack` raises ValueError, KeyError or TypeError if the built-in types are not what the file may hold.
    """

    name: str
    pack: Callable[[Content], object]
    unpack: Callable[[Any], Content]


@dataclass(frozen=True)
class Version(Generic[Content]):
    """One good version of a file."""

    generation: int
    content: Content


def publish(run: Path, file: PickleFile[Content], content: Content) -> int:
    """Replace one of the pickles.

    Returns:
        The generation: one more than that of the version before.

    Raises:
        OSError: as `replacement.replace`.
    """
    data = io.BytesIO()
    pickler = pickle.Pickler(data, protocol=5)
    pickler.fast = True  # without a memo, which would take as much memory again as a million paths
    pickler.dump(file.pack(content))
    return publish_pickled(run, file.name, data)


def publish_pickled(run: Path, name: str, data: io.BytesIO) -> int:
    """Replace one of the pickles with content that is pickled already; this appends the footer to `data`."""
    path = run / name
    generation = _generation(path) + 1
    data.seek(0, os.SEEK_END)
    data.write(FOOTER.pack(MAGIC, FORMAT, generation, data.tell(), b"")[:-32])
    data.write(hashlib.sha256(data.getbuffer()).digest())
    replacement.replace(path, data.getbuffer())
    return generation


class LaterError(ValueError):
    """A later version of this program wrote the file, in a format that this version does not know."""


class _BuiltinsOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"names {module}.{name}, where only built-in types may stand")


def read(run: Path, file: PickleFile[Content]) -> Version[Content]:
    """Read one of the pickles, trusting nothing in it.

    Raises:
        FileNotFoundError: there is no such file yet.
        OSError: the file cannot be read.
        ValueError: the file is torn, foreign or not what it should hold; the sentence names the file.
    """
    path = run / file.name
    try:
        data, generation = whole(path)
        opcodes.check(data, len(data) - FOOTER.size)
        content = file.unpack(_BuiltinsOnly(io.BytesIO(data)).load())  # ends at its STOP, before the footer
    except BAD_PICKLE as error:
        raise ValueError(f"{path} is not a good {file.name} ({error}).") from None
    return Version(generation, content)


def read_foreign(path: Path) -> object:
    """The built-in types in a pickle of a run or of another program. If it has a checksum, that is compared.

    Raises:
        OSError: the pickle cannot be read.
        ValueError: the pickle is damaged or holds other types.
    """
    try:
        with _regular(path) as file:
            data = file.read(MOST_BYTES + 1)
        is_ours = MAGIC in data[-FOOTER.size :]
        end = len(whole(path)[0]) - FOOTER.size if is_ours else len(data)
        if end > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        opcodes.check(data, end, opcodes.FOREIGN)
        content: object = _BuiltinsOnly(io.BytesIO(data)).load()
    except BAD_PICKLE as error:
        raise ValueError(f"{path} is no good pickle ({error}).") from None
    return content


def whole(path: Path) -> tuple[bytes, int]:
    """The bytes of one of the pickles, and its generation. Raises ValueError if the bytes were changed."""
    with _regular(path) as file:
        footer, size = _footer(file)
        if size > MOST_BYTES:
            raise ValueError(f"{size} bytes")
        file.seek(0)
        data = file.read(size)
    if len(data) != size or hashlib.sha256(memoryview(data)[:-32]).digest() != footer[-1]:
        raise ValueError("wrong checksum")
    return data, footer[2]


@contextlib.contextmanager
def _regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file; a pipe would keep this process waiting."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("no regular file")
        yield file


def _footer(file: BinaryIO) -> tuple[tuple[bytes, int, int, int, bytes], int]:
    """The footer and the size of the whole file. Raises ValueError if this project did not write the footer."""
    size = file.seek(0, os.SEEK_END)
    if size < FOOTER.size:
        raise ValueError("shorter than its footer")
    file.seek(size - FOOTER.size)
    footer = FOOTER.unpack(file.read(FOOTER.size))
    magic, version, generation, length, _ = footer
    if magic == MAGIC and version > FORMAT:
        raise LaterError("written by a later version of this program")
    if magic != MAGIC or version != FORMAT or length != size - FOOTER.size or generation >= MOST:
        raise ValueError("no footer of ours")
    return footer, size


def _generation(path: Path) -> int:
    """The generation of the version in place; 0 if there is none or this project did not write it."""
    try:
        with _regular(path) as file:
            return _footer(file)[0][2]
    except (FileNotFoundError, ValueError, struct.error):
        return 0


def is_of_later_version(path: Path) -> bool:
    """Whether a later version of this program wrote this pickle."""
    try:
        with _regular(path) as file:
            _footer(file)
    except LaterError:
        return True
    except (OSError, ValueError, struct.error):
        return False
    return False

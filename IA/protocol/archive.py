"""A check of the zip archive that torch.save writes, before torch reads it.

torch compares no checksum and believes every size. So this module refuses an archive before anything is unpacked if a
member is compressed, encrypted or longer than the file, if it names anything but tensors, or if a tensor is larger than
what is stored of it. It compares the checksum of every member that will be used.
"""

import errno
import io
import math
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from IA.protocol import opcodes

BEGIN = b"PK\x03\x04"  # torch takes a file that begins like this for an archive
END, END_BYTES = b"PK\x05\x06", 22  # the last record of an archive that has no comment
ITEM_BYTES = {
    "BoolStorage": 1,
    "ByteStorage": 1,
    "CharStorage": 1,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "ShortStorage": 2,
    "FloatStorage": 4,
    "IntStorage": 4,
    "DoubleStorage": 8,
    "LongStorage": 8,
    "ComplexFloatStorage": 8,
}
STRUCTURE = "data.pkl"


class Stored(NamedTuple):
    """The member of the archive that holds the numbers of one or more tensors, and how many numbers it holds."""

    member: str
    numbers: int


class _Tensor(NamedTuple):
    storage: Stored


class _Structure(pickle.Unpickler):
    """Unpickles the structure of an archive with a `_Tensor` in place of each tensor; it may name nothing else."""

    def __init__(self, data: bytes, sizes: Mapping[str, int]) -> None:
        super().__init__(io.BytesIO(data))
        self._sizes = sizes

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if module == "torch" and name in ITEM_BYTES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} has no place in it")

    def persistent_load(self, pid: Any) -> Stored:
        kind, storage, member, _, numbers = pid
        member = f"data/{member}"
        if kind != "storage" or numbers * ITEM_BYTES[storage] != self._sizes[member]:
            raise ValueError(f"{member} is not as long as it should be")
        return Stored(member, numbers)


def _tensor(storage: Stored, offset: int, shape: Sequence[int], stride: Sequence[int], *_: object) -> _Tensor:
    """Stands in for torch's function that makes a tensor. A tensor must fit into its own storage."""
    numbers = math.prod(shape)
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if type(storage) is not Stored or min(offset, *shape, *stride, 0) < 0:
        raise ValueError("a tensor of nothing that is stored")
    if numbers > storage.numbers or (numbers and last >= storage.numbers):
        raise ValueError(f"a tensor of {numbers} numbers, where {storage.numbers} are stored")
    return _Tensor(storage)


def check(path: str | Path, prefix: str = "") -> None:
    """Refuse a file that torch.save has not written.

    Args:
        path: the file.
        prefix: the caller will use only the tensors of `state_dict` whose names begin with this.

    Raises:
        OSError: there is no file.
        One of `IA.networks.BAD_WEIGHTS`: the file is damaged or foreign.
    """
    with Path(path).open("rb") as file:
        if file.read(len(BEGIN)) != BEGIN or not _ends(file) or not _is_archive(file):
            raise ValueError("it is torn, or never was one")
        with zipfile.ZipFile(file) as archive:
            sizes = _sizes(archive, file)
            root = next(iter(sizes)).split("/")[0]
            members = {name.removeprefix(f"{root}/"): size for name, size in sizes.items()}
            data = archive.read(f"{root}/{STRUCTURE}")
            opcodes.check(data, len(data), opcodes.TORCH)
            used = _used(_Structure(data, members).load(), prefix)
            for name in members:
                if name in used or not name.startswith("data/"):
                    _compare(archive, f"{root}/{name}")


def _ends(file: BinaryIO) -> bool:
    """Whether the archive ends where the file ends; otherwise torch and Python may find different ends."""
    file.seek(max(0, file.seek(0, io.SEEK_END) - END_BYTES))
    return file.read(len(END)) == END


def _is_archive(file: BinaryIO) -> bool:
    """Whether the archive has its directory where its last record says."""
    try:
        with zipfile.ZipFile(file):
            return True
    except (zipfile.BadZipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: a place before the file begins
            raise
        return False


def _sizes(archive: zipfile.ZipFile, file: BinaryIO) -> dict[str, int]:
    """The length in bytes of each member, by its name."""
    sizes, length = {}, file.seek(0, io.SEEK_END)
    for member in archive.infolist():
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 or member.filename in sizes:
            raise ValueError(f"{member.filename} is compressed, hidden or twice there")
        if member.external_attr or member.internal_attr:  # torch reads nothing of a member that is marked as a folder
            raise ValueError(f"{member.filename} is marked as no plain member")
        if not 0 <= member.header_offset < length:
            raise ValueError(f"{member.filename} lies outside of the file")
        sizes[member.filename] = member.file_size
    if not sizes or sum(sizes.values()) > length:
        raise ValueError("it claims to hold more than it does")
    return sizes


def _used(content: Any, prefix: str) -> set[str]:
    """The members that hold the tensors which will be used."""
    state = content["state_dict"]
    if not all(type(name) is str and type(tensor) is _Tensor for name, tensor in state.items()):
        raise ValueError("its state_dict holds more than tensors")
    return {tensor.storage.member for name, tensor in state.items() if name.startswith(prefix)}


def _compare(archive: zipfile.ZipFile, name: str) -> None:
    """Read a whole member, because zipfile compares its checksum at the end."""
    with archive.open(name) as member:
        while member.read(1 << 20):
            pass

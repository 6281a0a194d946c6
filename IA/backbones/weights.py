"""Reads files of weights, which may be damaged or foreign: built-in types and tensors only, and checked."""

import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from IA.text.image_files import is_text

BAD_WEIGHTS = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    AttributeError,
    OverflowError,
    AssertionError,
    struct.error,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


def read_weights(path: Path) -> dict[str, Any]:
    """Read a file of weights; torch does not notice a damaged archive, so it is checked first.

    Raises:
        One of `BAD_WEIGHTS`: the file is damaged or foreign.
    """
    check_archive(path)
    content = load_file(path)
    if not isinstance(content, dict):
        raise ValueError("no state dict")
    return content


def check_archive(path: Path) -> None:
    """Raise ValueError if the file is a torch archive with a damaged part."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if (damaged := archive.testzip()) is not None:
                raise ValueError(f"{damaged} is damaged")


def load_file(path: str | Path, mmap: bool = False) -> Any:
    """Load what torch saved, onto the CPU; only built-in types and tensors are accepted.

    Args:
        path: of the file.
        mmap: whether to leave tensors on the disk until they are used.

    Raises:
        One of `BAD_WEIGHTS`: the file is damaged or foreign.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the warnings of torch tell a person nothing
        maps = mmap and is_text(str(path))  # torch cannot map a file whose name is not UTF-8
        return torch.load(path, map_location="cpu", weights_only=True, mmap=maps)


def check_finite(weights: Mapping[str, Tensor]) -> None:
    """Raise ValueError if a weight is not finite."""
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} is not finite")


def first_line(error: BaseException) -> str:
    """What an error says, for use inside a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")

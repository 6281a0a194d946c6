"""Forged pickles and checkpoints, with right footers and checksums, and the process that reads them.

    python -m tests.faults.forgery.attacks FOLDER        (started by tests.faults.files)

reads every file below FOLDER with the code of the product, and prints JSON objects for each: its name, then what became
of it, and how much memory this process took at most until then.
"""

import hashlib
import io
import json
import os
import pickle
import resource
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backend.imports.pickled import pickled
from IA.protocol import files as protocol
from IA.protocol import pickle_file

GB10 = 10 * 2**30
BOMB_BYTES = 150 * 2**20
DEEP = 1_000_000
LIMIT_BYTES = 12 * 2**30  # of addresses: this machine is to survive what a reader does not
Forged = Iterator[tuple[str, bytes]]


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def with_footer(data: bytes, version: int = pickle_file.FORMAT, generation: int = 7) -> bytes:
    """The bytes as the protocol would publish them."""
    data += pickle_file.FOOTER.pack(pickle_file.MAGIC, version, generation, len(data), b"")[:-32]
    return data + hashlib.sha256(data).digest()


def _text(text: str) -> bytes:
    return pickle.BINUNICODE + struct.pack("<I", len(text)) + text.encode()


def pickles(command: str, sound: bytes) -> Forged:
    """Hostile pickles, without a footer yet.

    Args:
        command: what they would run.
        sound: a pickle that the reader would take, for what stands in front of it or inside it.
    """
    begin, end = pickle.PROTO + b"\x05", pickle.STOP
    system = pickle.GLOBAL + b"os\nsystem\n"
    call = _text(command) + pickle.TUPLE1
    yield "reduce", pickle.dumps({"a": Runs(command)})
    yield "global and reduce", begin + system + call + pickle.REDUCE + end
    yield "stack global", begin + _text("os") + _text("system") + pickle.STACK_GLOBAL + call + pickle.REDUCE + end
    yield "builtins eval", begin + pickle.GLOBAL + b"builtins\neval\n" + call + pickle.REDUCE + end
    yield "inst", b"(S'" + command.encode() + b"'\nios\nsystem\n" + end
    yield "obj", pickle.MARK + system + _text(command) + pickle.OBJ + end
    yield "newobj", begin + pickle.GLOBAL + b"builtins\nobject\n" + pickle.EMPTY_TUPLE + pickle.NEWOBJ + end
    yield "build", begin + pickle.EMPTY_DICT + _text("x") + pickle.BUILD + end
    yield "build with a setter", begin + system + pickle.EMPTY_DICT + _text("__setstate__") + system
    yield "ext1", begin + pickle.EXT1 + b"\x01" + end
    yield "ext4", begin + pickle.EXT4 + b"\x01\x00\x00\x01" + end
    yield "persistent id", begin + pickle.PERSID + b"os.system\n" + end
    yield "binary persistent id", begin + _text("os.system") + pickle.BINPERSID + end
    yield "next buffer", begin + pickle.NEXT_BUFFER + end
    yield "code before what is sound", begin + system + call + pickle.REDUCE + pickle.POP + sound[2:]
    yield "code behind a stop", sound[:-1] + end + system + call + pickle.REDUCE + end
    yield "lists in lists", begin + pickle.EMPTY_LIST * DEEP + pickle.APPEND * (DEEP - 1) + end
    yield "tuples in tuples", begin + pickle.NONE + pickle.TUPLE1 * DEEP + end
    yield "tuples in tuples as a key", begin + b"}N" + pickle.TUPLE1 * DEEP + b"Ns" + end
    yield "dicts in dicts", begin + (pickle.EMPTY_DICT + b"K\x01") * DEEP + pickle.NONE + pickle.SETITEM * DEEP + end
    for name, opcode, size in (
        ("binbytes8 of 10 GB", pickle.BINBYTES8, "<Q"),
        ("binunicode8 of 10 GB", pickle.BINUNICODE8, "<Q"),
        ("bytearray8 of 10 GB", pickle.BYTEARRAY8, "<Q"),
        ("frame of 10 GB", pickle.FRAME, "<Q"),
    ):
        yield name, begin + opcode + struct.pack(size, GB10) + b"abc" + end
    yield "binbytes of 4 GB", begin + pickle.BINBYTES + struct.pack("<I", 2**32 - 1) + b"abc" + end
    yield "long4 of 2 GB", begin + pickle.LONG4 + struct.pack("<i", 2**31 - 1) + b"abc" + end
    yield "memo of 2 ** 28", begin + pickle.EMPTY_LIST + pickle.LONG_BINPUT + struct.pack("<I", 2**28) + end
    yield "memo of 2 ** 32", begin + pickle.EMPTY_LIST + pickle.LONG_BINPUT + struct.pack("<I", 2**32 - 1) + end
    yield "text memo", begin + pickle.EMPTY_LIST + pickle.PUT + b"268435456\n" + end
    yield "a number of 20,000 digits", begin + pickle.INT + b"9" * 20_000 + b"\n" + end
    yield "no stop", sound[:-1]
    yield "nothing", b""
    yield "another program's", pickle.dumps([1, 2, 3])


def odd_footers(sound: bytes) -> Forged:
    """A sound pickle under footers that are not as they should be."""
    yield "a later version", with_footer(sound, version=pickle_file.FORMAT + 1)
    yield "a generation without an end", with_footer(sound, generation=2**64 - 1)
    yield "a footer alone", with_footer(b"")
    yield "a footer of another file", with_footer(sound)[: len(sound)] + with_footer(sound + b".")[len(sound) + 1 :]


def _long(number: int) -> bytes:
    return pickle.LONG1 + b"\x08" + struct.pack("<q", number)


def tensor(numbers: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """A tensor as torch writes it into data.pkl, of the storage 0."""
    dimensions = pickle.MARK + b"".join(map(_long, shape)) + pickle.TUPLE
    steps = pickle.MARK + b"".join(map(_long, stride)) + pickle.TUPLE
    hooks = pickle.GLOBAL + b"collections\nOrderedDict\n" + pickle.EMPTY_TUPLE + pickle.REDUCE
    stored = _text("storage") + pickle.GLOBAL + b"torch\nFloatStorage\n" + _text("0") + _text("cpu") + _long(numbers)
    storage = pickle.MARK + stored + pickle.TUPLE + pickle.BINPERSID
    arguments = storage + _long(offset) + dimensions + steps + pickle.NEWFALSE + hooks
    return (
        pickle.GLOBAL + b"torch._utils\n_rebuild_tensor_v2\n" + pickle.MARK + arguments + pickle.TUPLE + pickle.REDUCE
    )


def with_tensor(data: bytes) -> bytes:
    """A checkpoint's data.pkl whose state_dict has this for its only weight."""
    content = {"format": 1, "network": "tiny", "backbone": "f", "base": "f", "threshold": 0.5, "labels": 2}
    content |= {"generation": 1, "created": "", "metrics": {}, "learnt": []}
    content |= {"classes": {"positive": "a", "negative": "b"}}
    whole = pickle.dumps(content, protocol=2)[:-1]
    state = pickle.EMPTY_DICT + _text("head.mean") + data + pickle.SETITEM
    return whole + _text("state_dict") + state + pickle.SETITEM + pickle.STOP


def rezipped(
    sound: bytes, members: dict[str, bytes], kind: int = zipfile.ZIP_STORED, before: bytes = b"", behind: bytes = b""
) -> bytes:
    """A checkpoint with some of its members replaced."""
    target = io.BytesIO()
    target.write(before)
    with (
        zipfile.ZipFile(io.BytesIO(sound)) as old,
        zipfile.ZipFile(target, "a" if before else "w", kind, compresslevel=1) as new,
    ):
        root = old.namelist()[0].split("/")[0]
        for name in old.namelist():
            short = name.removeprefix(f"{root}/")
            new.writestr(name, members[short] if short in members else old.read(name))
        for name in members.keys() - {name.removeprefix(f"{root}/") for name in old.namelist()}:
            new.writestr(f"{root}/{name}", members[name])
    return target.getvalue() + behind


def checkpoints(command: str, sound: bytes) -> Forged:
    """Hostile checkpoints, made from a sound one."""
    with zipfile.ZipFile(io.BytesIO(sound)) as archive:
        root = archive.namelist()[0].split("/")[0]
        data = archive.read(f"{root}/data.pkl")
        four = len(archive.read(f"{root}/data/0")) // 4
    for name, forged in pickles(command, data):
        yield f"data.pkl: {name}", rezipped(sound, {"data.pkl": forged})
    counter = pickle.GLOBAL + b"builtins\nbytearray\n" + _long(GB10) + pickle.TUPLE1 + pickle.REDUCE
    for name, weight in {
        "a bytearray of 10 GB": counter,
        "a storage of 10 GB, 4 bytes of it there": tensor(GB10 // 4, (4,), (1,)),
        "a storage beyond its member": tensor(four + 1000, (four + 1000,), (1,)),
        "a tensor of 40 GB without strides": tensor(four, (GB10,), (0,)),
        "a matrix of 40 GB without strides": tensor(four, (100_000, 100_000), (0, 0)),
        "a tensor beyond its storage": tensor(four, (four,), (1,), offset=1000),
        "a tensor before its storage": tensor(four, (4,), (1,), offset=-1000),
        "a tensor that goes backwards": tensor(four, (4,), (-1000,)),
        "what is no tensor": pickle.NONE,
    }.items():
        yield name, rezipped(sound, {"data.pkl": with_tensor(weight)})
    yield "compressed", rezipped(sound, {}, zipfile.ZIP_DEFLATED)
    yield "zip bomb in a tensor", rezipped(sound, {"data/0": bytes(BOMB_BYTES)}, zipfile.ZIP_DEFLATED)
    yield "zip bomb in data.pkl", rezipped(sound, {"data.pkl": bytes(BOMB_BYTES)}, zipfile.ZIP_DEFLATED)
    yield "overlapping members", _overlapping(sound)
    yield "a pickle in front", rezipped(sound, {}, before=pickle.dumps(Runs(command)))
    yield "something behind", sound + b"more"
    yield (
        "an old torch file",
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03." + pickle.dumps(Runs(command)),
    )
    yield "a plain pickle", pickle.dumps(Runs(command))
    yield "an empty archive", b"PK\x05\x06" + bytes(18)


def _overlapping(sound: bytes) -> bytes:
    """The directory of the archive names one large member a thousand times: little is there, much is claimed."""
    with zipfile.ZipFile(io.BytesIO(sound)) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
        names = [f"{largest.filename.split('/')[0]}/data/{number}" for number in range(1000, 2000)]
        directory_at = archive.start_dir
        first = largest.header_offset
    entries = b""
    for name in names:
        size = largest.file_size
        numbers = (20, 20, 0, 0, 0, 0, largest.CRC, size, size, len(name), 0, 0, 0, 0, 0, first)
        entries += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *numbers) + name.encode()
    count = len(names)
    closing = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), directory_at, 0)
    return sound[:directory_at] + entries + closing


# --- the reading process ----------------------------------------------------------------------------------------------


def _readers(path: Path) -> dict[str, Callable[[], object]]:
    if path.suffix == ".pickle":
        kind: pickle_file.PickleFile[Any] = next(file for file in protocol.PICKLES if file.name == path.name)
        return {"read": lambda: pickle_file.read(path.parent, kind), "import": lambda: list(pickled(path))}
    from IA.finetuning.checkpoint import Tuned
    from IA.model import Predictor, load_head

    return {
        "load_head": lambda: load_head(path),
        "Predictor.load": lambda: Predictor.load(path),
        "Tuned.load": lambda: Tuned.load(path),
    }


def _outcome(reader: Callable[[], object], path: Path) -> str:
    try:
        reader()
    except (ValueError, OSError) as error:
        said = str(error)
        is_sentence = str(path) in said and "\n" not in said
        return "refused" if is_sentence else f"{type(error).__name__}: {said[:200]}"
    except BaseException as error:  # noqa: BLE001 - whatever comes is what this is to find out
        return f"{type(error).__name__}: {error}"[:200]
    return "TAKEN"


def _peak_kb() -> int:
    """The largest memory this process ever had; getrusage would tell that of the one which started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def main() -> None:
    """Read everything below the folder."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    if sys.argv[2:] == ["checkpoints"]:
        import torch

        from IA.networks import register
        from tests.conftest import tiny

        torch.set_num_threads(1)
        register("tiny")(tiny)
    began_kb = _peak_kb()
    for path in sorted(path for path in Path(sys.argv[1]).rglob("*.*") if path.suffix in {".pickle", ".ckpt"}):
        for name, reader in _readers(path).items():
            sys.stdout.write(json.dumps({"begin": f"{path.parent.name}: {name}"}) + "\n")
            sys.stdout.flush()
            outcome = _outcome(reader, path)
            if outcome != "refused":
                outcome += f" ({path.parent.name}: {name})"
            grown_mb = (_peak_kb() - began_kb) // 1024
            sys.stdout.write(json.dumps({"outcome": outcome, "grown_mb": grown_mb}) + "\n")


if __name__ == "__main__":
    main()

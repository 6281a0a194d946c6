"""What this process opens, connects to or starts: Python tells an audit hook of each before it happens."""

import contextlib
import functools
import sys
from collections.abc import Iterator

TOLD = frozenset(
    {
        "open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.chmod", "os.link", "os.symlink",
        "glob.glob", "shutil.copyfile", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "sqlite3.connect",
        "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request", "pickle.find_class", "import",
    }
)  # fmt: skip
_watching: list[list[tuple[str, str]]] = []


@contextlib.contextmanager
def witnessed() -> Iterator[list[tuple[str, str]]]:
    """What happens in the block, in all threads: what it was, and with what."""
    _listen()
    seen: list[tuple[str, str]] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)


@functools.cache
def _listen() -> None:
    """Once: a hook cannot be taken out again."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event in TOLD and _watching:
        told = (event, repr(arguments))
        for seen in list(_watching):
            seen.append(told)

"""The hub that timm and open_clip load weights from; where it cannot be reached, nothing waits for it."""

import contextlib
import socket
import urllib.request
from collections.abc import Iterator

HUB = "huggingface.co"


def is_reachable() -> bool:
    """Whether the hub's name is known here, or a proxy stands between, which knows it."""
    return bool(urllib.request.getproxies()) or _resolves(HUB)


@contextlib.contextmanager
def not_waiting() -> Iterator[None]:
    """If the hub cannot be reached, use only the files that are on this machine: its client would try for 45 s.

    Raises:
        OSError: what the block loads is not on this machine, and the hub cannot be reached.
    """
    from huggingface_hub import constants

    if is_reachable():
        yield
        return
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise OSError(f"{HUB} cannot be reached") from error


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True

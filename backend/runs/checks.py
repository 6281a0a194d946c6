"""Finds a person's mistakes before anything is started; each gets one sentence that says what to do."""

import errno
import ipaddress
import os
import pwd
import socket
from pathlib import Path

from backend.images.listing import Listing, sentence_on_missing
from backend.runs.question import check_names
from backend.store.place import PARTS
from backend.store.schema import DATABASE, VERSION, version_of
from config import COMMAND, Config, UsageError
from IA.images.tiles import photo_of
from IA.protocol.files import IMAGES, PICKLES, SETTINGS
from IA.protocol.locks import check_byte_locks
from IA.protocol.pickle_file import is_of_later_version, read
from IA.protocol.records import Settings
from IA.text.image_files import IMAGE_SUFFIXES

NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
LOCKS = ("session", "server")
SAMPLE = 1000  # So many images of a run are looked for in another folder.
FOUND_SHARE = 0.5  # The run accepts that folder if at least this share of them is there.


def check_place(config: Config) -> None:
    """Check what a session needs of this machine: its folder of images, and the address to listen on.

    Raises:
        UsageError: the folder, the host or the port cannot be used.
    """
    datadir = config.datadir
    if datadir is None:
        raise UsageError(f"No folder of images is named; see {COMMAND} --help.")
    if not os.access(datadir, os.R_OK | os.X_OK):
        raise UsageError(f"{datadir} may not be read; change its permissions or name another folder.")
    listing = Listing(datadir, follow_links=config.follow_links)
    is_empty = next(listing.walk(datadir), None) is None
    if is_empty and listing.missing and not config.allow_upload:
        raise UsageError(f"No image in {datadir} or below can be shown: {sentence_on_missing(listing.missing)}.")
    if is_empty and not config.allow_upload:
        others = f" {listing.others.total()} files there end otherwise." if listing.others else ""
        raise UsageError(
            f"There are no images in {datadir} or below; images end in {_endings()}, and links count only if they stay "
            f"in the folder, or with --follow-links; with --allow-upload it may be empty.{others}"
        )
    check_address(config)


def check_address(config: Config) -> None:
    """Check the address to listen on.

    Raises:
        UsageError: the host or the port cannot be used.
    """
    if not config.token and is_exposed(config):
        raise UsageError(
            f"Without a token anybody who reaches {config.host} could answer and see the images; leave --no-token out, "
            "or listen on localhost."
        )
    listen(config).close()


def is_exposed(config: Config) -> bool:
    """Whether other machines can reach the address to listen on. Raises UsageError where the host has no address."""
    addresses = [str(address[0]).partition("%")[0] for _, address in _resolved(config)]
    return not all(ipaddress.ip_address(address).is_loopback for address in addresses)


def exposed(config: Config) -> str:
    """A sentence for the person who starts the session: who can reach it; "" where only this machine can."""
    if not is_exposed(config):
        return ""
    where = "every address of this machine" if config.is_everywhere else config.host
    return (
        f"Listening on {where}, port {config.port}: whoever has the link can see the images and answer, and what is "
        "sent can be read on its way.\nTo keep it to yourself, start with localhost and come from elsewhere through "
        f"ssh -L {config.port}:localhost:{config.port} {socket.gethostname()}.\n"
    )


def listen(config: Config) -> socket.socket:
    """The socket that the server listens on.

    Raises:
        UsageError: the port is in use, or the host is not an address of this machine.
    """
    for family, address in (known := _resolved(config)):
        both = config.is_everywhere and family == socket.AF_INET6 and socket.has_dualstack_ipv6()  # :: means IPv4 too
        try:
            listener = socket.create_server(address, family=family, dualstack_ipv6=both)
            break
        except OSError as error:
            if error.errno in NOT_HERE and address != known[-1][1]:
                continue  # localhost may have an IPv6 address on a machine without IPv6
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            where = f"{config.host}, port {config.port}"
            raise UsageError(f"Cannot listen on {where}: {reason}; {_other(config.port)}.") from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or an answer waits 40 ms for the peer's ACK
    return listener


def _resolved(config: Config) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """The addresses of the host as a socket takes them, the best first, with the interface where one is named."""
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UsageError(f"{config.host} is no address of this machine; use localhost or 0.0.0.0.") from None
    return [(family, address) for family, *_, address in found]  # type: ignore[misc]


def _other(port: int) -> str:
    """What to do about a port in use, which the TensorBoard of an earlier session may hold."""
    if port < 2 or is_free(port) or is_free(port - 1):
        return "choose another"
    free = next((other for other in range(port + 1, 65535) if is_free(other) and is_free(other + 1)), "another")
    return f"the session on port {port - 1} may have its TensorBoard there; choose {free}"


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback interface."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _endings() -> str:
    return ", ".join(sorted(IMAGE_SUFFIXES))


def check_run(config: Config) -> None:
    """Check the run directory, and make it if it is new.

    Raises:
        UsageError: the run or a file in it cannot be written, a later version has written it, or it belongs to another
            folder, has other tiles, or has answers with other names.
    """
    run = config.run
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"The run directory {run} cannot be made: {reason}; name another with --run.") from None
    if not os.access(run, os.W_OK | os.X_OK):
        raise UsageError(f"The run directory {run} cannot be written; name another with --run.")
    _check_files(run)
    check_version(run)
    try:
        before = read(run, SETTINGS).content
    except (OSError, ValueError):
        before = None
    if before is not None and config.datadir is not None:
        _check_folder(run, before, config.datadir)
    if before is not None and config.tile is not None and config.tile != before.tile:
        what = f"tiles of {before.tile}" if before.tile else "whole images"
        raise UsageError(
            f"The run {run} asks about {what}, not tiles of {config.tile}; name another with --run, or begin it anew "
            "with --reset."
        )
    check_names(config)
    check_byte_locks(run)  # This check comes last, because it makes a file.


def _check_files(run: Path) -> None:
    """Check the files that are written in place, not replaced. Raises UsageError where one cannot be written."""
    for file in [*(run / f"{DATABASE}{part}" for part in PARTS), *(run / f".{name}.lock" for name in LOCKS)]:
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            raise UsageError(
                f"{file} cannot be written{_whose(file)}, and so no answer could be stored; change its owner or its "
                "permissions, or name another run with --run."
            )


def _whose(file: Path) -> str:
    """The owner of a file, if that is another person."""
    owner = file.stat().st_uid
    if owner == os.geteuid():
        return ""
    try:
        return f": it belongs to {pwd.getpwuid(owner).pw_name}"
    except KeyError:
        return f": it belongs to user {owner}"


def check_version(run: Path) -> None:
    """Check that no later version has written the run. Raises UsageError."""
    later = [file.name for file in PICKLES if is_of_later_version(run / file.name)]
    if version_of(run / DATABASE) > VERSION:
        later.append(DATABASE)
    if later:
        raise UsageError(
            f"A later version of this program wrote {run / later[0]}; start that version, or name another run with "
            "--run."
        )


def _check_folder(run: Path, before: Settings, datadir: Path) -> None:
    """Check that the run stays with its folder, unless that folder is gone or the run itself was moved or copied.

    In these cases the run accepts a folder in which its images are found again.
    """
    folder = Path(before.datadir)
    is_there = folder.is_dir()
    if is_there and folder.samefile(datadir):
        return
    was_moved = before.run not in {"", str(run)}
    if is_there and not was_moved:
        raise UsageError(f"The run {run} belongs to {folder}; name another with --run, or begin it anew with --reset.")
    try:
        known = read(run, IMAGES).content
    except (OSError, ValueError):
        return
    asked = known[:: max(1, len(known) // SAMPLE)]
    found = sum((datadir / photo_of(path)).is_file() for path in asked)
    if found < FOUND_SHARE * len(asked):
        raise UsageError(
            f"The run {run} belongs to {folder}, and of {len(asked)} of its images {found} are in {datadir}; name the "
            "folder that has them, another run with --run, or begin it anew with --reset."
        )

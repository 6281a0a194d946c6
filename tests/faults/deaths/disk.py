"""A disk whose power can be cut: an ext4 file system in a file, behind a loop device."""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2
SIZE_BYTES = 96 * 2**20
# By default ext4 itself syncs a file that replaces another, as few other file systems do: not here.
OPTIONS = "loop,noauto_da_alloc"
UNMOUNT_S = 10.0


def why_not() -> str | None:
    """Why there can be no such disk here; None where there can."""
    if os.geteuid():
        return "needs root, for loop devices"
    if not shutil.which("mkfs.ext4"):
        return "needs mkfs.ext4"
    return None


class Disk:
    """The file system; mounted or not."""

    def __init__(self, folder: Path) -> None:
        """Make one in a folder. Raises subprocess.CalledProcessError where loop devices may not be used."""
        self.place = folder / "disk"
        self._image = folder / "disk.img"
        self.place.mkdir()
        with self._image.open("wb") as file:
            file.truncate(SIZE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-E", "nodiscard", str(self._image)], check=True, capture_output=True)

    def mount(self) -> None:
        """Mount it; after a cut this recovers the journal."""
        command = ["mount", "-t", "ext4", "-o", OPTIONS, str(self._image), str(self.place)]
        subprocess.run(command, check=True, capture_output=True)

    def cut(self) -> None:
        """Cut the power: what is not on the disk by now, journal included, never gets there."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmount it; whoever used it has to be dead."""
        ends_s = time.monotonic() + UNMOUNT_S
        while self.place.is_mount():
            done = subprocess.run(["umount", str(self.place)], check=False, capture_output=True, text=True)
            if done.returncode and time.monotonic() > ends_s:
                raise OSError(done.stderr)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A disk that is mounted, and gone when the block has ended."""
    made = Disk(folder)
    made.mount()
    try:
        yield made
    finally:
        made.unmount()

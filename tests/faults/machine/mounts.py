"""File systems of one's own, on loop devices: to be filled, taken away and brought back."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.serving import until


def missing(*programs: str) -> str | None:
    """Why nothing can be mounted here; None where it can."""
    if os.geteuid():
        return "mounting needs root"
    for program in ("mount", "umount", "mkfs.ext4", *programs):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices"
    return None


class Disk:
    """An ext4 file system in a file."""

    def __init__(self, image: Path, folder: Path, size_mb: int) -> None:
        """Make it, and the folder that it is to be mounted on."""
        self.folder = folder
        self._image = image
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        folder.mkdir()

    def mount(self) -> None:
        """Bring it."""
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.folder)], check=True)

    def unmount(self) -> None:
        """Take it away, as soon as nobody has a file open."""
        until(lambda: subprocess.run(["umount", str(self.folder)], capture_output=True, check=False).returncode == 0)

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def empty(self) -> None:
        """Undo `fill`."""
        (self.folder / "ballast").unlink(missing_ok=True)


@contextlib.contextmanager
def disk(place: Path, name: str, size_mb: int) -> Iterator[Disk]:
    """A mounted file system, gone at the end whatever happens."""
    made = Disk(place / f"{name}.ext4", place / name, size_mb)
    made.mount()
    try:
        yield made
    finally:
        if os.path.ismount(made.folder):
            subprocess.run(["chattr", "-R", "-i", str(made.folder)], capture_output=True, check=False)
            with contextlib.suppress(AssertionError):
                made.unmount()
        if os.path.ismount(made.folder):
            subprocess.run(["umount", "-l", str(made.folder)], check=False)

"""A lock is held by one process, for as long as it lives."""

import signal
import subprocess
import sys
from pathlib import Path

from IA import locks
from tests.serving import until


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """A loop's lock is held by one process at a time, and free again when that is killed."""
    script = (
        "import sys, pathlib, signal; from IA import locks\n"
        "with locks.hold(pathlib.Path(sys.argv[1]), 'trainer') as held:\n"
        "    print(held, flush=True); signal.pause()"
    )
    root = Path(locks.__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        assert locks.is_held(tmp_path, "trainer")
        with locks.hold(tmp_path, "trainer") as held:
            assert not held
        child.send_signal(signal.SIGKILL)
        child.wait()
    until(lambda: not locks.is_held(tmp_path, "trainer"))
    with locks.hold(tmp_path, "trainer") as held:
        assert held

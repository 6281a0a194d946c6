"""Runs t-SNE in a process of its own, at the lowest priority, so that it takes nothing that a person waits for."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

Floats = NDArray[np.float32]


class Fitting:
    """One computation of the places of some images."""

    def __init__(self, folder: Path, numbers: NDArray[np.int64], vectors: Floats, start: Floats) -> None:
        """Start it.

        Args:
            folder: for the files of the computation; it is made, and deleted at the end.
            numbers: (m,) of the images.
            vectors: (m, K) of the images, of length 1.
            start: (m, 2) places to begin with.

        Raises:
            OSError: the files cannot be written, or the process cannot be started.
        """
        self.numbers = numbers
        self._folder = folder
        self._result = folder / "places.npy"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        np.savez(folder / "task.npz", vectors=vectors.astype(np.float16), start=start)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "IA.layout", str(folder / "task.npz"), str(self._result)],
            stdin=subprocess.DEVNULL,
            env=os.environ | ONE_THREAD,
        )

    @property
    def is_running(self) -> bool:
        """Whether the places are still being computed."""
        return self._process.poll() is None

    def places(self) -> Floats | None:
        """The places (m, 2) once they are computed; None: that has failed, for which there is a warning in the log."""
        places: Floats | None = None
        try:
            places = np.load(self._result)
            if places.shape != (len(self.numbers), 2) or not np.isfinite(places).all():
                raise ValueError("places that are not two finite figures for each image")
        except (OSError, ValueError) as error:
            code = self._process.returncode
            log.warning("the map could not be laid out (%s, exit code %s); the last one stays", error, code)
            places = None
        shutil.rmtree(self._folder, ignore_errors=True)
        return places

    def close(self) -> None:
        """End the computation; nothing of it is kept."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

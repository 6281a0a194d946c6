"""Computes the places of some images once; inference starts it behind everything else.

python -m IA.layout TASK.npz PLACES.npy
"""

import os
import sys
from pathlib import Path

import numpy as np

from IA.layout.tsne import tsne

NICE = 19  # The layout gets only the processor time that no other process wants.


def main() -> None:
    """Read vectors and the places to begin with from TASK.npz, and write places to PLACES.npy."""
    task, result = map(Path, sys.argv[1:3])
    os.nice(NICE)
    with np.load(task) as arrays:
        vectors, start = arrays["vectors"].astype(np.float32), arrays["start"]
    places = tsne(vectors, start)
    unfinished = result.with_suffix(".tmp.npy")
    np.save(unfinished, places.astype(np.float32))
    unfinished.replace(result)


if __name__ == "__main__":
    main()

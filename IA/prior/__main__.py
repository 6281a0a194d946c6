"""Writes classes.npy anew, the known classes as the English encoder sees them: `python -m IA.prior`."""

import numpy as np

from IA.prior.known_classes import known_classes
from IA.prior.sentences import CLASSES, english


def main() -> None:
    """Encode the classes, and write them as float16."""
    np.save(CLASSES, english().passages(known_classes().descriptions).astype(np.float16))


if __name__ == "__main__":
    main()

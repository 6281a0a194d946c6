"""Finds pairs of vectors with nearly the same direction, without comparing all with all.

The bits of a code say on which side of random hyperplanes a vector lies; the nearer two vectors are, the fewer bits of
their codes differ. Several tables hold the vectors in the order of such codes, and only vectors that stand near one
another in one of the tables are compared (Charikar 2002, section 3).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

TABLES = 16
BITS = 64
WINDOW = 8  # A vector is compared with this many to either side of it in each table.
MOST_BITS = 22  # Codes may differ in this many bits: at a cosine of .85, 11 ± 3 do, of unrelated vectors 32 ± 4.
AT_ONCE = 1024
BESIDE = 4  # An image is compared with this many before and after it in the list, as pictures of one moment often are.

Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]
Codes = NDArray[np.uint64]


class Neighbours:
    """Vectors of length 1 by number, in tables of sorted codes."""

    def __init__(self, dimension: int, seed: int = 0) -> None:
        """Begin empty.

        Args:
            dimension: K of the vectors.
            seed: of the random hyperplanes.
        """
        self._planes = np.random.default_rng(seed).standard_normal((dimension, TABLES * BITS)).astype(np.float32)
        self._codes = [np.zeros(0, np.uint64) for _ in range(TABLES)]
        self._numbers = [np.zeros(0, np.int32) for _ in range(TABLES)]
        self._gone = np.zeros(0, np.bool_)

    def forget(self, numbers: Numbers) -> None:
        """Remove these at the next `add`."""
        numbers = numbers[numbers < len(self._gone)]
        self._gone[numbers] = True

    def add(self, numbers: Numbers, vectors: Floats) -> Codes:
        """Put vectors (n, K) into the tables, whose numbers are new or forgotten; returns their codes (n, TABLES)."""
        if len(numbers):
            more = int(numbers.max()) + 1 - len(self._gone)
            self._gone = np.pad(self._gone, (0, max(0, more)))
        codes = self._codes_of(vectors)
        for table in range(TABLES):
            kept = ~self._gone[self._numbers[table]]
            before, who = self._codes[table][kept], self._numbers[table][kept]
            order = np.argsort(codes[:, table])
            fresh = codes[order, table]
            places = np.searchsorted(before, fresh)
            self._codes[table] = np.insert(before, places, fresh)
            self._numbers[table] = np.insert(who, places, numbers[order].astype(np.int32))
        self._gone[:] = False
        return codes

    def pairs(
        self, numbers: Numbers, codes: Codes, vectors_of: Callable[[Numbers], Floats], least: float
    ) -> tuple[Numbers, Numbers, Floats]:
        """Find the neighbours of some vectors.

        Args:
            numbers: (n,), added before.
            codes: (n, TABLES), as `add` gave them.
            vectors_of: gives the vectors (m, K) of numbers.
            least: the cosine that a pair must reach.

        Returns:
            Number, neighbour and cosine of each pair that was found, (p,) each.
        """
        found = [np.zeros((0, 2), np.int64)]
        for start in range(0, len(numbers), AT_ONCE):
            found.append(self._likely(numbers[start : start + AT_ONCE], codes[start : start + AT_ONCE]))
        likely = np.concatenate(found)
        cosines = [np.zeros(0, np.float32)]
        for start in range(0, len(likely), 16 * AT_ONCE):
            one, other = likely[start : start + 16 * AT_ONCE].T
            cosines.append(np.einsum("pk,pk->p", vectors_of(one), vectors_of(other)))
        cosine = np.concatenate(cosines)
        is_near = cosine >= least
        return likely[is_near, 0], likely[is_near, 1], cosine[is_near]

    def _codes_of(self, vectors: Floats) -> Codes:
        bits = vectors @ self._planes > 0
        packed = np.packbits(bits.reshape(len(vectors), TABLES, BITS), axis=2)
        return np.ascontiguousarray(packed).view(">u8")[:, :, 0].astype(np.uint64)

    def _likely(self, numbers: Numbers, codes: Codes) -> Numbers:
        """Pairs (p, 2) that stand near one another in a table and differ in few bits of its code."""
        offsets = np.arange(-WINDOW, WINDOW + 1)
        pairs = []
        for table in range(TABLES):
            sorted_codes = self._codes[table]
            places = np.searchsorted(sorted_codes, codes[:, table])[:, None] + offsets  # (n, 2 W + 1)
            row, column = np.nonzero((places >= 0) & (places < len(sorted_codes)))
            at = places[row, column]
            few = np.bitwise_count(sorted_codes[at] ^ codes[row, table]) <= MOST_BITS
            pairs.append(np.stack([numbers[row[few]], self._numbers[table][at[few]]], axis=1))
        beside = numbers[:, None] + np.array([step for step in range(-BESIDE, BESIDE + 1) if step])
        is_known = (beside >= 0) & (beside < len(self._gone))
        row, column = np.nonzero(is_known)
        pairs.append(np.stack([numbers[row], beside[row, column]], axis=1))
        likely = np.concatenate(pairs)
        unique: Numbers = np.unique(likely[likely[:, 0] != likely[:, 1]], axis=0)
        return unique

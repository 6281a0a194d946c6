"""The interval of a share that was counted on a few answers."""

import math

from IA.statistics.audit import Z


def wilson(successes: int, trials: int) -> tuple[float, float] | tuple[None, None]:
    """The 95 % score interval of a proportion (Wilson 1927); None without any trial."""
    if not trials:
        return None, None
    share, z2 = successes / trials, Z * Z
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    low = middle - half if successes else 0.0  # exactly, whatever rounding says
    return low, middle + half if successes < trials else 1.0

"""Kernel columns: the similarity of every image to each support vector, kept from one head to the next."""

import torch
from torch import Tensor

from IA.learning.head import KERNEL_ANSWERS, Head, kernel

CHUNK = 16_384  # Images are scored this many at a time.
BUDGET_BYTES = 2_000_000_000  # Columns are float32 if they fit, else float16; what does not fit is computed each time.


class KernelCache:
    """Scores all images by a head whose support changes by a vector or two from one time to the next."""

    def __init__(self, projected: Tensor, budget_bytes: int = BUDGET_BYTES) -> None:
        """Begin with no column.

        Args:
            projected: (N, K) float32, kept by reference; call `refresh` for rows that have changed.
            budget_bytes: how much memory the columns may take.
        """
        self._projected = projected
        images = max(1, len(projected))
        single = images * KERNEL_ANSWERS * 4 <= budget_bytes
        self._slots = min(KERNEL_ANSWERS, budget_bytes // (images * (4 if single else 2)))
        self._slot_of: dict[bytes, int] = {}  # The slot of each support vector, by the bytes of the vector.
        self._support = torch.zeros(self._slots, projected.shape[1])
        # A slot is written before it is read, so the system gives memory only to slots in use.
        self._values = torch.empty(self._slots, len(projected), dtype=torch.float32 if single else torch.float16)

    def scores(self, head: Head) -> Tensor:
        """The scores of every row, (N,) float32, as `head.scores` gives them."""
        if not float(head.gamma) or len(head.support) > self._slots:
            return torch.cat([head.scores(rows) for rows in torch.split(self._projected, CHUNK)] or [torch.zeros(0)])
        slots = self._place(head)  # (S,)
        weights = torch.zeros(self._slots).index_add_(0, slots, head.weights)
        used = int(slots.max()) + 1
        scores = torch.empty(len(self._projected))
        for start in range(0, len(scores), CHUNK):
            values = self._values[:used, start : start + CHUNK].float()  # (S, chunk)
            torch.mv(values.T, weights[:used], out=scores[start : start + CHUNK])
        return scores + head.bias

    def refresh(self, rows: Tensor) -> None:
        """Compute the columns anew for these rows (n,) int64 of the projected images."""
        used = max(self._slot_of.values(), default=-1) + 1
        for some in torch.split(rows, CHUNK):
            values = kernel(self._support[:used], self._projected[some])  # (S, n)
            self._values[:used, some] = values.to(self._values.dtype)

    def _place(self, head: Head) -> Tensor:
        """The slot of each support vector; columns that this head does not need make room for its new ones."""
        names = [vector.tobytes() for vector in head.support.numpy()]
        self._slot_of = {name: self._slot_of[name] for name in names if name in self._slot_of}
        taken = set(self._slot_of.values())
        free = (slot for slot in range(self._slots) if slot not in taken)
        fresh: dict[int, int] = {}  # The place in the support of each new column, by its slot.
        for place, name in enumerate(names):
            if name not in self._slot_of:
                self._slot_of[name] = next(free)
                fresh[self._slot_of[name]] = place
        self._fill(torch.tensor(list(fresh), dtype=torch.int64), head.support[list(fresh.values())], float(head.gamma))
        return torch.tensor([self._slot_of[name] for name in names])

    def _fill(self, slots: Tensor, support: Tensor, gamma: float) -> None:
        if not len(slots):
            return
        self._support[slots] = support
        for start in range(0, len(self._projected), CHUNK):
            rows = self._projected[start : start + CHUNK]
            self._values[slots, start : start + CHUNK] = kernel(support, rows, gamma).to(self._values.dtype)

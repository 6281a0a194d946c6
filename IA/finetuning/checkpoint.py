"""backbone.ckpt: a backbone that is better than the first network of a run; trainer and inference change over to it.

It is the second network of `--network A,B`, or either network after fine-tuning.

| key in backbone.ckpt       | holds                                                                     |
|----------------------------|---------------------------------------------------------------------------|
| format                     | 1                                                                         |
| network                    | name of the architecture, as `IA.networks.build` takes it                 |
| base                       | fingerprint of the first network of the run                               |
| state_dict, preprocessing  | as in predictor.ckpt, without a head                                      |
| labels                     | how many positive and negative answers there were                         |
| learnt                     | paths of the answers it was trained on: they cannot tell how good it is;  |
|                            | none: it was not fine-tuned                                               |
| second                     | the second network, that it is or was tuned from, as a person named it;   |
|                            | "" or absent: it was tuned from the first one                             |
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from config import UsageError
from IA.dataset import Preprocessing
from IA.networks import BAD_WEIGHTS, Backbone, build, check_finite, load_file
from IA.protocol import archive, locks, replacement
from IA.protocol.files import BACKBONE, FINE_TUNING
from IA.protocol.watching import Signature, signature
from IA.text.network_names import AUTO

log = logging.getLogger(__name__)

NAME = "finetuning"  # The name of the process, of its lock and of its log.
FORMAT = 1
PREFIX = "backbone."


@dataclass(frozen=True)
class Tuned:
    """A backbone that replaces the first network; the attributes are the keys of its file."""

    backbone: Backbone
    base: str
    labels: int
    learnt: frozenset[str]
    second: str = ""

    @property
    def tuned_on(self) -> int:
        """How many answers it was fine-tuned on; 0: it never was."""
        return self.labels if self.learnt else 0

    def is_asked_for(self, base: str, second: str) -> bool:
        """Whether it may come into force.

        Args:
            base: fingerprint of the first network of the run.
            second: the second one, or AUTO; "": there is none.
        """
        return self.base == base and (not self.second or second in (self.second, AUTO))

    def save(self, path: Path) -> None:
        """Replace the file, durably.

        Raises:
            ValueError: a weight is not finite; the old file stays.
            OSError: the disk is full or read-only; the old file stays.
        """
        weights = {f"{PREFIX}{name}": tensor.cpu() for name, tensor in self.backbone.module.state_dict().items()}
        check_finite(weights)
        content = {
            "format": FORMAT,
            "network": self.backbone.name,
            "base": self.base,
            "state_dict": weights,
            "preprocessing": self.backbone.preprocessing.as_dict(),
            "labels": self.labels,
            "learnt": sorted(self.learnt),
            "second": self.second,
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        replacement.replace(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "Tuned":
        """Read the file.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is damaged or foreign; one sentence.
        """
        try:
            archive.check(path)
            return cls._from(load_file(path))
        except FileNotFoundError:
            raise
        except (*BAD_WEIGHTS, UsageError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise ValueError(f"{path} is not a good {BACKBONE} ({reason}).") from error

    @classmethod
    def _from(cls, content: dict[str, Any]) -> "Tuned":
        if content.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        for name, kind in {"network": str, "base": str, "labels": int, "learnt": list}.items():
            if type(content[name]) is not kind:
                raise TypeError(f"{name} is {content[name]!r}")
        weights = {name.removeprefix(PREFIX): tensor for name, tensor in content["state_dict"].items()}
        check_finite(weights)
        built = build(content["network"], pretrained=False)
        built.module.load_state_dict(weights)
        preprocessing = Preprocessing.from_dict(content["preprocessing"])
        backbone = Backbone(built.name, built.module, preprocessing, built.dimension)
        learnt, second = frozenset(map(str, content["learnt"])), content.get("second", "")
        if type(second) is not str:
            raise TypeError(f"second is {second!r}")
        return cls(backbone, content["base"], content["labels"], learnt, second)


@contextlib.contextmanager
def only_writer(run: Path) -> Iterator[bool]:
    """Be the only fine-tuning of a run while the block runs, and delete what a dead one left unfinished.

    Yields:
        False if another fine-tuning of this run is alive.
    """
    with locks.hold(run, NAME) as held:
        if held:
            replacement.sweep(run, BACKBONE, FINE_TUNING.name)
        yield held


class LatestTuned:
    """The last good backbone.ckpt of a run, as long as the file exists; a bad file is one warning."""

    def __init__(self, run: Path) -> None:
        self._path = run / BACKBONE
        self._seen: Signature | None = None
        self._tuned: Tuned | None = None

    def tuned_from(self, base: str, second: str = "") -> Tuned | None:
        """The backbone in the file if it may come into force, see `Tuned`; the file is read again once replaced."""
        now = signature(self._path)
        if now is None:
            self._seen = self._tuned = None
        elif now != self._seen:
            self._seen = now
            try:
                self._tuned = Tuned.load(self._path)
            except FileNotFoundError:
                self._seen = None
            except (OSError, ValueError) as error:
                log.warning("%s; the last good one stays in force", error)
        return self._tuned if self._tuned is not None and self._tuned.is_asked_for(base, second) else None

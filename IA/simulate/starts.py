"""What a simulated person says before the first answer: a prompt, scores, or nothing."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from config import UsageError
from IA.learning.projection import Projection
from IA.networks import Backbone
from IA.prior.combining import as_evidence, standardised
from IA.prior.linear_prior import SAMPLE, LinearPrior
from IA.prior.reading import PromptReader, Reading
from IA.simulate.person import FARTHEST, MIXED, RANDOM

Floats = NDArray[np.float32]

WRONG = "sailing ship"  # What `--cold-starts` asks for where something else is looked for.


@dataclass(frozen=True)
class Start:
    """One cold start.

    Attributes:
        name: the column in the table.
        search: how the first of either answer is searched, see `IA.simulate.person`.
        readings: of the prompt for each class; None: there is no prompt.
        scores: (N,) float32, of all photos, NaN where one has none; None: there are none.
    """

    name: str = ""
    search: str = MIXED
    readings: Mapping[str, Reading] | None = None
    scores: Floats | None = None

    def prior(self, positive: str, backbone: Backbone, vectors: Tensor, pool: NDArray[np.int64]) -> Floats | None:
        """(n,) float32, the prior of the pool; None: nothing was said.

        Args:
            positive: the class that is looked for.
            backbone: of the embeddings.
            vectors: (n, D) float32, of the pool.
            pool: (n,) which of all photos these are.
        """
        if self.scores is not None:
            return standardised(self.scores[pool])
        if self.readings is None or not LinearPrior.can_read(backbone):
            return None
        projected = Projection.from_vectors(vectors).project(vectors)
        sample = torch.randperm(len(vectors), generator=torch.Generator().manual_seed(0))[:SAMPLE]
        function = LinearPrior(backbone, vectors[sample], projected[sample]).function(self.readings[positive])
        return None if function is None else standardised((projected @ torch.from_numpy(function)).numpy())


def starts(
    name: str,
    classes: Sequence[str],
    prompts: Sequence[str] | None,
    scores: Floats | None,
    every: bool,
    folder: Path,
) -> list[Start]:
    """The cold starts to compare, the one without a word first.

    Args:
        name: of that one.
        classes: that are looked for.
        prompts: as `prompts_of` takes them; None: no prompt.
        scores: of all photos; None: there are none.
        every: whether to compare all searches, and a wrong prompt.
        folder: keeps what the encoder of prompts makes of the known classes.

    Raises:
        UsageError: a prompt names no class.
    """
    found = [Start(name)]
    if every:
        found += [Start("farthest-first", FARTHEST), Start("random", RANDOM)]
    if prompts is not None or every:
        reader = PromptReader(folder)
        words = prompts_of(prompts or (), classes)
        found.append(Start("prompt", readings={one: reader.read(text) for one, text in words.items()}))
        if every:
            found.append(Start(f"prompt: {WRONG}", readings=dict.fromkeys(classes, reader.read(WRONG))))
    if scores is not None:
        found.append(Start("scores", scores=scores))
    return found


def prompts_of(given: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    """The prompt for each class: `hat=straw hat` names one, the name of its folder stands for any other.

    Raises:
        UsageError: one names no class.
    """
    named = dict(each.partition("=")[::2] for each in given)
    if unknown := sorted(set(named) - set(classes)):
        raise UsageError(f"--prompt {unknown[0]!r} names no class; write CLASS=WORDS with one of {', '.join(classes)}.")
    return {name: named.get(name) or name.replace("_", " ") for name in classes}


def scores_of(file: Path, photos: Sequence[str]) -> Floats:
    """(N,) float32, the scores in a CSV file with the columns path and score, by the paths below the folder.

    Raises:
        UsageError: the file cannot be read, or has no score of any photo.
    """
    places = {path: place for place, path in enumerate(photos)}
    found = np.full(len(photos), np.nan, np.float32)
    try:
        with file.open(newline="", encoding="utf-8-sig") as rows:
            for row in csv.DictReader(rows):
                if (place := places.get(row["path"])) is not None:
                    found[place] = float(row["score"])
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read as a table of path and score ({error}).") from None
    known = ~np.isnan(found)
    if not known.any():
        raise UsageError(f"{file} has no score of any photo in the folder; its paths begin with the class folder.")
    found[known] = as_evidence(found[known])
    return found

"""What a person has said before any answer, as one number for each image of a pool: examples, a prompt, scores."""

import logging
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from IA.embedding.embedder import Embedder
from IA.embedding.examples import Examples
from IA.pool.pool import Pool
from IA.pool.view import ProjectedPool
from IA.prior.combining import as_evidence, combined, standardised
from IA.prior.linear_prior import SAMPLE, LinearPrior
from IA.prior.reading import PromptReader, Reading
from IA.process.background import in_background
from IA.protocol.files import SCORES
from IA.protocol.records import Settings
from IA.protocol.watching import Latest

log = logging.getLogger(__name__)

PATIENCE_S = 10.0  # The first order waits for the encoder this long.
GROWTH = 1.5  # The functions are fitted anew once so many times as many images are embedded.

UNREAD = "The network {network} knows no words, so the order stays as it is; the default network reads prompts."
EMPTY = "No image has been read yet, so nothing can be found by words; try again soon."

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Fit:
    """Functions of prompts on one view of the pool, from the images that were embedded then."""

    view: ProjectedPool
    embedded: int
    functions: LinearPrior


class PoolPrior:
    """Follows what a person has said, and gives each image a number for it.

    Attributes:
        prompt: in force; "": there is none.
    """

    def __init__(self, run: Path, embedder: Embedder, pool: Pool) -> None:
        """Begin with nothing said."""
        self._run = run
        self._embedder = embedder
        self._pool = pool
        self._examples: Examples | None = None
        self._embeds_examples = False
        self.prompt = ""
        self._loading: Future[PromptReader] | None = None
        self._began_s = 0.0  # When the loading began.
        self._fit: Fit | None = None
        self._has_scores = False
        self._scores = Latest(run, SCORES)
        self._known: tuple[object, Floats | None] | None = None  # What the values rest on, and the values.
        self._changes = 0
        self._inherited: tuple[str, Floats] | None = None  # A prompt, and how well each image fits it.

    def follow(self, settings: Settings, is_learnt: bool) -> bool:
        """Take up what has changed, and embed some of the examples.

        Args:
            settings: of the run.
            is_learnt: whether there is a head, which has learnt the examples; they are no part of the prior then.

        Returns:
            Whether the order must wait, because examples are still to be embedded or an encoder is being loaded.
        """
        self.prompt, self._has_scores = settings.prompt, bool(settings.scores)
        self._follow_examples("" if is_learnt else settings.examples)
        is_loading = bool(self.prompt) and LinearPrior.can_read(self._embedder.backbone) and self._reader() is None
        waits = is_loading and not is_learnt and time.monotonic() - self._began_s < PATIENCE_S
        return self._embeds_examples or waits

    def drop_examples(self) -> None:
        """Take note that a head has learnt the examples."""
        self._follow_examples("")

    def inherit(self, before: "PoolPrior") -> None:
        """A network that reads no words keeps what the network before it has made of them, until they change."""
        fits = before.of_prompt()
        self._inherited = None if fits is None else (before.prompt, fits)
        self.forget()

    def forget(self) -> None:
        """Take note that embeddings or images have changed."""
        self._changes += 1

    def said(self) -> object:
        """Changes whenever a person has said something else, or what was said can be understood."""
        scores = self._scores.version() if self._has_scores else None
        return self.prompt, scores, bool(self.prompt) and self._reader() is not None

    def values(self) -> Floats | None:
        """(N,) float32, how well each image fits what was said, see `combined`; None: a person has said nothing."""
        version = self.said(), self._changes, self._pool.view
        if self._known is None or self._known[0] != version:
            self._known = version, self._values()
        return self._known[1]

    def fitting(self, prompt: str, leave_out: NDArray[np.int64], count: int) -> tuple[list[tuple[int, float]], Reading]:
        """The images that fit a prompt best, each with its number, the best first, and how the prompt was read.

        Args:
            prompt: as `checked_prompt` gives it.
            leave_out: (n,) numbers of images that are not asked about.
            count: how many at most.

        Raises:
            BlockingIOError: the encoder is being loaded; ask again soon.
        """
        if not LinearPrior.can_read(self._embedder.backbone):
            return [], Reading([], None, [], UNREAD.format(network=self._embedder.backbone.name))
        reader = self._reader()
        if reader is None:
            raise BlockingIOError
        reading = reader.read(prompt)
        fits = self._along(reading)
        if fits is None:
            return [], reading if reading.note else Reading([], None, reading.classes, EMPTY)
        fits[leave_out] = np.nan
        best = np.argsort(-np.nan_to_num(fits, nan=-np.inf), kind="stable")[:count]
        return [(int(image), float(fits[image])) for image in best if not np.isnan(fits[image])], reading

    def of_prompt(self) -> Floats | None:
        """(N,) float32, how well each image fits the prompt; None: there is none, or it leads nowhere yet."""
        if self.prompt and (reader := self._reader()) is not None:
            return self._along(reader.read(self.prompt))
        if self._inherited is None or self._inherited[0] != self.prompt:
            return None
        fits, images = self._inherited[1], len(self._pool)
        return np.pad(fits[:images], (0, max(images - len(fits), 0)), constant_values=np.nan)

    # --- the sources --------------------------------------------------------------------------------------------------

    def _values(self) -> Floats | None:
        sources = []
        if self._pool.view is not None and self._pool.view.similarity is not None:
            sources.append(self._pool.view.similarity)
        if (fits := self.of_prompt()) is not None:
            sources.append(fits)
        if self._has_scores and (scores := self._scores.content()) is not None and len(scores.images):
            of_images = np.full(len(self._pool), np.nan, np.float32)
            images = np.asarray(scores.images)
            known = images < len(of_images)
            of_images[images[known]] = as_evidence(np.asarray(scores.scores))[known]
            sources.append(of_images)
        return combined(sources) if sources else None

    def _follow_examples(self, folder: str) -> None:
        if not folder:
            if self._examples is not None:
                self._compare_to_examples(None)
            self._embeds_examples = False
        elif self._examples is None or self._examples.folder != Path(folder):
            self._examples = Examples(self._run, "inference", self._embedder, Path(folder))
            self._embeds_examples = True
        if self._embeds_examples and self._examples is not None:
            self._embeds_examples = self._examples.step()
            if not self._embeds_examples:
                self._compare_to_examples(self._examples)

    def _compare_to_examples(self, examples: Examples | None) -> None:
        self._examples = examples
        self._pool.compare_to_examples(None if examples is None else examples.vectors)
        self._changes += 1

    def _reader(self) -> PromptReader | None:
        """The reader of prompts; None while a thread loads it, or where the network cannot use it."""
        if not LinearPrior.can_read(self._embedder.backbone):
            return None
        if self._loading is None:
            folder = self._run / "cache" / "inference" / "prompts"
            self._began_s = time.monotonic()
            self._loading = in_background(lambda: PromptReader(folder), "prompts", gives_way=False)
        return self._loading.result() if self._loading.done() else None

    def _along(self, reading: Reading) -> Floats | None:
        """(N,) float32, how well each image fits a prompt; None where nothing is embedded or the words lead nowhere."""
        view, embedded = self._pool.view, self._pool.embedded
        if view is None or not embedded:
            return None
        if self._fit is None or self._fit.view is not view or embedded > GROWTH * self._fit.embedded:
            numbers, vectors = self._pool.sample(SAMPLE)
            projected = view.projected(numbers.astype(np.int64))
            self._fit = Fit(view, embedded, LinearPrior(self._embedder.backbone, vectors, projected))
        function = self._fit.functions.function(reading)
        return None if function is None else standardised(view.along(function))

"""The selector turns predictions.pickle into ranking.pickle whenever an input changes."""

import logging
import time

import numpy as np

from config import Config
from IA import ranking
from IA.process.loop import loop_config, run_loop, take_turns, until_signalled
from IA.protocol.answers import WATCHED, LearnableAnswers
from IA.protocol.files import IMAGES, PREDICTIONS, RANKING, SETTINGS
from IA.protocol.pickle_file import publish
from IA.protocol.records import Ranking
from IA.protocol.watching import Latest, changes
from IA.ranking import Known

log = logging.getLogger(__name__)

SEED = 0


class Selector:
    """Orders the images that the model has not asked for yet.

    Images of the audit sample stay in the order although they are answered. When the server passes one of them on its
    way down the ranking, it knows that the model would have asked for it.
    """

    def __init__(self, config: Config) -> None:
        self._run = config.run
        self._settings = Latest(config.run, SETTINGS)
        self._images = Latest(config.run, IMAGES)
        self._answers = LearnableAnswers(config.run)
        self._predictions = Latest(config.run, PREDICTIONS)
        self._numbers: dict[str, int] = {}
        self._numbered: list[str] | None = None
        self._ranked: object = None

    def step(self) -> bool:
        """Rank once. This does nothing before the first predictions, or if nothing has changed.

        Returns:
            False, because there is never more to do at once.
        """
        inputs = [latest.version() for latest in (self._settings, self._images, self._answers, self._predictions)]
        settings, paths, predictions = self._settings.content(), self._images.content(), self._predictions.content()
        if settings is None or paths is None or predictions is None or inputs == self._ranked:
            return False
        began = time.perf_counter()
        padding = np.full(max(len(paths) - len(predictions.probability), 0), np.nan, np.float32)
        probability = np.concatenate([np.asarray(predictions.probability), padding])
        novelty = np.concatenate([np.asarray(predictions.novelty), padding])
        said = (predictions.prior, predictions.spacing)
        prior, spacing = (np.concatenate([np.asarray(each), padding]) if len(each) else None for each in said)
        answers = self._answered(paths)
        labels = {number: label for number, label in answers.items() if label is not None}
        leave_out = np.zeros(len(probability), bool)
        leave_out[list(answers)] = True
        leave_out[np.asarray(predictions.unreadable)] = True
        images = ranking.order(Known(probability, novelty, prior, spacing, labels), settings.strategy, SEED, leave_out)
        checkpoint = predictions.checkpoint["generation"] if predictions.checkpoint else None
        content = Ranking(images, probability[images], predictions.labels, settings.strategy, checkpoint)
        generation = publish(self._run, RANKING, content)
        self._ranked = inputs
        log.info(
            "ranking %d: %d images by %s after %d answers, %.0f ms",
            generation,
            len(images),
            settings.strategy,
            predictions.labels,
            1000 * (time.perf_counter() - began),
        )
        return False

    def _answered(self, paths: list[str]) -> dict[int, bool | None]:
        """The answers that the model may know, by the number of the image; a skip is an answer too."""
        if self._numbered is not paths:
            self._numbers = {path: number for number, path in enumerate(paths)}
            self._numbered = paths
        answers = (self._answers.content() or {}).items()
        return {self._numbers[path]: label for path, label in answers if path in self._numbers}


def main() -> None:
    """Rank until signalled."""
    config = loop_config()
    with until_signalled("selector", config.run, RANKING.name) as stop:
        selector = Selector(config)
        watched = (SETTINGS.name, IMAGES.name, *WATCHED, PREDICTIONS.name)
        take_turns(changes(config.run, *watched, stop=stop, stays=False), selector.step, stop)


if __name__ == "__main__":
    run_loop(main)

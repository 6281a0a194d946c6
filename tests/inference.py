"""Something in the place of inference that answers what a person asks of it: similar images, what words lead to."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from IA.protocol import pickle_file, watching
from IA.protocol.files import SIMILAR, WANTED
from IA.protocol.shown import Similar, Wanted
from IA.protocol.watching import Latest

Answer = Callable[[Wanted], Similar | None]


def similar(wanted: Wanted, images: Sequence[int], classes: Sequence[str] = (), note: str = "") -> Similar:
    """The answer that these images are the most similar, the first one most of all."""
    scores = np.linspace(1, 0, len(images), dtype=np.float32)
    return Similar(wanted.request, np.array(images, np.int32), scores, list(classes), note)


@contextlib.contextmanager
def inference(run: Path, answer: Answer) -> Iterator[list[Wanted]]:
    """Answers each wish once, unless there is no answer to it; the wishes that it has heard."""
    ended, heard = threading.Event(), list[Wanted]()

    def turns() -> None:
        latest = Latest(run, WANTED)
        for _ in watching.changes(run, WANTED.name, stop=ended, poll_s=0.05):
            wanted = latest.content()
            if wanted is not None and (not heard or wanted != heard[-1]):
                heard.append(wanted)
                found = answer(wanted)
                if found is not None:
                    pickle_file.publish(run, SIMILAR, found)

    thread = threading.Thread(target=turns)
    thread.start()
    try:
        yield heard
    finally:
        ended.set()
        thread.join()

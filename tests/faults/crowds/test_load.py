"""Many annotators at once: every answer that was acknowledged is stored once, and no image goes to two of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.crowds.annotators import Outcome, Task, annotate
from tests.faults.load import doubles, make_images, publishing, stored_answers
from tests.serving import Serving, serving, until

TOKEN = "token-of-the-run"
ANNOTATORS = 32
SECONDS = 1.5
IMAGES = 6000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server that has listed all images."""
    with serving(tmp_path / "run", make_images(tmp_path / "images", IMAGES).folder, TOKEN) as server:
        until(lambda: not server.session.images.listing)
        yield server


def worked(server: Serving, **more: object) -> Outcome:
    """What came of it when they worked for a while; everything they asked for was answered."""
    given = {"images": IMAGES, "streams": ANNOTATORS} | more
    outcome = annotate(Task(server.session.config.port, TOKEN, ANNOTATORS, SECONDS, **given))  # type: ignore[arg-type]
    assert outcome.acknowledged
    assert outcome.refused == []
    return outcome


@pytest.mark.slow
def test_acknowledged_answers_are_stored_once(server: Serving) -> None:
    """Each answer that one of 32 was told of is on the disk, and no other; the counts are those of the last ones."""
    outcomes = [worked(server), worked(server, work="batch", first=IMAGES // 2, count=20)]
    acknowledged = {id: label for outcome in outcomes for id, _, label in outcome.acknowledged}
    assert len(acknowledged) == sum(outcome.sent for outcome in outcomes)
    assert stored_answers(server.session.run) == acknowledged
    images = {image for outcome in outcomes for _, image, _ in outcome.acknowledged}
    assert server.session.answering.counts()["left"] == IMAGES - len(images)


@pytest.mark.slow
def test_no_image_goes_to_two(server: Serving) -> None:
    """32 clients that ask for images at once, and answer some, are never given one that another has."""
    with publishing(server.session.run, IMAGES):
        outcome = worked(server, work="queue")
    assert len({client for client, *_ in outcome.handed}) == ANNOTATORS
    assert doubles(outcome) == 0


def test_doubles_are_noticed() -> None:
    """An image that comes to a second client while the first has it is counted, and no other is."""
    handed = [("a", 1, 0.0, 0.1), ("a", 1, 5.0, 5.1), ("b", 2, 0.0, 0.1), ("b", 1, 65.0, 65.2), ("c", 2, 30.0, 30.1)]
    assert doubles(Outcome(handed=handed)) == 1
    assert doubles(Outcome(handed=[*handed, ("b", 1, 64.0, 64.9)])) == 2

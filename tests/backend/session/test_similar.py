"""More like this: inference tells what is like an image, the server asks it next, whatever was drawn at random."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest

from backend.questions.similar import Likes
from backend.web.routes import similar as like_routes
from IA.pool.similar import LikeThis
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.files import RANKING, SIMILAR, WANTED
from IA.protocol.pickle_file import Version
from IA.protocol.records import Ranking
from IA.protocol.shown import Similar, Wanted
from IA.protocol.watching import Latest
from tests import inference as stand_in
from tests.IA.test_loops import Loops
from tests.serving import Serving, serving, small_pictures, until

IMAGES = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A run of sixty pictures, ranked by number, for which inference is told to run."""
    folder = small_pictures(tmp_path / "data", IMAGES, step=4)
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES)
        order = np.arange(IMAGES, dtype=np.int32)
        pickle_file.publish(
            server.session.run, RANKING, Ranking(order, np.full(IMAGES, 0.5, np.float32), 2, "max_prob", 1)
        )
        until(lambda: server.client.get("/api/status").json()["ranking"])
        server.session.loops.now["inference"] = "running"
        yield server


def inference(run: Path, most_similar: Sequence[int]) -> AbstractContextManager[list[Wanted]]:
    """Something that answers each wish with these images; the wishes that it has heard."""
    return stand_in.inference(run, lambda wanted: stand_in.similar(wanted, most_similar))


def like(server: Serving, image: int) -> httpx.Response:
    """Wish for more like an image."""
    return server.client.post("/api/like", json={"image": image})


def asked(server: Serving, count: int, client: str = "me") -> list[int]:
    """What is asked next."""
    images = server.client.get(f"/api/queue?count={count}&client={client}").json()["images"]
    return [each["image"] for each in images]


def test_the_most_similar_are_asked_next(server: Serving) -> None:
    """Forty of those that are to be asked, the likest first, then the ranking; taken back it is the ranking again."""
    server.answer(59, "negative")
    with inference(server.session.run, [59, *range(58, 5, -1)]) as heard:
        answer = like(server, 3)
    assert (answer.status_code, answer.json()) == (200, {"image": 3, "images": 40})
    assert [wanted.image for wanted in heard] == [3]
    assert asked(server, 42) == [*range(58, 18, -1), 0, 1]
    first = {"why": "like", "images": 40, "left": 40}
    assert server.client.get("/api/status").json()["asked_first"] == first
    assert server.client.delete("/api/like").status_code == 200
    assert asked(server, 3) == [0, 1, 2]
    assert server.client.get("/api/status").json()["asked_first"] is None


def test_the_same_whatever_was_drawn(server: Serving) -> None:
    """An answer that was drawn leaves its image among the similar ones, where it is passed and so reached."""
    session = server.session
    session.queue.share = 1.0
    [drawn] = asked(server, 1)
    server.answer(drawn, "positive", client="me")
    session.queue.share = 0.0
    assert session.labels.is_sampled(session.images.path(drawn))
    others = [image for image in range(IMAGES) if image != drawn][:2]
    with inference(session.run, [others[0], drawn, others[1]]):
        assert like(server, 30).json()["images"] == 3
    assert asked(server, 2) == others
    server.answer(others[0], "negative", client="me")
    assert session.labels.is_sampled(session.images.path(drawn))
    server.answer(others[1], "negative", client="me")
    until(lambda: not session.labels.is_sampled(session.images.path(drawn)))


def test_not_of_what_was_drawn(server: Serving) -> None:
    """What is asked next must not depend on what a draw has shown: refused before the answer and after it."""
    server.session.queue.share = 1.0
    [drawn] = asked(server, 1)
    with inference(server.session.run, [1, 2]) as heard:
        assert like(server, drawn).status_code == 409
        server.answer(drawn, "positive", client="me")
        assert like(server, drawn).status_code == 409
    assert heard == []


def test_what_cannot_be_told(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence where there is no such image, it is not embedded, or inference is down or does not answer."""
    monkeypatch.setattr(like_routes, "PATIENCE_S", 0.05)
    answers = {"unknown": like(server, IMAGES), "slow": like(server, 3)}
    with inference(server.session.run, []):
        monkeypatch.setattr(like_routes, "PATIENCE_S", 20.0)
        answers["not embedded"] = like(server, 4)
    server.session.loops.now["inference"] = "down"
    answers["down"] = like(server, 5)
    statuses = {"unknown": 404, "slow": 503, "not embedded": 409, "down": 503}
    assert {name: answer.status_code for name, answer in answers.items()} == statuses
    assert all(answer.json()["detail"].endswith(".") for answer in answers.values())
    assert asked(server, 3) == [0, 1, 2]


def test_a_later_wish_takes_the_place_of_an_earlier(server: Serving) -> None:
    """Whoever waits is told at once that something else is wanted."""
    wanted = Latest(server.session.run, WANTED)
    with ThreadPoolExecutor() as clients:
        early = clients.submit(like, server, 3)
        until(lambda: wanted.content() is not None)
        later = clients.submit(like, server, 4)
        assert early.result().status_code == 409
        with inference(server.session.run, [7]):
            assert later.result().json() == {"image": 4, "images": 1}


@pytest.mark.parametrize("body", [{}, {"image": -1}, {"image": "3"}, {"image": 3, "more": 1}])
def test_foreign_bodies(server: Serving, body: dict[str, object]) -> None:
    """What is no wish is 422."""
    assert server.client.post("/api/like", json=body).status_code == 422


@pytest.mark.slow
def test_inference_answers_each_wish_once(tmp_path: Path, images_folder: Path, tiny_network: str) -> None:
    """Of a red image the red ones, less itself and those whose answer the model knows; drawn ones stay among them."""
    loops = Loops(tmp_path / "run", images_folder, tiny_network)
    number = {path: place for place, path in enumerate(loops.paths)}
    pickle_file.publish(loops.run, protocol.AUDIT, dict[str, bool | None]({"red/2.png": False}))
    loops.answer({"red/1.png": None, "red/2.png": False})
    pickle_file.publish(loops.run, WANTED, Wanted(number["red/0.png"], "first"))
    loops.turn()
    similar = pickle_file.read(loops.run, SIMILAR)
    assert similar.content.request == "first"
    assert {loops.paths[image] for image in similar.content.images[:4]} == {f"red/{n}.png" for n in (2, 3, 4, 5)}
    assert len(similar.content.images) == 10
    assert list(similar.content.scores) == sorted(similar.content.scores, reverse=True)
    loops.turn()
    assert pickle_file.read(loops.run, SIMILAR).generation == similar.generation
    pickle_file.publish(loops.run, WANTED, Wanted(len(loops.paths), "of none"))
    loops.turn()
    assert list(pickle_file.read(loops.run, SIMILAR).content.images) == []


def test_nothing_wanted_nothing_told(tmp_path: Path) -> None:
    """Before anybody has wished there is no answer."""
    LikeThis(tmp_path).turn(None)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_only_the_answer_to_the_last_wish_is_taken(tmp_path: Path) -> None:
    """What answers another wish, from before a restart for one, is not taken for it."""
    likes, nothing = Likes(tmp_path), (np.zeros(0, np.int32).data, np.zeros(0, np.float32).data)
    answer = likes.ask(3)
    likes.take(Version(1, Similar("another", *nothing)))
    assert not answer.done()
    wanted = pickle_file.read(tmp_path, WANTED).content
    likes.take(Version(2, Similar(wanted.request, *nothing)))
    assert answer.result(0).request == wanted.request
    likes.take(Version(3, Similar(wanted.request, *nothing)))  # nobody waits any more

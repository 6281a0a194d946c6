"""What a person looks for, in words: kept with the run, and shown what it leads to, whatever was drawn at random."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from backend.web.routes import similar as similar_routes
from IA.duplicates.groups import ImageState
from IA.protocol import pickle_file
from IA.protocol.files import RANKING, SETTINGS, WANTED
from IA.protocol.records import Ranking
from IA.protocol.shown import Similar, Wanted
from IA.protocol.watching import Latest
from tests.inference import inference, similar
from tests.serving import Serving, serving, small_pictures, until

IMAGES = 30
ODD = {"emoji": "🐈‍⬛", "right to left": "قطة سوداء", "unknown language": "bgrz'lch", "markup": "<b>&hat</b>"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A run of thirty pictures, for which inference is told to run."""
    folder = small_pictures(tmp_path / "data", IMAGES)
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES)
        server.session.loops.now["inference"] = "running"
        yield server


def preview(server: Serving, text: str, client: str | None = None) -> httpx.Response:
    """Ask what words lead to."""
    return server.client.get("/api/prompt", params={"text": text} | ({"client": client} if client else {}))


def numbers(answer: httpx.Response) -> list[int]:
    """The images in a preview."""
    return [each["image"] for each in answer.json()["images"]]


def test_a_prompt_is_kept_at_once(tmp_path: Path, images_folder: Path) -> None:
    """In one form, in the settings, the status and the next session; an empty one drops it."""
    run = tmp_path / "run"
    with serving(run, images_folder) as server:
        assert server.client.get("/api/status").json()["prior"] == {"sources": [], "prompt": ""}
        kept = server.client.put("/api/prompt", json={"text": " a lynx,at  night "})
        prior = {"sources": ["prompt"], "prompt": "a lynx, at night"}
        assert (kept.status_code, kept.json()) == (200, prior)
        assert pickle_file.read(run, SETTINGS).content.prompt == "a lynx, at night"
        assert server.client.get("/api/status").json()["prior"] == prior
    with serving(run, images_folder) as server:
        assert server.client.get("/api/status").json()["prior"] == prior
        assert server.client.put("/api/prompt", json={"text": " , "}).json() == {"sources": [], "prompt": ""}
        assert pickle_file.read(run, SETTINGS).content.prompt == ""


def test_what_the_order_rests_on(tmp_path: Path, images_folder: Path) -> None:
    """The status names all that a person has given, once it counts."""
    scores = tmp_path / "scores.csv"
    scores.write_text("path,score\nred/0.png,0.9\nred/1.png,0.1\n")
    given = {"prompt": "hat", "examples": str(images_folder), "scores": str(scores)}
    with serving(tmp_path / "run", images_folder, **given) as server:
        until(lambda: "scores" in server.client.get("/api/status").json()["prior"]["sources"])
        prior = server.client.get("/api/status").json()["prior"]
    assert prior == {"sources": ["examples", "prompt", "scores"], "prompt": "hat"}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_any_words_are_kept_as_they_are(server: Serving, text: str) -> None:
    """Emoji, any script and markup are words; whether they lead anywhere is another question."""
    assert server.client.put("/api/prompt", json={"text": text}).json()["prompt"] == text
    with inference(server.session.run, lambda wanted: similar(wanted, [], note="Nothing fits.")) as heard:
        answer = preview(server, text).json()
    assert answer == {"text": text, "classes": [], "images": [], "note": "Nothing fits."}
    assert [(wanted.image, wanted.prompt) for wanted in heard] == [(None, text)]


@pytest.mark.parametrize(
    "body", [{}, {"text": None}, {"text": 3}, {"text": "a", "more": 1}, {"text": "x" * 10_000}, {"text": "\ud800"}]
)
def test_what_is_no_prompt(server: Serving, body: dict[str, object]) -> None:
    """It is refused with a sentence, and what was kept stays."""
    server.client.put("/api/prompt", json={"text": "hat"})
    refused = server.client.put(
        "/api/prompt", content=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
    assert (refused.status_code, refused.json()["detail"][-1]) == (422, ".")
    assert server.client.get("/api/status").json()["prior"]["prompt"] == "hat"


def test_a_prompt_that_cannot_be_stored(server: Serving) -> None:
    """A full disk is one sentence, and no reason to stop."""
    settings = server.session.run / SETTINGS.name
    settings.unlink()
    settings.mkdir()
    refused = server.client.put("/api/prompt", json={"text": "hat"})
    assert (refused.status_code, refused.json()["detail"][:31]) == (503, "The prompt could not be stored ")
    settings.rmdir()
    assert server.client.put("/api/prompt", json={"text": "hat"}).status_code == 200


def test_what_words_lead_to(server: Serving) -> None:
    """The known classes, and the nine images to be asked first; nothing is asked for no words, and nothing kept."""
    server.answer(5, "negative")
    order = [5, *range(20, 0, -1)]
    with inference(server.session.run, lambda wanted: similar(wanted, order, ["lynx", "bobcat"])) as heard:
        empty = preview(server, " , ").json()
        answer = preview(server, " lynx,at night")
    assert empty == {"text": "", "classes": [], "images": [], "note": ""}
    assert [wanted.prompt for wanted in heard] == ["lynx, at night"]
    found = answer.json()
    assert (found["text"], found["classes"], found["note"]) == ("lynx, at night", ["lynx", "bobcat"], "")
    assert numbers(answer) == list(range(20, 11, -1))
    assert found["images"][0]["path"] == "20.png"
    assert server.client.get("/api/status").json()["prior"]["prompt"] == ""


def test_near_duplicates_are_one(server: Serving) -> None:
    """Of images that are one question, one is shown; one that is gone or unreadable is not."""
    first = np.arange(IMAGES, dtype=np.int32)
    first[11] = 10
    server.session.queue.group(first)
    server.session.queue.mark(12, ImageState.UNREADABLE, True)
    with inference(server.session.run, lambda wanted: similar(wanted, [11, 10, 12, 13])):
        assert numbers(preview(server, "hat")) == [11, 13]


def test_what_was_drawn_is_not_given_away(server: Serving) -> None:
    """A drawn image looks like any other that somebody has in hand, and once it is answered it is not shown."""
    session = server.session
    session.queue.score(np.full(IMAGES, 0.5, np.float32), 1)
    session.queue.share = 1.0
    [drawn] = [each["image"] for each in server.client.get("/api/queue?count=1&client=me").json()["images"]]
    session.queue.share = 0.0
    order = np.arange(IMAGES, dtype=np.int32)
    pickle_file.publish(session.run, RANKING, Ranking(order, np.full(IMAGES, 0.5, np.float32), 2, "max_prob", 1))
    until(lambda: server.client.get("/api/status").json()["ranking"])
    [chosen] = [each["image"] for each in server.client.get("/api/queue?count=1&client=you").json()["images"]]
    assert chosen != drawn
    with inference(session.run, lambda wanted: similar(wanted, [drawn, chosen])):
        shown = preview(server, "hat").json()["images"]
        assert [each["image"] for each in shown] == [drawn, chosen]
        assert {each["probability"] for each in shown} == {None}
        server.answer(drawn, "positive", client="me")
        assert session.labels.is_sampled(session.images.path(drawn))
        assert numbers(preview(server, "hat")) == [chosen]


def test_what_cannot_be_told(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence where inference is down or does not answer, where words are missing or too many."""
    monkeypatch.setattr(similar_routes, "PATIENCE_S", 0.05)
    answers = {"slow": (503, preview(server, "hat")), "long": (422, preview(server, "x" * 10_000))}
    answers["missing"] = (422, server.client.get("/api/prompt"))
    answers["foreign"] = (422, preview(server, "hat", "no such client"))
    for state in ("down", "starting", "off"):
        server.session.loops.now["inference"] = state
        answers[state] = (503, preview(server, "hat"))
        assert server.client.put("/api/prompt", json={"text": state}).status_code == 200
    assert {name: answer.status_code for name, (_, answer) in answers.items()} == {
        name: status for name, (status, _) in answers.items()
    }
    assert all(answer.json()["detail"].endswith(".") for _, answer in answers.values())


def test_the_last_words_of_a_page_count(server: Serving) -> None:
    """Who types on is told of the newest words; another page waits for its turn, and gets it."""
    wanted = Latest(server.session.run, WANTED)

    def is_asked(prompt: str) -> bool:
        found = wanted.content()
        return found is not None and found.prompt == prompt

    with ThreadPoolExecutor() as clients:
        early = clients.submit(preview, server, "l", "me")
        until(lambda: is_asked("l"))
        other = clients.submit(preview, server, "hat", "you")
        nobody = [clients.submit(preview, server, word) for word in ("cap", "cat")]
        later = clients.submit(preview, server, "lynx", "me")
        assert early.result().status_code == 409
        until(lambda: is_asked("lynx"))
        with inference(server.session.run, lambda wanted: similar(wanted, [len(wanted.prompt)], [wanted.prompt])):
            assert [each.result().json()["classes"] for each in (later, other, *nobody)] == [
                ["lynx"],
                ["hat"],
                ["cap"],
                ["cat"],
            ]


def test_a_preview_never_takes_the_place_of_more_like_this(server: Serving) -> None:
    """Whatever comes first, both are answered: the image at once, the words after it."""
    heard: list[Wanted] = []

    def images_first(wanted: Wanted) -> Similar | None:
        """Words are answered only after an image, as if inference had been busy until then."""
        heard.append(wanted)
        is_late = any(each.image is not None for each in heard)
        return similar(wanted, [7, 8]) if is_late else None

    with ThreadPoolExecutor() as clients, inference(server.session.run, images_first):
        words = [clients.submit(preview, server, "hat", "me")]
        until(lambda: len(heard) == 1)
        words.append(clients.submit(preview, server, "cap", "you"))
        like = clients.submit(server.client.post, "/api/like", json={"image": 3})
        assert like.result().json() == {"image": 3, "images": 2}
        assert [numbers(each.result()) for each in words] == [[7, 8], [7, 8]]
    assert [wanted.prompt or wanted.image for wanted in heard] == ["hat", 3, "hat", "cap"]

"""People who answer at once, each of whom remembers what was acknowledged, whatever happens to the server meanwhile."""

import contextlib
import http.client
import json
import random
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from IA.strategies import STRATEGIES
from tests.serving import until

LABELS = ("positive", "negative", "skipped")
TIMEOUT_S = 20.0
AGAIN_S = 0.005
BATCHES = 0.08  # share of what a person does
UNDOS = 0.07
LARGEST_BATCH = 30
NEW_IMAGE_S = 0.1

Standing = list[tuple[str, str]]


@dataclass(frozen=True)
class Given:
    """One answer that a person has given."""

    image: int
    path: str
    label: str
    group: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def body(self, client: str) -> dict[str, object]:
        """What is posted."""
        return {"image": self.image, "label": self.label, "client": client, "group": self.group, "id": self.id}


@dataclass(frozen=True)
class Step:
    """What a person does at once: some answers, or none of them, which takes back the last."""

    answers: tuple[Given, ...] = ()

    def after(self, given: list[Given]) -> list[Given]:
        """All that counts after it, of a person that had given these."""
        if self.answers:
            known = {answer.id for answer in given}
            return given + [answer for answer in self.answers if answer.id not in known]
        group, end = given[-1].group, len(given) - 1
        while group is not None and end and given[end - 1].group == group:
            end -= 1
        return given[:end]


def standing(given: Sequence[Given]) -> Standing:
    """Path and label of each image in the order answered, as an export has them."""
    last = {answer.path: place for place, answer in enumerate(given)}
    return [(answer.path, answer.label) for place, answer in enumerate(given) if last[answer.path] == place]


class Person:
    """Answers images of their own, one request after another; what was not acknowledged is sent again."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.images: dict[int, str] = {}
        self.acknowledged = 0
        self.slowest_s = 0.0
        self.refused: list[str] = []
        self.wrong: list[str] = []
        self._random = random.Random(seed)
        self._given: list[Given] = []  # at the last check
        self._steps: list[Step] = []  # acknowledged since
        self._now: list[Given] = []  # after these steps
        self._step: Step | None = None  # not acknowledged

    def work(self, place: tuple[str, int], token: str, stop: threading.Event, pause_s: float = 0.0) -> None:
        """Answer until stopped."""
        connection = http.client.HTTPConnection(*place, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        while not stop.is_set():
            self._step = self._step or self._next()
            began_s = time.monotonic()
            try:
                connection.request("POST", *self._request(self._step), headers)
                response = connection.getresponse()
                status, text = response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                status, text = 0, repr(error).encode()
            if status in (200, 201):
                self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)
                if b'"status":404' in text:
                    self.wrong.append(f"a known image is unknown: {text.decode()}")
                self._acknowledge(self._step)
                self._step = None
                stop.wait(pause_s)
                continue
            self.refused.append(f"{status} {text.decode()}")
            if not self._step.answers:  # an undo has no id: whether it counts is for `found` to say
                break
            stop.wait(AGAIN_S)
        connection.close()

    def found(self, exported: Standing) -> int:
        """Compare with what the server tells after a restart; both go on from there.

        Returns:
            How many acknowledged answers, and undos, are lost; -1 where there is more or other than was ever given.
        """
        if self._step is not None and standing(self._step.after(self._now)) == exported:
            if not self._step.answers:
                self._now, self._step = self._step.after(self._now), None
            elif standing(self._now) != exported:
                self._now = self._step.after(self._now)  # and it is sent again: it must be stored once
            known_now = True
        else:
            known_now = standing(self._now) == exported
        given, steps, self._given, self._steps = self._given, self._steps, self._now, []
        if known_now:
            return 0
        known = [standing(given)]
        for step in steps:
            given = step.after(given)
            known.append(standing(given))
        lost = [sum(len(step.answers) or 1 for step in steps[kept:]) for kept, at in enumerate(known) if at == exported]
        return min(lost, default=-1)

    def _next(self) -> Step:
        chance = self._random.random()
        if chance < UNDOS and self._now and standing(self._now) != standing(Step().after(self._now)):
            return Step()  # which can be told from what was before
        many = self._random.randrange(2, LARGEST_BATCH) if chance < UNDOS + BATCHES else 1
        group = str(uuid.UUID(int=self._random.getrandbits(128))) if many > 1 and self._random.random() < 0.5 else None
        images = self._random.choices(list(self.images.items()), k=many)
        return Step(tuple(Given(*image, self._random.choice(LABELS), group) for image in images))

    def _request(self, step: Step) -> tuple[str, bytes]:
        bodies = [answer.body(self.name) for answer in step.answers]
        if not bodies:
            return "/api/undo", json.dumps({"client": self.name}).encode()
        if len(bodies) == 1:
            return "/api/annotations", json.dumps(bodies[0]).encode()
        return "/api/annotations/batch", json.dumps({"annotations": bodies}).encode()

    def _acknowledge(self, step: Step) -> None:
        self.acknowledged += len(step.answers) or 1
        self._steps.append(step)
        self._now = step.after(self._now)


@dataclass
class Finding:
    """What was found after a restart.

    Attributes:
        lost: acknowledged answers that are gone.
        wrong: sentences on anything else that must not be.
    """

    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is lost or wrong."""
        return not self.lost and not self.wrong


class Crowd:
    """Several people, one who changes the strategy, one who looks at pictures, and images that come meanwhile."""

    def __init__(self, datadir: Path, people: int, seed: int) -> None:
        self.datadir = datadir
        self.people = [Person(f"person-{number}", seed + number) for number in range(people)]
        self.strategies = 0
        self._numbers: dict[int, str] = {}  # what each number of an image was said to be
        self._random = random.Random(seed)
        self._identity: object = None
        self._wrong: list[str] = []
        self._strategy: str | None = None
        self._next_strategy: str | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def acknowledged(self) -> int:
        """How many answers and undos were acknowledged."""
        return sum(person.acknowledged for person in self.people)

    def start(self, place: tuple[str, int], token: str, answers: bool = True, pause_s: float = 0.0) -> None:
        """Begin; `check` must have seen the server once, so that everybody knows images.

        Args:
            place: address and port of the server.
            token: of the run.
            answers: whether anybody answers; else the strategy changes, and images come.
            pause_s: how long each waits between two answers.
        """
        self._stop.clear()
        works = [partial(self._look, place, token), partial(self._choose, place, token, pause_s)]
        if answers:
            works += [partial(person.work, place, token, self._stop, pause_s) for person in self.people]
        self._threads = [threading.Thread(target=work) for work in works]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, whatever is under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def check(self, place: tuple[str, int], token: str) -> Finding:
        """Compare what the server tells with what it has acknowledged; everybody goes on from there."""
        finding = Finding()
        status = told(place, token, "/api/status")
        identity = status["id"], status["classes"], token
        if self._identity not in (None, identity):
            finding.wrong.append(f"the run was {self._identity} and is {identity}")
        self._identity = identity
        if self._strategy is not None and status["strategy"] not in (self._strategy, self._next_strategy):
            finding.wrong.append(f"the strategy was {self._strategy} and is {status['strategy']}")
        self._strategy, self._next_strategy = status["strategy"], None
        exported = self.in_order(place, token)
        if len(exported) != sum(status[name] for name in ("positives", "negatives", "skipped")):
            finding.wrong.append(f"{len(exported)} answers are exported, other counts are told: {status}")
        if len({path for path, _ in exported}) != len(exported):
            finding.wrong.append("an image is exported twice")
        for person in self.people:
            lost = person.found([answer for answer in exported if self._owner(answer[0]) is person])
            if lost < 0:
                finding.wrong.append(f"{person.name} never gave these answers")
            finding.lost += max(lost, 0)
            finding.wrong += person.wrong
        self._learn(told(place, token, "/api/queue?count=100&client=looker")["images"])
        finding.wrong += self._wrong
        return finding

    def in_order(self, place: tuple[str, int], token: str) -> Standing:
        """What the server exports."""
        return [(line["path"], line["label"]) for line in told(place, token, "/api/export?format=jsonl")]

    def _owner(self, path: str) -> Person:
        return self.people[zlib.crc32(path.encode()) % len(self.people)]

    def _learn(self, images: list[dict[str, Any]]) -> None:
        """Take note of numbers, and of those that had another image before."""
        for entry in images:
            number, path = entry["image"], entry["path"]
            if self._numbers.setdefault(number, path) != path:
                self._wrong.append(f"image {number} was {self._numbers[number]} and is {path}")
            self._owner(path).images[number] = path

    # --- the threads --------------------------------------------------------------------------------------------------

    def _choose(self, place: tuple[str, int], token: str, pause_s: float) -> None:
        """Change the strategy again and again."""
        connection = http.client.HTTPConnection(*place, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        while not self._stop.is_set():
            self._next_strategy = self._random.choice([name for name in STRATEGIES if name != self._strategy])
            try:
                connection.request("PUT", "/api/strategy", json.dumps({"strategy": self._next_strategy}), headers)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                break  # whether that one counts is not known
            if response.status != 200:
                break
            self._strategy, self._next_strategy = self._next_strategy, None
            self.strategies += 1
            self._stop.wait(pause_s)
        connection.close()

    def _look(self, place: tuple[str, int], token: str) -> None:
        """Look at pictures, while new ones come into the folder."""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while not self._stop.wait(NEW_IMAGE_S):
                self._learn(images := told(place, token, "/api/queue?count=20&client=looker")["images"])
                add_image(self.datadir, self._random)
                for entry in images[:3]:
                    told(place, token, f"/api/images/{entry['image']}?size=64")


def add_image(datadir: Path, generator: random.Random) -> None:
    """Put one more small picture into the folder, anywhere in the order of names."""
    path = datadir / f"{generator.getrandbits(64):016x}.png"
    colour = tuple(generator.randrange(256) for _ in range(3))
    Image.new("RGB", (80, 60), colour).save(path)


def is_up(place: tuple[str, int], token: str) -> bool:
    """Whether a server answers, and has listed its images."""
    try:
        return not told(place, token, "/api/status")["listing"]
    except (OSError, http.client.HTTPException, ValueError):
        return False


def await_up(place: tuple[str, int], token: str, is_alive: Callable[[], bool]) -> None:
    """Wait until a server is ready for the crowd; fails at once when it is dead."""
    until(lambda: is_up(place, token) or not is_alive())
    assert is_alive()


def told(place: tuple[str, int], token: str, path: str) -> Any:
    """What a route answers: JSON, or a list of it from lines. Raises ValueError for anything but 200."""
    connection = http.client.HTTPConnection(*place, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        content = response.read()
    if response.status != 200:
        raise ValueError(f"{response.status} for {path}")
    if response.headers.get_content_type() == "application/json":
        return json.loads(content)
    return [json.loads(line) for line in content.splitlines()] if "jsonl" in path else content

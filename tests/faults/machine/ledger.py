"""What a server has said of answers, held against what is there."""

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from backend.store.schema import DATABASE
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.text.answer_words import TRUTH


class Asked(Protocol):
    """A server of a run."""

    run: Path
    client: httpx.Client

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""


@dataclass
class Ledger:
    """All that was answered, acknowledged, taken back and refused, and all in which the server was found to be wrong.

    Attributes:
        acknowledged: ids.
        taken_back: ids of them, by an undo that was acknowledged.
        refused: ids, and which image they were for.
        refusals: how many answers of the server they were in.
        wrong: a sentence each.
        asked: how many requests.
        slowest_s: the longest that one took.
        healed_s: the longest until all was well again.
        faults: how many calls were made to fail.
    """

    acknowledged: set[str] = field(default_factory=set)
    taken_back: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    asked: int = 0
    slowest_s: float = 0.0
    healed_s: float = 0.0
    faults: int = 0
    refusals: int = 0
    last: str | None = None  # acknowledged to the client that asks now

    def ask(self, server: Asked, method: str, path: str, *expected: int, json: object = None) -> httpx.Response:
        """One request, that must be answered, and as expected or by 503."""
        began = time.monotonic()
        try:
            response = server.client.request(method, path, json=json)
        except httpx.TransportError as error:
            if server.is_alive:
                self.wrong.append(f"{method} {path}: no answer, {error!r}")
            raise
        finally:
            self.asked += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        if response.status_code not in (*expected, 503):
            self.wrong.append(f"{method} {path}: {response.status_code} {response.text[:100]}")
        return response

    def answer(self, server: Asked, client: str, *images: int, again: str | None = None) -> bool:
        """Answer an image alone or several together; whether that was acknowledged."""
        ids = [again or str(uuid.uuid4()) for _ in images]
        entries = [
            {"image": image, "label": ("negative", "positive")[image % 2], "client": client, "id": id}
            for image, id in zip(images, ids, strict=True)
        ]
        one = len(entries) == 1
        path = "/api/annotations" if one else "/api/annotations/batch"
        response = self.ask(server, "POST", path, 201, json=entries[0] if one else {"annotations": entries})
        if response.status_code == 201:
            self.acknowledged.update(ids)
            self.last = ids[-1]
            for id in ids:
                self.refused.pop(id, None)
        else:
            self.refused |= dict(zip(ids, images, strict=True))
            self.refusals += 1
        return response.status_code == 201

    def undo(self, server: Asked, client: str) -> None:
        """Take back what was acknowledged last."""
        response = self.ask(server, "POST", "/api/undo", *([200] if self.last else [409]), json={"client": client})
        if response.status_code == 200 and self.last:
            self.taken_back.add(self.last)

    def check(self, server: Asked, when: str) -> None:
        """Compare what was said with what is there."""
        states = stored(server.run)
        found = {
            "acknowledged, but lost": self.acknowledged - set(states),
            "taken back by a refused undo": {
                id for id in self.acknowledged - self.taken_back if states.get(id) == "undone"
            },
            "undo acknowledged, but lost": {id for id in self.taken_back if states.get(id) != "undone"},
            "refused, but counted": set(self.refused) & set(states),
        }
        self.wrong += [f"{len(ids)} {what}, {when}" for what, ids in found.items() if ids]
        there, told = len(standing(server.run)), counted(server)
        if told != there:
            self.wrong.append(f"{told} answers told, {there} in the database, {when}")

    @property
    def verdict(self) -> str:
        """How often it was wrong, and how the first time."""
        return f"{len(self.wrong)} wrong (first: {self.wrong[0]})" if self.wrong else "0 wrong"


# --- a second reading, by us and not by the server --------------------------------------------------------------------


def stored(run: Path) -> dict[str, str]:
    """The state of every answer in the database, by its id."""
    with _reading(run) as connection:
        return dict(connection.execute("SELECT id, state FROM answers"))


def standing(run: Path) -> dict[str, bool | None]:
    """What the database says should stand in annotations.pickle."""
    with _reading(run) as connection:
        rows = connection.execute("SELECT path, label FROM answers WHERE state = 'standing' ORDER BY seq")
        return {path: TRUTH[label] for path, label in rows}


def is_published(run: Path) -> bool:
    """Whether annotations.pickle holds what the database does."""
    try:
        return pickle_file.read(run, protocol.ANNOTATIONS).content == standing(run)
    except (OSError, ValueError):
        return False


def counted(server: Asked) -> int:
    """How many standing answers the server tells the page of."""
    status = server.client.get("/api/status").json()
    return int(status["positives"] + status["negatives"] + status["skipped"])


@contextlib.contextmanager
def _reading(run: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{(run / DATABASE).as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=5)) as connection:
        yield connection

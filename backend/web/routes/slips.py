"""The review of slips: which answers are to be looked at again, and the route that tells."""

import math
import threading
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Query

from backend.session.session import Session
from backend.store.figures.label_errors import SuspectedError


class Slips:
    """The slips of one session; looked for again after a change."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: tuple[int, Mapping[str, float], list[SuspectedError]] | None = None  # with what they were found in
        self._looking = threading.Lock()  # one looks, the others wait for what it has found

    def told(self, limit: int) -> dict[str, Any]:
        """The most suspicious answers, `limit` at most, and how many there are."""
        found = self._all()
        first = {slip.path: slip for slip in found[:limit]}
        standing = self._session.labels.stored.numbered([slip.seq for slip in first.values()])
        told = [self._session.record(answer) | _told(first[answer.path]) for answer in standing]
        return {"slips": told, "total": len(found)}

    def _all(self) -> list[SuspectedError]:
        session = self._session
        with self._looking:
            count, held_out = session.changes.count, session.held_out
            if self._found is None or self._found[0] != count or self._found[1] is not held_out:
                found = session.labels.stored.suspected_errors(held_out, self._said_now)
                self._found = count, held_out, [slip for slip in found if self._is_there(slip.path)]
            return self._found[2]

    def _is_there(self, path: str) -> bool:
        """Whether the image can be looked at again."""
        image = self._session.images.number(path)
        return image is not None and not self._session.images.is_gone(image)

    def _said_now(self, path: str) -> float | None:
        """The model's present probability of an image."""
        image, predictions = self._session.images.number(path), self._session.predictions
        if image is None or predictions is None or image >= len(predictions.content.probability):
            return None
        probability = float(predictions.content.probability[image])
        return None if math.isnan(probability) else probability


def _told(slip: SuspectedError) -> dict[str, Any]:
    return {"held_out": slip.held_out, "suspicion": slip.error_score, "why": slip.why}


def add_slip_routes(app: FastAPI, session: Session) -> None:
    """Add it to the app of a session."""
    slips = Slips(session)

    @app.get("/api/slips", summary="Answers that are worth a second look, the most suspicious first")
    def suspicious(limit: Annotated[int, Query(ge=0, le=1000)] = 20) -> dict[str, Any]:
        return slips.told(limit)

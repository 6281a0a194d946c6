"""The route of the answers that may be errors."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.web import shapes
from backend.web.documented import DocumentedRoute
from backend.web.parts import TheFollowing, TheImages, TheSuspectedErrors
from backend.wire.answers import SuspectedAnswers

router = APIRouter(route_class=DocumentedRoute)


@router.get("/api/slips", summary="Answers that are worth a second look, the most suspicious first")
def slips(
    suspected_errors: TheSuspectedErrors,
    images: TheImages,
    following: TheFollowing,
    limit: Annotated[int, Query(ge=0, le=1000)] = 20,
) -> SuspectedAnswers:
    """List suspected errors with the reason for each."""
    found, total = suspected_errors.first(limit)
    listed = [shapes.suspected_error(images, following.held_out, answer, suspected) for answer, suspected in found]
    return {"slips": listed, "total": total}

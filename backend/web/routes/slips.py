"""The route of the answers that may be errors."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from backend.web import shapes
from backend.web.parts import TheFollowing, TheImages, TheSuspectedErrors

router = APIRouter()


@router.get("/api/slips", summary="Answers that are worth a second look, the most suspicious first")
def slips(
    suspected_errors: TheSuspectedErrors,
    images: TheImages,
    following: TheFollowing,
    limit: Annotated[int, Query(ge=0, le=1000)] = 20,
) -> dict[str, Any]:
    """List suspected errors with the reason for each."""
    found, total = suspected_errors.first(limit)
    listed = [
        shapes.annotation(images, following.held_out, answer) | shapes.suspected_error(suspected)
        for answer, suspected in found
    ]
    return {"slips": listed, "total": total}

"""The route of the statistics: how the work goes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from backend.web.parts import TheAuditing

router = APIRouter()


@router.get("/api/statistics", summary="How the work goes: found, asked, right, missed")
def statistics(auditing: TheAuditing, points: Annotated[int, Query(ge=2, le=1000)] = 200) -> dict[str, Any]:
    """Figures of all answers and of the audit, with curves of at most `points` points."""
    return auditing.statistics(points)

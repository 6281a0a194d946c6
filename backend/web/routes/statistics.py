"""The route of the statistics: how the work goes."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.web.documented import DocumentedRoute
from backend.web.parts import TheAuditing
from backend.wire.figures import WorkStatistics

router = APIRouter(route_class=DocumentedRoute)


@router.get("/api/statistics", summary="How the work goes: found, asked, right, missed")
def statistics(auditing: TheAuditing, points: Annotated[int, Query(ge=2, le=1000)] = 200) -> WorkStatistics:
    """Figures of all answers and of the audit, with curves of at most `points` points."""
    return auditing.statistics(points)

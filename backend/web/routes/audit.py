"""The routes of the audit and the statistics: how the work goes, and how questions are chosen from now on."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from backend.web.bodies import AuditBody, StrategyBody
from backend.web.parts import TheAuditing, TheCurrentSettings

router = APIRouter()


@router.get("/api/statistics", summary="How the work goes: found, asked, right, missed")
def statistics(auditing: TheAuditing, points: Annotated[int, Query(ge=2, le=1000)] = 200) -> dict[str, Any]:
    """Figures of all answers and of the audit, with curves of at most `points` points."""
    return auditing.statistics(points)


@router.put("/api/strategy", summary="Order by another strategy from now on")
def strategy(body: StrategyBody, settings: TheCurrentSettings) -> dict[str, str]:
    """Store the strategy; the selector follows it at once."""
    try:
        settings.change(strategy=body.strategy)
    except OSError as error:
        raise HTTPException(503, f"The strategy could not be stored ({error.strerror}).") from None
    return {"strategy": body.strategy}


@router.put("/api/audit", summary="Draw another share at random; 1: until so many are answered, else the certificate")
def audit(body: AuditBody, auditing: TheAuditing) -> dict[str, Any]:
    """Store the share, and say what the audit tells by now."""
    try:
        auditing.set_share(body.share, body.recall, body.confidence, body.until)
    except OSError as error:
        raise HTTPException(503, f"The share could not be stored ({error.strerror}).") from None
    return auditing.audit().short()

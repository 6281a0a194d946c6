"""The routes that change how questions are chosen: the strategy, and the share that is drawn at random."""

from typing import Any

from fastapi import APIRouter, HTTPException

from backend.web.bodies import AuditBody, StrategyBody
from backend.web.parts import TheAuditing, TheCurrentSettings

router = APIRouter()


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

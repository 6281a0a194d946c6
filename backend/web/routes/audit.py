"""The routes that change how questions are chosen: the strategy, and the share that is drawn at random."""

from fastapi import APIRouter, HTTPException

from backend.web.bodies import AuditBody, StrategyBody
from backend.web.documented import DocumentedRoute
from backend.web.parts import TheAuditing, TheCurrentSettings
from backend.wire.figures import AuditStatus
from backend.wire.status import ChosenStrategy

router = APIRouter(route_class=DocumentedRoute)


@router.put("/api/strategy", summary="Order by another strategy from now on")
def strategy(body: StrategyBody, settings: TheCurrentSettings) -> ChosenStrategy:
    """Store the strategy; the selector follows it at once."""
    try:
        settings.change(strategy=body.strategy)
    except OSError as error:
        raise HTTPException(503, f"The strategy could not be stored ({error.strerror}).") from None
    return {"strategy": body.strategy}


@router.put("/api/audit", summary="Draw another share at random; 1: until so many are answered, else the certificate")
def audit(body: AuditBody, auditing: TheAuditing) -> AuditStatus:
    """Store the share, and say what the audit tells by now."""
    try:
        auditing.set_share(body.share, body.recall, body.confidence, body.until)
    except OSError as error:
        raise HTTPException(503, f"The share could not be stored ({error.strerror}).") from None
    return auditing.audit().short()

"""The route that says what a page can offer: the strategies and the formats, as the registries have them."""

from fastapi import APIRouter

from backend import exports, imports
from backend.web.documented import DocumentedRoute
from backend.wire.choices import ExportChoice, PageChoices, StrategyChoice
from config import DEFAULT_AUDIT
from IA.strategies import STRATEGIES

router = APIRouter(route_class=DocumentedRoute)


@router.get("/api/choices", summary="What a page can offer: strategies, formats, and usual values")
def choices() -> PageChoices:
    """The same as long as the program runs."""
    return PageChoices(
        strategies=[StrategyChoice(name=one.name, meaning=one.meaning) for one in STRATEGIES.values()],
        exports=[
            ExportChoice(
                name=one.name,
                title=one.title,
                use=one.use,
                has_images=one.tree is not None,
                scheme=None if one.scheme is None else f"api/export/{one.scheme.ending}",
            )
            for one in exports.FORMATS.values()
        ],
        import_suffixes=list(imports.SUFFIXES),
        usual_audit=DEFAULT_AUDIT,
    )

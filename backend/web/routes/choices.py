"""The route that says what a page can offer: the strategies and the formats, as the registries have them."""

from fastapi import APIRouter
from pydantic import BaseModel

from backend import exports, imports
from config import DEFAULT_AUDIT
from IA.strategies import STRATEGIES

router = APIRouter()


class StrategyChoice(BaseModel):
    """A strategy: its name in requests, and what it asks first."""

    name: str
    meaning: str


class ExportChoice(BaseModel):
    """A format of `GET /api/export`, as a menu shows it.

    Attributes:
        name: in requests.
        title: a word or two.
        use: what it is good for; `{positive}` and `{negative}` stand for the names of the answers.
        has_images: the file holds the images.
        scheme: the route of a file that the other program needs too; null: it needs none.
    """

    name: str
    title: str
    use: str
    has_images: bool
    scheme: str | None


class Choices(BaseModel):
    """What a page can offer.

    Attributes:
        strategies: in the order of the menu.
        exports: likewise.
        import_suffixes: what a file of labels can end in.
        usual_audit: the share of questions drawn at random that a new run begins with.
    """

    strategies: list[StrategyChoice]
    exports: list[ExportChoice]
    import_suffixes: list[str]
    usual_audit: float


@router.get("/api/choices", summary="What a page can offer: strategies, formats, and usual values")
def choices() -> Choices:
    """The same as long as the program runs."""
    return Choices(
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

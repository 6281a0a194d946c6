"""What a page can offer: the strategies, the formats, and the usual values."""

from typing_extensions import TypedDict


class StrategyChoice(TypedDict):
    """A strategy: its name in requests, and what it asks first."""

    name: str
    meaning: str


class ExportChoice(TypedDict):
    """A format of `GET /api/export`, as a menu shows it.

    Attributes:
        name: its name in requests.
        title: a word or two.
        use: what it is good for; `{positive}` and `{negative}` stand for the names of the answers.
        has_images: whether the file holds the images.
        scheme: the route of a file that the other program needs too; null: it needs none.
    """

    name: str
    title: str
    use: str
    has_images: bool
    scheme: str | None


class PageChoices(TypedDict):
    """What a page can offer.

    Attributes:
        strategies: in the order of the menu.
        exports: the formats, in the order of the menu.
        import_suffixes: what the name of a file of labels can end in.
        usual_audit: the share of questions drawn at random that a new run begins with.
    """

    strategies: list[StrategyChoice]
    exports: list[ExportChoice]
    import_suffixes: list[str]
    usual_audit: float

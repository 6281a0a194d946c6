"""How counts are written for a person."""


def counted(count: int, one: str, many: str) -> str:
    """The count with what is said of it: `1 image was`, `1,000 images were`, as the caller writes both."""
    return f"{count:,} {one if count == 1 else many}"

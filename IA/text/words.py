"""How counts are written for a person."""


def counted(count: int, one: str, many: str) -> str:
    """The count with the right one of two phrases: `1 image was`, `1,000 images were`."""
    return f"{count:,} {one if count == 1 else many}"

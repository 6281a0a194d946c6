"""`--network` as a person writes it: one name, two separated by a comma, or `auto`."""

AUTO = "auto"
FIRST_OF_AUTO = "efficientnet_lite0"  # its weights are installed with the project


def named(text: str) -> list[str]:
    """The networks that a setting names, the first one first, without `AUTO`."""
    return [name for name in split_networks(text) if name not in ("", AUTO)]


def split_networks(text: str) -> tuple[str, str]:
    """The network that ranks at once, and the one that comes behind it.

    Args:
        text: `A`, `A,B` or `auto`; a comma separates names.

    Returns:
        A and B. B is "" where there is none, and `AUTO` where the best one that can be had is to be taken.

    Raises:
        ValueError: with what is wrong.
    """
    names = [name.strip() for name in text.split(",")]
    if names == [AUTO]:
        return FIRST_OF_AUTO, AUTO
    if not all(names):
        raise ValueError(f"{text!r} has an empty name; write one network, or two with a comma between them")
    if len(names) > 2:
        raise ValueError(f"{text!r} names {len(names)} networks; name one, or two with a comma between them")
    if names[0] == AUTO:
        raise ValueError(
            f"{text!r} begins with {AUTO}, which may only come second; write {AUTO} alone, or a name first"
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{text!r} names the same network twice; name another one behind the first")
    return names[0], names[1] if len(names) > 1 else ""

"""The files and folders that a person names on a command line: each is looked at, or the person is told what is wrong.

All functions raise ValueError, whose message is one sentence that says what is wrong, and what to do.
"""

from pathlib import Path

from IA.text.image_files import images_below

NOTHING = "none"  # takes back examples or scores
INSTRUCTIONS_BYTES = 256 * 1024


def instructions_in(path: Path) -> str:
    """The text of a file of instructions; "" where there are only blanks.

    Raises:
        ValueError: it is not there, is no UTF-8 text, or is too long.
    """
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise ValueError(f"{path} {what}; name a text file with --instructions.")
        with path.open("rb") as file:
            content = file.read(INSTRUCTIONS_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValueError(f"{path} cannot be read: {reason}; name another file with --instructions.") from None
    if len(content) > INSTRUCTIONS_BYTES:
        raise ValueError(f"{path} is longer than {INSTRUCTIONS_BYTES // 1024} KiB; shorten the instructions.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no UTF-8 text; save the instructions as UTF-8.") from None
    return text if text.strip() else ""


def examples_in(given: str) -> str:
    """The absolute path of a folder of examples, or `NOTHING`. Raises ValueError where there are no images."""
    if given == NOTHING:
        return given
    folder = Path(given).expanduser().resolve()
    if not given.strip() or not folder.is_dir():
        what = "is not a folder" if folder.is_file() else "does not exist"
        raise ValueError(f"{given!r} {what}; name a folder of examples with --examples.")
    if next(images_below(folder), None) is None:
        raise ValueError(f"There are no images in {folder}; name a folder of examples with --examples.")
    return str(folder)


def scores_in(given: str) -> str:
    """The absolute path of a file of scores, or `NOTHING`. Raises ValueError where there is no file."""
    if given == NOTHING:
        return given
    file = Path(given).expanduser().resolve()
    if not given.strip() or not file.is_file():
        what = "is not a file" if given.strip() and file.exists() else "does not exist"
        raise ValueError(f"{given!r} {what}; name a table of path and score with --scores, or none.")
    return str(file)

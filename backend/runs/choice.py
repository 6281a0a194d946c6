"""Finds the run that a session works on if nobody has named one: among the runs over its folder, by its question."""

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from backend.runs.question import is_answered, names_in
from backend.store.schema import DATABASE
from config import Config, UsageError
from IA.protocol.files import SETTINGS
from IA.protocol.pickle_file import read
from IA.protocol.records import Settings
from IA.text.answer_words import folded

FOLDER_BYTES, NAME_BYTES = 120, 60  # A file name has 255 bytes at most, and a run that is moved aside gets a date too.
KEPT = "-_. "  # A file name keeps these characters of an answer's name, beside letters and digits.


def find_run(config: Config) -> Config:
    """The settings with the run that the session is to work on.

    A run that a person has named is used as it is. Otherwise the run is `runs/<folder>`, unless the person gives a
    positive name that the answers in there do not have. Then it is the run over the same folder that has this name, or
    a new one, `runs/<folder>-<positive>`. With `--rename` the name may be new: the run is then the only answered one.

    Raises:
        UsageError: several runs could be renamed.
    """
    first = config.run
    if config.run_is_named or config.positive is None:
        return config
    asked = folded(config.positive)
    if _asks(first, asked):
        return config
    others = list(_others(config))
    known = [run for run in others if _asks(run, asked)]
    if known:
        return replace(config, run=known[0])
    if not _is_another(first, asked):
        return config
    if not config.rename:
        return replace(config, run=next(_free(config, asked)))
    answered = [run for run in others if is_answered(run)]
    if answered:
        raise UsageError(
            f"Several runs over {config.datadir} have answers, {first} and {answered[0]} for two; say by "
            "--run which one to rename."
        )
    return config


def why_not_first(config: Config, first: Path) -> str:
    """A sentence for the person who starts a run that is not the folder's first one; "" where it is the first."""
    names = names_in(first)
    if config.run == first or names is None:
        return ""
    return f"{first} asks about {names.positive!r}; {config.positive!r} is asked in {config.run}.\n"


def _asks(run: Path, key: str) -> bool:
    names = names_in(run)
    return names is not None and folded(names.positive) == key


def _is_another(run: Path, key: str) -> bool:
    """Whether a run has answers to another question."""
    return names_in(run) is not None and not _asks(run, key) and is_answered(run)


def _others(config: Config) -> Iterator[Path]:
    """The other runs over the same folder, without the first one and without those that were moved aside."""
    prefix = f"{_cut(config.run.name, FOLDER_BYTES)}-"
    for run in sorted(config.run.parent.glob("*")):
        settings = _settings_of(run) if run.name.startswith(prefix) else None
        if settings is not None and settings.run == str(run) and _is_over(settings, config.datadir):
            yield run


def _free(config: Config, key: str) -> Iterator[Path]:
    """The places for a new run, where nothing else is, or a run in which nobody has answered."""
    name = "".join(letter if unicodedata.category(letter)[0] in "LMN" or letter in KEPT else "-" for letter in key)
    name = f"{_cut(config.run.name, FOLDER_BYTES)}-{_cut(name, NAME_BYTES).rstrip(' .')}"
    for number in count(1):
        run = config.run.with_name(name if number == 1 else f"{name}-{number}")
        settings = _settings_of(run)
        is_run = settings is not None or (run / DATABASE).exists()
        is_elsewhere = settings is not None and not _is_over(settings, config.datadir)
        if _is_empty(run) or (is_run and not is_elsewhere and not _is_another(run, key)):
            yield run


def _settings_of(run: Path) -> Settings | None:
    try:
        return read(run, SETTINGS).content
    except (OSError, ValueError):
        return None


def _is_over(settings: Settings, datadir: Path | None) -> bool:
    """Whether a run is over this folder, or over a folder that is gone and may have been moved here."""
    return Path(settings.datadir) == datadir or not Path(settings.datadir).is_dir()


def _is_empty(run: Path) -> bool:
    """Whether the folder is missing, or holds only what a failed start leaves behind."""
    try:
        found = {path.name for path in run.iterdir() if not path.name.startswith(".")}
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return not found - {"logs"}


def _cut(name: str, most_bytes: int) -> str:
    """The name, cut to at most this many bytes."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= most_bytes else encoded[:most_bytes].decode("utf-8", "ignore")

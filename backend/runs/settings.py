"""Settles the settings of a run at its start: the value asked for now, else the run's own value, else the default."""

import contextlib
import logging
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.runs.question import names_for
from config import Config, kept_settings
from IA.images.tiles import grid_of
from IA.protocol import pickle_file
from IA.protocol.files import (
    DUPLICATES,
    EXPLANATIONS,
    IMAGES,
    LAYOUT,
    PREDICTIONS,
    RANKING,
    SCORES,
    SETTINGS,
    SIMILAR,
    WANTED,
)
from IA.protocol.records import Settings
from IA.protocol.watching import Latest
from IA.text.given_files import NOTHING

log = logging.getLogger(__name__)


def settle(config: Config) -> Settings:
    """Settle the settings of a session; a run that cannot be read causes one warning."""
    try:
        before = pickle_file.read(config.run, SETTINGS).content
    except (OSError, ValueError) as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("%s; the run goes on with what was asked for now, and defaults", error)
        before = _new(config)
    if before.datadir not in {"", str(config.datadir)}:
        log.warning("The images of this run were in %s; it goes on with %s.", before.datadir, config.datadir)
    names = names_for(config)
    asked = {name: getattr(config, name) for name in kept_settings()}
    for name in ("examples", "scores"):
        if asked[name] == NOTHING:
            asked[name] = ""
    settings = replace(before, **{name: value for name, value in asked.items() if value is not None})
    if settings.scores != before.scores:  # Scores of another file do not hold until this one has been read.
        with contextlib.suppress(OSError):
            (config.run / SCORES.name).unlink(missing_ok=True)
    if config.audit is not None:
        settings = replace(settings, audit_after=None, audit_until=None)
    return replace(
        settings,
        datadir=str(config.datadir),
        positive=names.positive,
        negative=names.negative,
        id=before.id if _numbers_stand(config.run) else uuid.uuid4().hex,
        run=str(config.run),
        follow_links=config.follow_links,
    )


def _new(config: Config) -> Settings:
    """The settings of a run if nothing is known of it but its images."""
    initial: dict[str, Any] = {name: setting.initial for name, setting in kept_settings().items()}
    return Settings(**{**initial, "datadir": "", "id": uuid.uuid4().hex, "tile": _tile_of(config.run)})


def _tile_of(run: Path) -> str:
    """The grid of the images that a run has, even if its settings are lost."""
    images = Latest(run, IMAGES).content() or []
    return str(grid_of(images[0]) or "") if images else ""


def _numbers_stand(run: Path) -> bool:
    """Whether images keep their numbers; if not, the files that use the numbers are deleted.

    `settle` gives the run a new id then, so that answers that a page still wants to send do not count for other images.
    """
    try:
        pickle_file.read(run, IMAGES)
    except OSError:
        return True
    except ValueError as error:
        log.warning("%s; images are numbered anew", error)
        for file in (DUPLICATES, PREDICTIONS, RANKING, EXPLANATIONS, WANTED, SIMILAR, SCORES, LAYOUT):
            (run / file.name).unlink(missing_ok=True)
        return False
    return True

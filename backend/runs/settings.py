"""The settings of a run at its start: what was asked for now, else what the run had, else the default."""

import logging
import uuid
from pathlib import Path

from backend.runs.question import names_for
from config import DEFAULT_NETWORK, DEFAULT_STRATEGY, Config
from IA.images.tiles import grid_of
from IA.protocol import pickle_file
from IA.protocol.files import DUPLICATES, EXPLANATIONS, IMAGES, PREDICTIONS, RANKING, SETTINGS, SIMILAR, WANTED
from IA.protocol.records import Settings
from IA.protocol.watching import Latest

log = logging.getLogger(__name__)


def settle(config: Config) -> Settings:
    """Settle what a session goes by; a run that cannot be read is one warning."""
    try:
        before = pickle_file.read(config.run, SETTINGS).content
    except (OSError, ValueError) as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("%s; the run goes on with what was asked for now, and defaults", error)
        before = Settings("", DEFAULT_NETWORK, DEFAULT_STRATEGY, "", "", uuid.uuid4().hex, tile=_tile_of(config.run))
    if before.datadir not in {"", str(config.datadir)}:
        log.warning("The images of this run were in %s; it goes on with %s.", before.datadir, config.datadir)
    names = names_for(config)
    return Settings(
        datadir=str(config.datadir),
        network=config.network or before.network,
        strategy=config.strategy or before.strategy,
        finetune=config.finetune or before.finetune,
        positive=names.positive,
        negative=names.negative,
        id=before.id if _numbers_stand(config.run) else uuid.uuid4().hex,
        run=str(config.run),
        follow_links=config.follow_links,
        audit=before.audit if config.audit is None else config.audit,
        audit_after=before.audit_after if config.audit is None else None,
        audit_until=before.audit_until if config.audit is None else None,
        recall=before.recall,
        confidence=before.confidence,
        alike=config.alike or before.alike,
        examples=before.examples if config.examples is None else config.examples_folder,
        tile=before.tile if config.tile is None else config.tile,
        auto_idle=before.auto_idle if config.auto_idle is None else config.auto_idle,
    )


def _tile_of(run: Path) -> str:
    """The grid of the images that a run has, whatever became of its settings."""
    images = Latest(run, IMAGES).content() or []
    return str(grid_of(images[0]) or "") if images else ""


def _numbers_stand(run: Path) -> bool:
    """Whether images keep their numbers; else what rests on them goes, also what a page still wants to send."""
    try:
        pickle_file.read(run, IMAGES)
    except OSError:
        return True
    except ValueError as error:
        log.warning("%s; images are numbered anew", error)
        for file in (DUPLICATES, PREDICTIONS, RANKING, EXPLANATIONS, WANTED, SIMILAR):
            (run / file.name).unlink(missing_ok=True)
        return False
    return True

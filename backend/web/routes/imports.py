"""The routes that take over labels from a file dropped on the page: a report first, and stored when asked again."""

import asyncio
import tempfile
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse

from backend.images.images import Images
from backend.images.names import displayed
from backend.imports import read_labelled
from backend.imports.labelled import Labelled, Words
from backend.imports.plan import RULES, Plan, plan
from backend.imports.records import ColumnError
from backend.store.labels import Labels
from backend.store.table import Label
from backend.web.bodies import GroupBody
from backend.web.documented import DocumentedRoute
from backend.web.parts import TheAnswering, TheImages, TheLabels, TheRun, TheSettings, TheTurns
from backend.wire.transfers import (
    ColumnQuestion,
    ImportOutcome,
    ImportPlan,
    ImportTakenBack,
    LastImport,
    Refusal,
    SomeImages,
)
from IA.protocol.records import Settings

PATH = "/api/import"
MOST_BYTES = 16 * 2**20  # JSON takes twenty times as much in memory; the command line reads larger files.
EXAMPLES = 5
MOST_COLUMNS = 200
Name = Annotated[str, Query(pattern=r"^[^/\x00]{1,60}$")]
Column = Annotated[str | None, Query(max_length=1000)]
Given = Annotated[list[str] | None, Query(max_length=100)]

router = APIRouter(route_class=DocumentedRoute)


@router.post(
    PATH,
    summary="Take over the labels in a file or, with dry_run, tell what would become of them",
    responses={422: {"model": ColumnQuestion | Refusal}},
)
async def import_labels(
    request: Request,
    name: Name,
    run: TheRun,
    settings: TheSettings,
    labels: TheLabels,
    images: TheImages,
    answering: TheAnswering,
    turns: TheTurns,
    dry_run: bool = True,
    overwrite: bool = False,
    positive: Given = None,
    negative: Given = None,
    path_column: Column = None,
    label_column: Column = None,
) -> ImportOutcome | ImportPlan | JSONResponse:
    """Report what the labels in a file mean here and, unless it is a dry run, store them in one transaction."""
    names: dict[Label, str] = {"positive": settings.positive, "negative": settings.negative}
    words = Words(names, positive or (), negative or ())
    async with turns.imports:
        read = partial(read_labelled, path_column=path_column, label_column=label_column)
        try:
            body = await request.body()
            planned = await asyncio.to_thread(_planned, run, settings, labels, images, name, body, words, read)
        except ColumnError as error:
            return JSONResponse(_choice(error), 422)
        report = _report(planned, labels)
        if dry_run:
            return report
        drawn, group = planned.drawn(labels.is_sampled), planned.group(labels.is_sampled)
        given = answering.given_elsewhere(planned.answers(overwrite, group))
        await asyncio.wrap_future(answering.store([given], drawn))
    return {**report, "group": group, "counts": answering.counts()}


@router.get(f"{PATH}/last", summary="The last import whose labels still stand, all or some")
def last(labels: TheLabels) -> LastImport:
    """Name the last import that can be taken back."""
    group, images = labels.stored.last_import() or (None, 0)
    return {"group": group, "images": images}


@router.post(f"{PATH}/undo", summary="Take an import back: all labels that it gave and that still stand")
async def undo(body: GroupBody, labels: TheLabels, answering: TheAnswering) -> ImportTakenBack:
    """Take an import back."""
    return {"images": await asyncio.wrap_future(labels.undo_group(str(body.group))), **answering.counts()}


def _planned(
    run: Path,
    settings: Settings,
    labels: Labels,
    images: Images,
    name: str,
    body: bytes,
    words: Words,
    read: Callable[[Path], Iterable[Labelled]],
) -> Plan:
    cache = run / "cache"
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="import-", dir=cache) as folder:
        file = Path(folder) / f"-{name}"
        try:
            file.write_bytes(body)
            labelled = read(file)
        except ColumnError:
            raise
        except ValueError as error:
            sentence = displayed(str(error)).replace(str(file), name).rstrip(".")
            raise HTTPException(422, f"The labels cannot be read: {sentence[:300]}.") from None
    paths = [images.path(number) for number in range(len(images))]
    return plan(labelled, words, paths, settings.datadir, labels.by_path())


def _choice(error: ColumnError) -> ColumnQuestion:
    """What a page needs to ask which column is which: `missing` is `path_column` or `label_column`."""
    sentence = f"The labels cannot be read: {displayed(str(error))}; choose it."
    columns = list(dict.fromkeys(map(displayed, error.columns)))
    return {
        "detail": sentence,
        "missing": "path_column" if error.what == "images" else "label_column",
        "columns": columns[:MOST_COLUMNS],
    }


def _report(planned: Plan, labels: Labels) -> ImportPlan:
    fresh = list(planned.fresh.values())
    conflicts = [f"{path} ({labels.label(path)})" for path in planned.conflicts]
    return {
        "positive": fresh.count("positive"),
        "negative": fresh.count("negative"),
        "skipped": fresh.count("skipped"),
        "same": len(planned.same),
        "by_model": planned.by_model,
        "unlabelled": planned.unlabelled,
        "rules": [
            {"rule": rule, "paths": planned.matches.rules[rule], "says": says[planned.matches.rules[rule] > 1]}
            for rule, says in RULES.items()
            if planned.matches.rules[rule]
        ],
        "unread": {displayed(word): count for word, count in planned.unread.most_common(20)},
        "conflicts": _some(conflicts),
        "contradictions": _some(planned.contradictions),
        "ambiguous": _some(planned.matches.ambiguous),
        "elsewhere": _some(planned.matches.elsewhere),
        "claimed": _some(planned.matches.claimed),
        "of_photos": _some(planned.of_photos),
        "unknown": _some(planned.matches.unknown),
    }


def _some(paths: Collection[str]) -> SomeImages:
    """How many there are, and the first of them."""
    return {"images": len(paths), "examples": [displayed(path) for path in list(paths)[:EXAMPLES]]}

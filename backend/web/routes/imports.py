"""The routes that take over labels from a file dropped on the page: told first, stored when asked again."""

import asyncio
import tempfile
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse

from backend.images.names import displayed
from backend.imports import read_labelled
from backend.imports.labelled import Labelled, Words
from backend.imports.plan import RULES, Plan, plan
from backend.imports.records import ColumnError
from backend.session.session import Session
from backend.store.table import Label
from backend.web.bodies import GroupBody

PATH = "/api/import"
MOST_BYTES = 16 * 2**20  # JSON takes twenty times as much in memory; for larger files there is the command line
EXAMPLES = 5
MOST_COLUMNS = 200
Name = Annotated[str, Query(pattern=r"^[^/\x00]{1,60}$")]
Column = Annotated[str | None, Query(max_length=1000)]
Given = Annotated[list[str] | None, Query(max_length=100)]


def add_import_routes(app: FastAPI, session: Session) -> None:
    """Add them to the app of a session."""
    one_at_a_time = asyncio.Lock()

    @app.post(PATH, summary="Take over the labels in a file or, with dry_run, tell what would become of them")
    async def import_labels(
        request: Request,
        name: Name,
        dry_run: bool = True,
        overwrite: bool = False,
        positive: Given = None,
        negative: Given = None,
        path_column: Column = None,
        label_column: Column = None,
    ) -> Any:
        names: dict[Label, str] = {"positive": session.settings.positive, "negative": session.settings.negative}
        words = Words(names, positive or (), negative or ())
        async with one_at_a_time:
            read = partial(read_labelled, path_column=path_column, label_column=label_column)
            try:
                planned = await asyncio.to_thread(_planned, session, name, await request.body(), words, read)
            except ColumnError as error:
                return JSONResponse(_asked(error), 422)
            if dry_run:
                return _told(planned, session)
            drawn, group = planned.drawn(session.labels.is_sampled), planned.group(session.labels.is_sampled)
            told = _told(planned, session)
            await asyncio.wrap_future(session.labels.annotate_all(planned.answers(overwrite, group)))
            session.labels.reach(drawn)
        return told | {"group": group, "counts": session.counts()}

    @app.get(f"{PATH}/last", summary="The last import whose labels still stand, all or some")
    def last() -> dict[str, Any]:
        group, images = session.labels.stored.last_import() or (None, 0)
        return {"group": group, "images": images}

    @app.post(f"{PATH}/undo", summary="Take an import back: all labels that it gave and that still stand")
    async def undo(body: GroupBody) -> dict[str, Any]:
        return {"images": await asyncio.wrap_future(session.labels.undo_group(str(body.group))), **session.counts()}


def _planned(
    session: Session, name: str, body: bytes, words: Words, read: Callable[[Path], Iterable[Labelled]]
) -> Plan:
    cache = session.run / "cache"
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
    images = [session.images.path(number) for number in range(len(session.images))]
    return plan(labelled, words, images, session.settings.datadir, session.labels.by_path())


def _asked(error: ColumnError) -> dict[str, Any]:
    """What a page needs to ask which column is which: `missing` is `path_column` or `label_column`."""
    sentence = f"The labels cannot be read: {displayed(str(error))}; choose it."
    columns = list(dict.fromkeys(map(displayed, error.columns)))
    missing = "path_column" if error.what == "images" else "label_column"
    return {"detail": sentence, "missing": missing, "columns": columns[:MOST_COLUMNS]}


def _told(planned: Plan, session: Session) -> dict[str, Any]:
    fresh = list(planned.fresh.values())
    conflicts = [f"{path} ({session.labels.label(path)})" for path in planned.conflicts]
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


def _some(paths: Collection[str]) -> dict[str, Any]:
    """How many there are, and the first of them."""
    return {"images": len(paths), "examples": [displayed(path) for path in list(paths)[:EXAMPLES]]}

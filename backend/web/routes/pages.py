"""The page itself: its files, TensorBoard, and the list of routes for people who write programs."""

import html
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from backend.web.page import FOR_GOOD, PAGE
from backend.web.parts import TheInstructions, TheTensorBoard

DOCS = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>Intelligent Annotation: API</title><h1>API</h1>
<p>Bodies and answers in full: <a href="openapi.json">openapi.json</a> (OpenAPI). The token goes into
<code>Authorization: Bearer</code>.</p><table>{rows}</table></html>"""

router = APIRouter()


@router.get("/", include_in_schema=False)
def page() -> Response:
    """The page; everything in it is named from where it is, because a proxy may serve it below any path."""
    return _file(PAGE / "index.html", "no-cache")


@router.get("/assets/{name}", include_in_schema=False)
def asset(name: str) -> Response:
    """A script, style or font of the page."""
    known = {path.name: path for path in (PAGE / "assets").glob("*")}
    if name not in known:
        raise HTTPException(404, "There is no such file.")
    return _file(known[name], FOR_GOOD)


@router.get("/api/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """All routes with one line each."""
    rows = "".join(
        f"<tr><td><code>{method.upper()} {html.escape(path)}</code></td><td>{route['summary']}</td></tr>"
        for path, routes in request.app.openapi()["paths"].items()
        for method, route in routes.items()
    )
    return HTMLResponse(DOCS.format(rows=rows))


@router.get("/api/instructions", summary="What the person who started says of the question")
def instructions(instructions: TheInstructions) -> dict[str, str | None]:
    """The text that the page shows beside the question; null where there is none."""
    return {"text": instructions.text}


@router.get("/tensorboard", include_in_schema=False)
def without_slash() -> Response:
    """TensorBoard names its files from its own address, which must end with a slash."""
    return RedirectResponse("tensorboard/")


@router.api_route("/tensorboard/{path:path}", methods=["GET", "POST"], include_in_schema=False)
async def to_tensorboard(request: Request, tensorboard: TheTensorBoard) -> Response:
    """What TensorBoard answers."""
    if tensorboard is None:
        raise HTTPException(404, "TensorBoard is off in this session.")
    return await tensorboard.answer(request)


def _file(path: Path, cache: str) -> Response:
    if not path.is_file():
        raise HTTPException(404, "The page is not built; run npm ci && npm run build in reactcode/.")
    return FileResponse(path, headers={"cache-control": cache})

"""The page itself: its files, and the list of routes for people who write programs."""

import html
import re
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from config import IS_CLONE, ROOT

PAGE = ROOT / "reactcode" / "dist" if IS_CLONE else Path(__file__).with_name("page")
FOR_GOOD = "private, max-age=31536000, immutable"
PROGRAM = re.compile(r"""<script type="module"[^>]* src="\./assets/([^"/]+)">""")
DOCS = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>Intelligent Annotation: API</title><h1>API</h1>
<p>Bodies and answers in full: <a href="openapi.json">openapi.json</a> (OpenAPI). The token goes into
<code>Authorization: Bearer</code>.</p><table>{rows}</table></html>"""


def program() -> str | None:
    """The name of the script that the page starts with; another one in each version. None while there is no page."""
    path = PAGE / "index.html"
    try:
        return _program(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=1)
def _program(path: Path, _mtime_ns: int) -> str | None:
    found = PROGRAM.search(path.read_text("utf-8"))
    return found and found[1]


def add_page_routes(app: FastAPI) -> None:
    """Let the app give out the page; everything in it is named from where it is, for it may be below any path."""

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return _file(PAGE / "index.html", "no-cache")

    @app.get("/assets/{name}", include_in_schema=False)
    def asset(name: str) -> Response:
        known = {path.name: path for path in (PAGE / "assets").glob("*")}
        if name not in known:
            raise HTTPException(404, "There is no such file.")
        return _file(known[name], FOR_GOOD)

    @app.get("/api/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        rows = "".join(
            f"<tr><td><code>{method.upper()} {html.escape(path)}</code></td><td>{route['summary']}</td></tr>"
            for path, routes in app.openapi()["paths"].items()
            for method, route in routes.items()
        )
        return HTMLResponse(DOCS.format(rows=rows))


def _file(path: Path, cache: str) -> Response:
    if not path.is_file():
        raise HTTPException(404, "The page is not built; run npm ci && npm run build in reactcode/.")
    return FileResponse(path, headers={"cache-control": cache})

"""How a refusal looks: JSON for programs, a page with one sentence for people, and the prompt for the token."""

import html
from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response

STYLE = """:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
:root { background: Canvas; color: CanvasText }
body { max-width: 26rem; margin: 20vh auto 0; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem } form { display: flex; gap: .5rem } label { flex: 1; display: flex; gap: .5rem }
input { flex: 1; min-width: 0 } input, button { font: inherit; padding: .4rem .6rem }
[role=alert] { color: light-dark(#c2410c, #fb923c) }"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Intelligent Annotation</title><style>{style}</style>
<h1>Intelligent Annotation</h1>
{content}</html>"""
PROMPT = """{wrong}<p>Open the link that the terminal printed, or paste its token here.</p>
<form method="get" action="./"><label>Token <input name="token" autofocus autocomplete="off"></label>
<button>Open</button></form>"""
WRONG_TOKEN = '<p role="alert">That is not the token of this run.</p>'
POLICY = (  # The page fetches and decodes pictures ahead (blob:), and its icon is a line of text (data:).
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
STYLED = f"{POLICY}; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"


def sentence(status: int, text: str, headers: Headers | None = None) -> Response:
    """An answer with one sentence that says what is wrong.

    Args:
        status: of the answer.
        text: the sentence.
        headers: of the request; a browser that will show the answer gets a page, everybody else gets JSON.
    """
    if headers is not None and "text/html" in headers.get("accept", ""):
        return _page(status, f'<p role="alert">{html.escape(text)}</p>')
    return JSONResponse({"detail": text}, status)


def token_prompt(*, is_wrong: bool) -> Response:
    """The page that asks for the token; `is_wrong`: it says that the token it was given is not the right one."""
    return _page(401, PROMPT.format(wrong=WRONG_TOKEN if is_wrong else ""))


def _page(status: int, content: str) -> Response:
    return HTMLResponse(PAGE.format(style=STYLE, content=content), status, {"content-security-policy": STYLED})

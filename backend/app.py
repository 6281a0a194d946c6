"""The app of the annotation server, put together from its routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import Lifespan

from backend.images.uploads import MOST_BYTES
from backend.session.session import Session
from backend.web.access import Access
from backend.web.documented import DocumentedApp
from backend.web.mistakes import answer_mistakes
from backend.web.routes import (
    annotations,
    audit,
    choices,
    downloads,
    explanations,
    finish,
    images,
    imports,
    map,
    pages,
    similar,
    slips,
    status,
    uploads,
)
from backend.web.tensorboard import TensorBoard
from backend.web.turns import Turns

ROUTERS = (
    annotations.answers,
    annotations.router,
    images.router,
    status.router,
    audit.router,
    finish.router,
    slips.router,
    similar.router,
    map.router,
    explanations.router,
    imports.router,
    uploads.router,
    downloads.router,
    choices.router,
    pages.router,
)


def create_app(session: Session, token: str | None) -> FastAPI:
    """The server of one session.

    Args:
        session: the run; it is started and closed with the app.
        token: what everybody must show; None: nothing.
    """
    tensorboard = TensorBoard(session.config.port + 1, token) if session.config.tensorboard else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        session.start()
        yield
        if tensorboard is not None:
            await tensorboard.close()
        await asyncio.to_thread(session.close)

    app = routes_app(lifespan)
    app.state.session = session
    app.state.turns = Turns()
    app.state.status_text = status.StatusText(session)
    app.state.tensorboard = tensorboard
    limits = {imports.PATH: imports.MOST_BYTES} | dict.fromkeys(map.PATHS_WITH_IMAGES, map.MOST_BYTES)
    if session.uploads is not None:
        limits[uploads.PATH] = MOST_BYTES
    app.add_middleware(Access, config=session.config, token=token, limits=limits)
    return app


def routes_app(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """All routes without a session, as openapi.json describes them; they answer once `app.state` has its parts."""
    app = DocumentedApp(
        title="Intelligent Annotation",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        servers=[{"url": ".."}],  # The address is relative to that of openapi.json, which may lie below any path.
        redirect_slashes=False,  # Such a redirection would name the host, which a proxy may know by another name.
    )
    answer_mistakes(app)
    for router in ROUTERS:
        app.router.routes += router.routes  # include_router would look for the route of a request in each router
    return app

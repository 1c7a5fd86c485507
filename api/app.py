"""The HTTP service: tags over `POST /v1/tags`, and whether it is alive and ready."""

from __future__ import annotations

from importlib.metadata import version as installed

from fastapi import FastAPI

from classifier.dispatch import Dispatcher
from classifier.store import ModelStore

from .problems import add_problems
from .routes import health, tags


def create_app(store: ModelStore) -> FastAPI:
    """The service on a folder of models; promoting another version there needs no restart."""
    app = FastAPI(
        title="hotline",
        summary="12345 热线工单分类",
        version=installed("hotline-classifier"),
        docs_url=None,  # the usual page loads a CDN and stays blank on a closed network
        redoc_url=None,
    )
    app.state.store = store
    app.state.dispatcher = Dispatcher.load()
    app.include_router(health.router)
    app.include_router(tags.router, prefix="/v1")
    add_problems(app)
    return app

"""The HTTP service: tags over `POST /v1/tags`, the ledger, and whether it is alive and ready."""

from __future__ import annotations

from importlib.metadata import version as installed

from fastapi import FastAPI

from classifier.dispatch import Dispatcher
from classifier.store import ModelStore

from .desk import Desk
from .facades import kserve, open311
from .ledger.ledger import Ledger
from .problems import add_problems
from .routes import feed, health, tags, volumes, work_orders
from .routes.bodies import add_schemas
from .schemas import TagRequest
from .settings import Settings


def create_app(store: ModelStore, settings: Settings) -> FastAPI:
    """The service on a folder of models, where promoting needs no restart, and on a ledger."""
    app = FastAPI(
        title="hotline",
        summary="12345 热线工单分类",
        version=installed("hotline-classifier"),
        docs_url=None,  # the usual page loads a CDN and stays blank on a closed network
        redoc_url=None,
    )
    app.state.store = store
    app.state.settings = settings
    app.state.ledger = Ledger(settings)
    app.state.desk = Desk(store, Dispatcher.load(), app.state.ledger if settings.record else None)
    app.include_router(health.router)
    for router in (tags.router, volumes.router, work_orders.router, feed.router):
        app.include_router(router, prefix="/v1")
    if settings.kserve:
        app.include_router(kserve.router)
    if settings.open311:
        app.include_router(open311.router)
    add_problems(app)
    add_schemas(app, TagRequest)
    return app

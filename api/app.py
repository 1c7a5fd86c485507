"""The HTTP service: tags over `POST /v1/tags`, the ledger, and whether it is alive and ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version as installed

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from classifier.dispatch import Dispatcher
from classifier.store import ModelStore

from .access.body_limit import BodyLimit
from .access.gate import Gate
from .access.headers import SecurityHeaders
from .access.rules import check_rules
from .access_log import AccessLog
from .contract.description import describe
from .contract.idempotency import Idempotency
from .contract.inflate import Inflate
from .contract.request_ids import RequestIds
from .desk import Desk
from .facades import kserve, open311
from .jobs.runner import JobRunner
from .ledger.ledger import Ledger
from .metrics import Metrics
from .problems import add_problems
from .routes import (
    audit,
    corrections,
    docs,
    feed,
    health,
    jobs,
    metrics,
    session,
    tags,
    taxonomy,
    volumes,
    work_orders,
)
from .routes.bodies import add_schemas
from .schemas import TagRequest
from .settings import Settings

_FORM = 1 << 16  # bytes that a form has around its file


@asynccontextmanager
async def _with_jobs(app: FastAPI) -> AsyncIterator[None]:
    """Work on jobs while the service runs; what is in hand when it stops is taken up by the next one."""
    runner = JobRunner(app.state.ledger, app.state.settings, app.state.store.chosen)
    runner.start()
    yield
    await asyncio.to_thread(runner.stop)
    await asyncio.to_thread(app.state.ledger.close)


def create_app(store: ModelStore, settings: Settings) -> FastAPI:
    """The service on a folder of models, where promoting needs no restart, and on a ledger."""
    app = FastAPI(
        title="hotline",
        summary="12345 热线工单分类",
        version=installed("hotline-classifier"),
        docs_url=None,  # the usual page loads a CDN and stays blank on a closed network
        redoc_url=None,
        lifespan=_with_jobs,
    )
    app.state.store = store
    app.state.settings = settings
    app.state.ledger = Ledger(settings)
    app.state.desk = Desk(store, Dispatcher.load(), app.state.ledger if settings.record else None)
    app.state.metrics = Metrics()
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(docs.router)
    for noun in (tags, jobs, taxonomy, volumes, work_orders, corrections, feed, session, audit):
        app.include_router(noun.router, prefix="/v1")
    if settings.kserve:
        app.include_router(kserve.router)
    if settings.open311:
        app.include_router(open311.router)
    add_problems(app)
    add_schemas(app, TagRequest)
    describe(app)
    check_rules(app)
    # The last one added is the outermost.
    app.add_middleware(Idempotency, ledger=app.state.ledger)
    app.add_middleware(BodyLimit, most=settings.body_bytes, most_of_files=settings.job_bytes + _FORM)
    app.add_middleware(Inflate)
    app.add_middleware(Gate, ledger=app.state.ledger, settings=settings)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLog, metrics=app.state.metrics)
    app.add_middleware(RequestIds)
    return app

"""What endpoints are given."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from classifier.dispatch import Dispatcher
from classifier.store import ModelStore


def _store(request: Request) -> ModelStore:
    return cast(ModelStore, request.app.state.store)


def _dispatcher(request: Request) -> Dispatcher:
    return cast(Dispatcher, request.app.state.dispatcher)


TheModels = Annotated[ModelStore, Depends(_store)]
TheDispatcher = Annotated[Dispatcher, Depends(_dispatcher)]

"""What endpoints are given."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from classifier.store import ModelStore


def _store(request: Request) -> ModelStore:
    return cast(ModelStore, request.app.state.store)


TheModels = Annotated[ModelStore, Depends(_store)]

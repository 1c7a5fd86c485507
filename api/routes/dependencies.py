"""What endpoints are given."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from classifier.errors import ModelError
from classifier.store import ModelStore
from classifier.taxonomy import Taxonomy

from ..desk import Desk
from ..label_names import LabelNames
from ..ledger.ledger import Ledger


async def _store(request: Request) -> ModelStore:
    return cast(ModelStore, request.app.state.store)


def desk_of(request: Request) -> Desk:
    """Where work orders are tagged."""
    return cast(Desk, request.app.state.desk)


def _ledger(request: Request) -> Ledger:
    ledger = cast(Ledger, request.app.state.ledger)
    return ledger.open(create=True)  # the tables are looked at until they were right once


def _recorder(request: Request) -> Ledger | None:
    """The ledger, where the service is to record."""
    return _ledger(request) if request.app.state.settings.record else None


def _names(models: TheModels) -> LabelNames:
    """Labels as the current model calls them, or the program's taxonomy where there is no model."""
    try:
        return LabelNames(models.current().taxonomy)
    except ModelError:
        return LabelNames(Taxonomy.load())


TheModels = Annotated[ModelStore, Depends(_store)]
TheLedger = Annotated[Ledger, Depends(_ledger)]
TheRecorder = Annotated[Ledger | None, Depends(_recorder)]
TheNames = Annotated[LabelNames, Depends(_names)]

"""Where work orders that arrive over HTTP are tagged and entered in the ledger.

Small requests that arrive at the same time are tagged in one go and recorded in one transaction: under
load that costs each of them a fraction of what it costs alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice

from pydantic_core import to_json

from classifier.cleaned import clean_many
from classifier.dispatch import Dispatcher
from classifier.store import ModelStore

from .entering import Arrival, enter
from .gathered import Gathered
from .ledger.ledger import Ledger
from .schemas import TagRequest, tags_out

SMALL = 20  # work orders of a request that is gathered with others
AT_ONCE = 64  # requests gathered


class Desk:
    """Tags and records; `ledger` is None where nothing is to be recorded."""

    def __init__(self, store: ModelStore, dispatcher: Dispatcher, ledger: Ledger | None) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._ledger = ledger
        self._gathered = Gathered(self._answers, AT_ONCE)

    async def answer(self, asked: TagRequest) -> bytes:
        """The answer to a request, as JSON of a `TagResponse`.

        Raises:
            ModelError: there is no sound model.
            LedgerError: the ledger cannot be reached, or is none.
        """
        if asked.explain or len(asked.work_orders) > SMALL:
            return (await asyncio.to_thread(self._answers, [asked]))[0]
        return await self._gathered.bring(asked)

    def _answers(self, asked: Sequence[TagRequest]) -> list[bytes]:
        """The answers to several requests; all are of one model, and recorded together or not at all."""
        ledger = self._ledger.open(create=True) if self._ledger else None  # looked at until it was right once
        model = self._store.current()
        arrived = [one for request in asked for one in request.work_orders]
        orders = [one.to_work_order() for one in arrived]
        requests = [order.request for order in orders]
        cleaned = clean_many(requests)
        tags = list(model.tagging(requests, cleaned))
        categories = [given["category"].label for given in tags]
        suggested = self._dispatcher.suggest(cleaned, categories, [order.district for order in orders])
        arrivals: Sequence[Arrival | None] = [None] * len(orders)
        if ledger:
            pairs = zip(orders, arrived, strict=True)
            entered = [Arrival.of(order, one.received_at, one.department) for order, one in pairs]
            enter(ledger, entered, tags, model, suggested)
            arrivals = entered
        rows = zip(orders, tags, suggested, arrivals, strict=True)
        return [
            to_json(
                {
                    "results": [
                        tags_out(order, given, model, unit, explained=request.explain, arrival=arrival)
                        for order, given, unit, arrival in islice(rows, len(request.work_orders))
                    ]
                }
            )
            for request in asked
        ]

"""Where work orders that arrive over HTTP are tagged and entered in the ledger.

Small requests that arrive at the same time are tagged in one go and recorded in one transaction: under
load that costs each of them a fraction of what it costs alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from pydantic_core import to_json

from classifier.cleaned import clean_many
from classifier.dispatch import Dispatcher
from classifier.model import Model
from classifier.store import ModelStore
from classifier.work_order import Tags

from .entering import Arrival, enter
from .gathered import Gathered
from .ledger.ledger import Ledger
from .observed import Observed, observed
from .schemas import TagRequest, WorkOrderIn, tags_out

SMALL = 20  # work orders of a request that is gathered with others
AT_ONCE = 64  # requests gathered


class _Asked(NamedTuple):
    request: TagRequest
    seen: Observed  # what the request did, for log and metrics


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
        waiting = _Asked(asked, observed())
        if asked.explain or len(asked.work_orders) > SMALL:
            return (await asyncio.to_thread(self._answers, [waiting]))[0]
        return await self._gathered.bring(waiting)

    async def results(self, orders: Sequence[WorkOrderIn]) -> list[bytes]:
        """The results of many work orders, each as JSON of a `TagsOut`, in order.

        Raises:
            ModelError: there is no sound model.
            LedgerError: the ledger cannot be reached, or is none; none of them is recorded.
        """
        asked = _Asked(TagRequest.model_construct(work_orders=orders, explain=False), observed())
        return await asyncio.to_thread(lambda: [to_json(one) for one in self._results([asked])[0]])

    def _answers(self, waiting: Sequence[_Asked]) -> list[bytes]:
        return [to_json({"results": results}) for results in self._results(waiting)]

    def _results(self, waiting: Sequence[_Asked]) -> list[list[dict[str, Any]]]:
        """The results of several requests; all are of one model, and recorded together or not at all."""
        asked = [one.request for one in waiting]
        ledger = self._ledger.open(create=True) if self._ledger else None  # looked at until it was right once
        model = self._store.current()
        arrived = [one for request in asked for one in request.work_orders]
        orders = [one.to_work_order() for one in arrived]
        requests = [order.request for order in orders]
        start = time.perf_counter()
        cleaned = clean_many(requests)
        tags = list(model.tagging(requests, cleaned))
        _observe(waiting, model, tags, time.perf_counter() - start)
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
            [
                tags_out(order, given, model, unit, explained=request.explain, arrival=arrival)
                for order, given, unit, arrival in islice(rows, len(request.work_orders))
            ]
            for request in asked
        ]


def _observe(waiting: Sequence[_Asked], model: Model, tags: Sequence[Tags], seconds: float) -> None:
    """Put down at each request what was tagged for it; the one call of the model is the first one's."""
    waiting[0].seen.tagging_seconds.append(seconds)
    left = iter(tags)
    for request, seen in waiting:
        seen.work_orders += len(request.work_orders)
        seen.model_version = model.version
        given = islice(left, len(request.work_orders))
        seen.tagged.update((one["category"].first, one.decision) for one in given)

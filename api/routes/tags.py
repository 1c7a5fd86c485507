"""Tagging work orders."""

from __future__ import annotations

from fastapi import APIRouter

from ..entering import Arrival, enter
from ..observed import tag_observed
from ..schemas import TagRequest, TagResponse
from .dependencies import TheDispatcher, TheModels, TheRecorder

router = APIRouter(tags=["tags"])


@router.post("/tags", response_model_exclude_none=True)
def tag(
    arrived: TagRequest, models: TheModels, dispatcher: TheDispatcher, ledger: TheRecorder
) -> TagResponse:
    """Tag one to a thousand work orders, in order, and enter them in the ledger."""
    model = models.current()
    orders = [order.to_work_order() for order in arrived.work_orders]
    tags = tag_observed(model, [order.request for order in orders])
    suggested = dispatcher.suggest(
        [order.request for order in orders],
        [given["category"].label for given in tags],
        [order.district for order in orders],
    )
    answer = TagResponse.of(orders, tags, model, suggested, explained=arrived.explain)
    if ledger:
        pairs = zip(orders, arrived.work_orders, strict=True)
        arrivals = [Arrival.of(order, one.received_at, one.department) for order, one in pairs]
        enter(ledger, arrivals, tags, model, suggested)
        answer.tell(arrivals)
    return answer

"""Tagging work orders."""

from __future__ import annotations

from fastapi import APIRouter

from ..schemas import TagRequest, TagResponse
from .dependencies import TheDispatcher, TheModels

router = APIRouter(tags=["tags"])


@router.post("/tags", response_model_exclude_none=True)
def tag(arrived: TagRequest, models: TheModels, dispatcher: TheDispatcher) -> TagResponse:
    """Tag one to a thousand work orders, in order."""
    model = models.current()
    orders = [order.to_work_order() for order in arrived.work_orders]
    tags = model.tag([order.request for order in orders])
    return TagResponse.of(orders, tags, model, dispatcher, explained=arrived.explain)

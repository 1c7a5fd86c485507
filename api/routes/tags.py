"""Tagging work orders."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ..schemas import TagRequest, TagResponse
from .dependencies import TheDesk

router = APIRouter(tags=["tags"])


@router.post("/tags", response_model=TagResponse, response_model_exclude_none=True)
async def tag(arrived: TagRequest, desk: TheDesk) -> Response:
    """Tag one to a thousand work orders, in order, and enter them in the ledger."""
    return Response(await desk.answer(arrived), media_type="application/json")

"""Tagging work orders."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..schemas import TagRequest, TagResponse
from .bodies import body_of, documented
from .dependencies import desk_of

router = APIRouter(tags=["tags"])


@router.post("/tags", response_model=TagResponse, openapi_extra=documented(TagRequest))
async def tag(request: Request) -> Response:
    """Tag one to a thousand work orders, in order, and enter them in the ledger."""
    asked = await body_of(request, TagRequest)
    return Response(await desk_of(request).answer(asked), media_type="application/json")

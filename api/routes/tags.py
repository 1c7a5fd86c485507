"""Tagging work orders."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..contract.idempotency import NDJSON
from ..schemas import TagRequest, TagResponse
from .bodies import body_of, documented
from .dependencies import desk_of
from .tag_lines import LinesResponse, tagged_lines

router = APIRouter(tags=["tags"])


@router.post("/tags", response_model=TagResponse, openapi_extra=documented(TagRequest))
async def tag(request: Request) -> Response:
    """Tag one to a thousand work orders, in order, and enter them in the ledger; or any number, as lines."""
    desk = desk_of(request)
    if request.headers.get("content-type", "").startswith(NDJSON):
        return LinesResponse(tagged_lines(request, desk))
    return Response(await desk.answer(await body_of(request, TagRequest)), media_type="application/json")

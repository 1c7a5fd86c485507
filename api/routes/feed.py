"""The feed: tagged work orders and corrections for other platforms, each once."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from ..feed_schemas import EXAMPLE, EventOut, feed_cursor_of, written_cursor
from .dependencies import TheLedger, TheNames

router = APIRouter(tags=["feed"])


class Lines(Response):
    """NDJSON."""

    media_type = "application/x-ndjson"


@router.get(
    "/feed",
    response_class=Lines,
    responses={
        200: {
            "description": "每行一个事件，按先后；没有新的时为空",
            "content": {Lines.media_type: {"example": EXAMPLE.line()}},
            "headers": {
                "X-Next-Cursor": {"description": "下次的 after", "schema": {"type": "string"}},
                "Link": {"description": "这一页满了时，下一页（rel=next）", "schema": {"type": "string"}},
            },
        }
    },
)
def get_feed(
    request: Request,
    ledger: TheLedger,
    names: TheNames,
    after: Annotated[str | None, Query(description="上次读到的游标；不写时从头")] = None,
    limit: Annotated[int, Query(ge=1, le=5000, description="最多几个事件")] = 1000,
    text: Annotated[Literal["none", "masked"], Query(description="masked 时附上遮盖后的标题和正文")] = "none",
) -> Lines:
    """What was tagged and corrected after a cursor."""
    start = feed_cursor_of(after)
    events = ledger.feed(start, limit)
    following = written_cursor(events[-1].cursor if events else start)
    headers = {"X-Next-Cursor": following}
    if len(events) == limit:
        query = request.url.include_query_params(after=following).query
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    lines = (EventOut.of(event, names, with_text=text == "masked").line() for event in events)
    return Lines("".join(lines), headers=headers)

"""Work orders as lines of JSON, tagged while they come: any number of them, in a bounded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from classifier.errors import HotlineError

from ..desk import Desk
from ..problems import said_of
from ..schemas import WorkOrderIn

LONGEST = 1 << 20  # bytes of a line
AT_ONCE = 200  # work orders that are tagged, recorded and answered together


class LinesResponse(StreamingResponse):
    """Streams without listening for a disconnect: that would take the request's body from under us."""

    media_type = "application/x-ndjson"

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the lines as they are made."""
        await self.stream_response(send)


class _Line(NamedTuple):
    number: int  # from 1, blank ones counted
    order: WorkOrderIn | None
    error: bytes = b""  # the line that answers one that is none


async def tagged_lines(request: Request, desk: Desk) -> AsyncIterator[bytes]:
    """A line of JSON for each line that came, in order: a `TagsOut`, or what is wrong with the line.

    Where the ledger or the model fails, the last line says so, and from which line on nothing was
    recorded: send the rest again.
    """
    waiting: list[_Line] = []
    try:
        async for line in _lines(request):
            if line is None or len(waiting) >= AT_ONCE:
                yield await _answers(waiting, desk)
                waiting = []
            if line is not None:
                waiting.append(line)
        if waiting:
            yield await _answers(waiting, desk)
    except HotlineError as error:
        yield _wrong(waiting[0].number, f"{error}；从这一行起没有处理，请从这一行起重新送来", stopped=True)
    except HTTPException as error:  # no gzip: the answer has begun, so a line must tell
        if waiting:
            yield await _answers(waiting, desk)
        yield to_json({"error": str(error.detail), "stopped": True}) + b"\n"
    except ClientDisconnect:
        return


async def _answers(lines: list[_Line], desk: Desk) -> bytes:
    orders = [line.order for line in lines if line.order]
    results = iter(await desk.results(orders) if orders else [])
    return b"".join(next(results) + b"\n" if line.order else line.error for line in lines)


async def _lines(request: Request) -> AsyncIterator[_Line | None]:
    """The lines that have come; None where those so far may be answered, for no more has come yet."""
    left, number = b"", 0
    async for piece in request.stream():
        *whole, left = (left + piece).split(b"\n")
        for written in whole:
            number += 1
            if written.strip():
                yield _read(number, written)
        if len(left) > LONGEST:
            yield _Line(number + 1, None, _wrong(number + 1, _TOO_LONG, stopped=True))
            return
        if whole:
            yield None
    if left.strip():
        yield _read(number + 1, left)


_TOO_LONG = f"一行最多 {LONGEST:,} 字节"


def _read(number: int, written: bytes) -> _Line:
    if len(written) > LONGEST:
        return _Line(number, None, _wrong(number, _TOO_LONG))
    try:
        return _Line(number, WorkOrderIn.model_validate_json(written))
    except ValidationError as error:
        found = said_of(error)
        return _Line(number, None, _wrong(number, f"{found[0]['pointer']} {found[0]['detail']}"))


def _wrong(number: int, detail: str, *, stopped: bool = False) -> bytes:
    return to_json({"line": number, "error": detail, **({"stopped": True} if stopped else {})}) + b"\n"

"""An id for each request, the client's or ours, on every answer: by it an answer is found in the log."""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifier.masking import mask

HEADER = "X-Request-ID"
_FINE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RequestIds:
    """Wraps the application; an id that is none, or may be somebody's number, is replaced by one of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given.decode("ascii") if _FINE.fullmatch(given) else ""
        if not request_id or mask(request_id) != request_id:
            request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self.app(scope, receive, with_id)

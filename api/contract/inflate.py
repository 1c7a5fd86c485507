"""Bodies that come compressed with gzip, inflated piece by piece: a bomb meets the limit early."""

from __future__ import annotations

import zlib
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem

_AT_ONCE = 1 << 16  # bytes
_GZIP = 16 + zlib.MAX_WBITS


class Inflate:
    """Wraps the application; what it gets is plain, and as long as it becomes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        encoding = b""
        if scope["type"] == "http":
            found = [value for name, value in scope["headers"] if name == b"content-encoding"]
            encoding = b",".join(found).strip().lower()
        if encoding in (b"", b"identity"):
            await self.app(scope, receive, send)
            return
        if encoding != b"gzip":
            detail = "请求内容的 Content-Encoding 只支持 gzip"
            await problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Encoding": "gzip"})(
                scope, receive, send
            )
            return
        plain = [pair for pair in scope["headers"] if pair[0] not in (b"content-encoding", b"content-length")]
        await self.app({**scope, "headers": plain}, _Inflated(receive).receive, send)


class _Inflated:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._inflater = zlib.decompressobj(_GZIP)
        self._left = b""
        self._more = True

    async def receive(self) -> Message:
        """The next piece, inflated."""
        while True:
            if not self._left and self._more:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._left, self._more = message.get("body", b""), message.get("more_body", False)
            piece = self._inflate()
            ended = not self._left and not self._more
            if ended and not self._inflater.eof:
                raise HTTPException(HTTPStatus.BAD_REQUEST, "请求内容的 gzip 不完整")
            if piece or ended:
                return {"type": "http.request", "body": piece, "more_body": not ended}

    def _inflate(self) -> bytes:
        try:
            piece = self._inflater.decompress(self._left, _AT_ONCE)
        except zlib.error as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "请求内容不是正确的 gzip") from error
        self._left = self._inflater.unconsumed_tail
        if self._inflater.unused_data:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "请求内容的 gzip 之后还有别的")
        return piece

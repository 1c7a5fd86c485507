"""A bound on what is read of a request, whatever its Content-Length says.

FastAPI has one, too, which answers with plain text in English rather than with a problem document.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem


class BodyLimit:
    """Wraps the application: a longer body is refused, at once where it is announced."""

    def __init__(self, app: ASGIApp, most: int, most_of_files: int) -> None:
        self.app = app
        self._most = most
        self._most_of_files = most_of_files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or _is_lines(scope):
            await self.app(scope, receive, send)
            return
        most = self._most_of_files if scope["path"] == "/v1/jobs" else self._most
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > most:
            await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _said(most))(scope, receive, send)
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _said(most))
            return message

        await self.app(scope, bounded, send)


def _said(most: int) -> str:
    return f"请求内容最多 {most:,} 字节，请分几次送来，或改用文件任务"


def _is_lines(scope: Scope) -> bool:
    """Whether line after line comes, each of which has a bound of its own (api/routes/tag_lines.py)."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(scope["path"] == "/v1/tags" and kind.startswith(b"application/x-ndjson"))

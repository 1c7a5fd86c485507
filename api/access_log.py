"""One line in the log and one count in the metrics for each request; nothing of what was sent.

A request is named by the template of its route: a path or a query may hold an id or a text.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifier.masking import mask

from .access.rules import template_of
from .metrics import Metrics
from .observed import Observed, begin

UNKNOWN = "unknown"  # no such address: one name for all of them, however many are tried
OTHER = "other"  # files of a page, and what else is no endpoint of ours
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ID_LENGTH = 64

_log = structlog.get_logger("hotline.access")


class AccessLog:
    """Wraps the application, and writes down what became of each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = begin()
        status, request_id = 0, ""

        async def watched(message: Message) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = _request_id(message) or request_id
            await send(message)

        start = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, watched)
            except Exception as error:
                status = status or 500  # which whoever wraps this one answers with
                seen.error = type(error).__name__
                raise
            finally:
                self._tell(scope, status, request_id, time.perf_counter() - start, seen)

    def _tell(self, scope: Scope, status: int, request_id: str, seconds: float, seen: Observed) -> None:
        route, method = template(scope), scope["method"] if scope["method"] in METHODS else "OTHER"
        self.metrics.see(route, method, status, seconds, seen)
        state = scope.get("state") or {}
        facts: dict[str, Any] = {
            "request_id": _shown(request_id or str(state.get("request_id") or "")),
            "key": state.get("key_name"),
            "work_orders": seen.work_orders or None,
            "error": seen.error,
        }
        known = {name: value for name, value in facts.items() if value}
        log = _log.error if status >= 500 else _log.info
        log("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), **known)


def template(scope: Scope) -> str:
    """The route that answered, as it is written in the program, with its prefix."""
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    path = getattr(context, "path", None) or getattr(scope.get("route"), "path", None)
    if path:
        return str(path)
    if scope.get("endpoint"):
        return OTHER
    return template_of(scope["method"], scope["path"]) or UNKNOWN  # turned away before it reached its route


def _request_id(message: Message) -> str:
    found = [value for name, value in message.get("headers", ()) if name.lower() == b"x-request-id"]
    return found[0].decode("latin-1") if found else ""


def _shown(request_id: str) -> str:
    """The id, unless it is something else that a client put there."""
    fine = request_id.isascii() and request_id.isprintable() and len(request_id) <= _ID_LENGTH
    return request_id if fine and mask(request_id) == request_id else "(masked)"

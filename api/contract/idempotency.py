"""`Idempotency-Key`: a request that comes again gets the first one's answer, and is not worked on twice.

Same key and body: the same answer, byte for byte. Same key, other body: 422. While the first is being
worked on: 409. An error of ours (5xx) is not kept. After `draft-ietf-httpapi-idempotency-key-header`.
"""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifier.errors import HotlineError

from ..access.caller import caller_of
from ..ledger.idempotency import LOST, Answer, Answers, Claim
from ..ledger.ledger import Ledger
from ..problems import answer_of, problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
PATHS = frozenset({"/v1/tags", "/v1/corrections"})
_LONGEST = 200
NDJSON = "application/x-ndjson"


class Idempotency:
    """Wraps the application for the routes that change something."""

    def __init__(self, app: ASGIApp, ledger: Ledger) -> None:
        self.app = app
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        fits = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in PATHS
        request = Request(scope, receive) if fits else None
        given = request.headers.get(HEADER) if request else None
        if request is None or given is None:
            await self.app(scope, receive, send)
            return
        if not (given.isascii() and given.isprintable() and 0 < len(given) <= _LONGEST):
            detail = f"{HEADER} 须为 1 至 {_LONGEST} 个可见的 ASCII 字符，如 UUID"
            await problem(HTTPStatus.BAD_REQUEST, detail)(scope, receive, send)
            return
        if request.headers.get("content-type", "").startswith(NDJSON):
            detail = f"逐行的请求不能带 {HEADER}：每行的工单编号已保证只计一次"
            await problem(HTTPStatus.BAD_REQUEST, detail)(scope, receive, send)
            return
        try:
            await self._once(request, given, send)
        except (HotlineError, HTTPException) as error:  # a body that is too long, or no gzip
            await answer_of(error)(scope, receive, send)
        except ClientDisconnect:
            return  # nobody waits for an answer, and nothing was begun

    async def _once(self, request: Request, given: str, send: Send) -> None:
        body = await request.body()
        key = hashlib.sha256(f"{caller_of(request).actor}\n{request.url.path}\n{given}".encode()).hexdigest()
        answers = await asyncio.to_thread(self._answers)
        claim = await asyncio.to_thread(answers.claim, key, hashlib.sha256(body).hexdigest())
        if claim.state != "mine":
            await _told(claim)(request.scope, request.receive, send)
            return
        kept: list[Message] = []

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            kept.append(message)

        answer: Answer | None = None
        try:
            await self.app(request.scope, again, keep)
            answer = _answer(kept)
        finally:
            await asyncio.to_thread(answers.settle, key, claim, answer)
        for message in kept:  # what was acknowledged is stored
            await send(message)

    def _answers(self) -> Answers:
        return Answers(self._ledger.open(create=True).engine)


def _answer(kept: list[Message]) -> Answer | None:
    """What is to be kept of an answer; nothing of one that may be different the next time."""
    status = kept[0]["status"] if kept else HTTPStatus.INTERNAL_SERVER_ERROR
    if status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS:
        return None
    headers = {name.decode().lower(): value.decode() for name, value in kept[0]["headers"]}
    content = b"".join(message.get("body", b"") for message in kept[1:])
    return Answer(status, headers.get("content-type", ""), content)


def _told(claim: Claim) -> Response:
    if claim.answer:
        headers = {REPLAYED: "true", "Content-Type": claim.answer.content_type}
        return Response(claim.answer.content, claim.answer.status, headers)
    if claim.state == "other body":
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"这个 {HEADER} 已用于另一个内容不同的请求，请换一个")
    seconds = str(LOST.seconds)
    return problem(
        HTTPStatus.CONFLICT,
        f"同一个 {HEADER} 的请求正在处理，请稍后再试；处理中断的请求 {seconds} 秒后可以重来",
        {"Retry-After": "1"},
    )

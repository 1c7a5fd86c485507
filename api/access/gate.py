"""The gate before all routes: who asks, whether they may, and how often.

It stands before the body is read: whoever may not ask is turned away before anything is made of what
they sent. Where no key was ever made and nobody added, the service is open, as on a fresh machine;
`hotline serve` listens beyond this machine only then when it is told to.
"""

from __future__ import annotations

import asyncio
import math
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from classifier.errors import HotlineError

from ..ledger.ledger import Ledger
from ..problems import answer_of, problem
from ..settings import Settings
from . import sessions
from .caller import ANYBODY, NOBODY, Caller
from .hosts import is_rebound
from .keyring import Keyring
from .rates import Rates
from .rules import OPEN, scope_of
from .users import ROLES

SESSION_PATH = "/v1/session"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SCOPE_NAMES = {"tag": "打标", "read": "查询", "review": "复核", "admin": "管理"}


class Gate:
    """Wraps the application; puts the caller where `caller_of` finds it."""

    def __init__(self, app: ASGIApp, ledger: Ledger, settings: Settings) -> None:
        self.app = app
        self.keyring = Keyring(ledger)
        self._ledger = ledger
        self.rates = Rates()
        self._rate = settings.rate
        self._secret: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or turn it away."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        wanted = scope_of(scope["method"], scope["path"])
        state = scope.setdefault("state", {})
        state["gate"] = self
        if wanted in (None, OPEN) and scope["path"] != SESSION_PATH:
            await self.app(scope, receive, send)  # no such route, or one for everybody
            return
        try:
            if self.keyring.is_fresh and (self._secret or sessions.COOKIE not in request.cookies):
                caller = self._caller(request)
            else:
                caller = await asyncio.to_thread(self._caller, request)
        except HotlineError as error:
            await answer_of(error)(scope, receive, send)
            return
        refusal = None if wanted in (None, OPEN) else self._refusal(request, caller, str(wanted))
        if refusal is None:
            state["caller"] = caller or NOBODY
        state["key_name"] = caller.name if caller else None
        await (refusal or self.app)(scope, receive, send)

    def _caller(self, request: Request) -> Caller | None:
        """Who asks; None for somebody without a key that fits."""
        if self.keyring.is_empty():
            return ANYBODY
        token = _token(request)
        if token is not None:
            key = self.keyring.key(token)
            return Caller("key", key.name, key.scopes, key.rate) if key else None
        cookie = request.cookies.get(sessions.COOKIE)
        session = sessions.read(cookie, self.secret()) if cookie else None
        user = self.keyring.user(session.name) if session else None
        if session is None or user is None or not session.is_of(user):
            return None
        return Caller("user", user.name, ROLES.get(user.role, frozenset()), csrf=session.csrf)

    def secret(self) -> str:
        """What cookies are signed with."""
        if self._secret is None:
            self._secret = self._ledger.open(create=True).access.secret("session")
        return self._secret

    def note(self, actor: str, action: str, subject: str, **detail: Any) -> None:
        """Put down in the audit log what somebody did."""
        self._ledger.open(create=True).access.note(actor, action, subject, detail)

    def _refusal(self, request: Request, caller: Caller | None, wanted: str) -> Response | None:
        if caller is None:
            detail = "请在 Authorization: Bearer 中给出有效的密钥（hotline keys add），或先登录"
            return problem(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": 'Bearer realm="hotline"'})
        if caller is ANYBODY and is_rebound(request):
            detail = (
                "没有密钥时只接受以 127.0.0.1 或 localhost 为主机名的请求；请用 hotline keys add 建立密钥"
            )
            return problem(HTTPStatus.MISDIRECTED_REQUEST, detail)
        if not caller.may(wanted):
            detail = f"需要“{_SCOPE_NAMES[wanted]}”（{wanted}）权限，请换一个密钥或请管理员授权"
            return problem(HTTPStatus.FORBIDDEN, detail)
        if caller.kind == "user" and request.method not in _SAFE:
            sent = request.headers.get(sessions.CSRF_HEADER, "")
            if not sessions.Session(caller.name, 0, caller.csrf).allows(sent):
                return problem(
                    HTTPStatus.FORBIDDEN, "缺少或不符的 X-CSRF-Token，登录时给出，修改时须一并送来"
                )
        rate = caller.rate or self._rate
        waits = self.rates.wait(caller.actor, rate) if rate and caller is not ANYBODY else 0
        if waits:
            seconds = str(math.ceil(waits))
            detail = f"每分钟最多 {rate} 次请求，请在 {seconds} 秒后再试"
            return problem(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": seconds})
        return None


def _token(request: Request) -> str | None:
    """The key that came with a request."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return request.headers.get("x-api-key")

"""Logging in at the console, saying who one is, and logging out."""

from __future__ import annotations

import asyncio
import math
from http import HTTPStatus
from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ..access import sessions
from ..access.caller import NOBODY, caller_of
from ..access.gate import Gate
from ..access.users import ROLE_NAMES, ROLES, is_right
from ..problems import problem

router = APIRouter(tags=["session"])

TRIES = 10  # a minute, of one name and from one address


class LoginIn(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1000)


class SessionOut(BaseModel):
    """Who is asking, and what they may."""

    kind: str = Field(description="user 登录的人，key 密钥，anybody 没有设置任何密钥时的所有人")
    name: str
    role: str | None = None
    role_name: str | None = None
    scopes: list[str]
    csrf_token: str | None = Field(default=None, description="修改时放入 X-CSRF-Token")


@router.post("/session", response_model_exclude_none=True)
async def log_in(arrived: LoginIn, request: Request) -> SessionOut:
    """Log in: a signed cookie for twelve hours, and the token that goes along with each change."""
    gate = cast(Gate, request.scope["state"]["gate"])
    address = request.client.host if request.client else ""
    who = (f"login name:{arrived.name}", f"login at:{address}")
    waits = max(gate.rates.wait(one, TRIES) for one in who)
    if waits:
        seconds = str(math.ceil(waits))
        detail = f"登录太频繁，请在 {seconds} 秒后再试"
        return cast(SessionOut, problem(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": seconds}))
    gate.keyring.forget()  # a password that was just changed counts at once
    user = await asyncio.to_thread(gate.keyring.user, arrived.name)
    if not await asyncio.to_thread(is_right, user, arrived.password) or user is None:
        return cast(SessionOut, problem(HTTPStatus.UNAUTHORIZED, "用户名或密码不对，或用户已停用"))
    session = sessions.Session.of(user)
    cookie = sessions.signed(session, await asyncio.to_thread(gate.secret))
    await asyncio.to_thread(gate.note, f"user:{user.name}", "user.login", user.name)
    answer = JSONResponse(
        SessionOut(
            kind="user",
            name=user.name,
            role=user.role,
            role_name=ROLE_NAMES.get(user.role),
            scopes=sorted(ROLES.get(user.role, frozenset())),
            csrf_token=session.csrf,
        ).model_dump()
    )
    answer.set_cookie(
        sessions.COOKIE,
        cookie,
        max_age=sessions.HOURS * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return cast(SessionOut, answer)


@router.get("/session", response_model_exclude_none=True)
async def who(request: Request) -> SessionOut:
    """Who is asking."""
    caller = caller_of(request)
    if caller is NOBODY:
        return cast(SessionOut, problem(HTTPStatus.UNAUTHORIZED, "没有登录"))
    return SessionOut(
        kind=caller.kind, name=caller.name, scopes=sorted(caller.scopes), csrf_token=caller.csrf or None
    )


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT)
async def log_out() -> Response:
    """Take the cookie away. A stolen one stands until its person's password is changed."""
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    answer.delete_cookie(sessions.COOKIE, path="/", httponly=True, samesite="strict")
    return answer

"""Errors as HTTP shows them: a table of statuses, and problem documents (RFC 9457)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from classifier.errors import (
    HotlineError,
    InputError,
    LedgerError,
    LedgerUnavailable,
    ModelError,
    NoJob,
    NoWorkOrder,
    OutputError,
)

from .observed import observed

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("hotline.problems")

STATUSES: dict[type[HotlineError], HTTPStatus] = {
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ModelError: HTTPStatus.SERVICE_UNAVAILABLE,
    OutputError: HTTPStatus.INSUFFICIENT_STORAGE,
    NoWorkOrder: HTTPStatus.NOT_FOUND,
    NoJob: HTTPStatus.NOT_FOUND,
    LedgerError: HTTPStatus.SERVICE_UNAVAILABLE,
    HotlineError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_TITLES = {
    HTTPStatus.BAD_REQUEST: "请求不是正确的 JSON",
    HTTPStatus.UNAUTHORIZED: "需要密钥或登录",
    HTTPStatus.FORBIDDEN: "没有权限",
    HTTPStatus.NOT_FOUND: "没有这个地址",
    HTTPStatus.METHOD_NOT_ALLOWED: "这个地址不支持该方法",
    HTTPStatus.CONFLICT: "同样的请求正在处理",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "请求太大",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "不支持的内容格式",
    HTTPStatus.MISDIRECTED_REQUEST: "不是以本机名称发来的请求",
    HTTPStatus.UNPROCESSABLE_ENTITY: "请求内容有误",
    HTTPStatus.TOO_MANY_REQUESTS: "请求太频繁",
    HTTPStatus.SERVICE_UNAVAILABLE: "模型暂不可用",
    HTTPStatus.INSUFFICIENT_STORAGE: "存储空间不足",
}
_LEDGER_TITLES = {
    HTTPStatus.NOT_FOUND: "没有这个工单或任务",
    HTTPStatus.SERVICE_UNAVAILABLE: "台账暂不可用",
}
RETRY_SECONDS = 5  # after which a client may try again what the ledger could not take

_SAID = {
    "missing": "缺少该字段",
    "extra_forbidden": "有多余的字段，请对照接口说明删去",
    "string_too_long": "太长，最多 {max_length} 个字符",
    "string_pattern_mismatch": "不能为空，也不能含空字符（NUL）",
    "string_type": "须为字符串",
    "too_long": "太多，最多 {max_length} 条",
    "too_short": "太少，至少 {min_length} 条",
    "list_type": "须为数组",
    "json_invalid": "不是正确的 JSON",
    "string_unicode": "含有不成对的代理字符（如 \\ud800），不是正确的文本",
    "model_attributes_type": "须为 JSON 对象（Content-Type: application/json）",
    "bool_parsing": "须为 true 或 false",
    "bool_type": "须为 true 或 false",
}

_FOLDERS = re.compile(  # of a file, or the address of a database, up to the last name
    r"(?<![^\s（“])(?:[A-Za-z][A-Za-z0-9+]*:)?(?:[\\/][^\\/\s（），。：；、”]*)*[\\/](?=[^\\/\s（），。：；、”])"
)


def add_problems(app: FastAPI) -> None:
    """Make an application answer errors with problem documents."""
    app.add_exception_handler(HotlineError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


def problem(
    status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem document."""
    title = _TITLES.get(status, "请求未能完成")
    content = {"type": "about:blank", "title": title, "status": int(status), "detail": detail, **more}
    return JSONResponse(content, int(status), headers, MEDIA_TYPE)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    return answer_of(error)


def answer_of(error: Exception) -> JSONResponse:
    """The problem document of an error of ours, or of one that says its status."""
    if isinstance(error, HTTPException):
        return _of_status(error)
    seen = observed()
    seen.error, seen.is_ledger_error = type(error).__name__, _is_trouble(error)
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    headers = {"Retry-After": str(RETRY_SECONDS)} if isinstance(error, LedgerUnavailable) else None
    title = _LEDGER_TITLES.get(status) if isinstance(error, LedgerError) else None
    said = str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # what is the caller's to mend names nothing of ours
        _log.error("请求未能完成", reason=said)
        said = without_folders(said)
    return problem(status, said, headers, **({"title": title} if title else {}))


def without_folders(said: str) -> str:
    """What an error says, without where on this machine its file or database is: that is for the log."""
    return _FOLDERS.sub("", said)


def _is_trouble(error: Exception) -> bool:
    """Whether the ledger failed; that it has no such work order is an answer."""
    return isinstance(error, LedgerError) and not isinstance(error, NoWorkOrder | NoJob)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Name each field by a JSON pointer; what was sent is not repeated, it may be a citizen's text."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    broken = any(one["type"] == "json_invalid" for one in found)
    errors = [{"pointer": "#" if broken else _pointer(one), "detail": _said(one)} for one in found]
    status = HTTPStatus.BAD_REQUEST if broken else HTTPStatus.UNPROCESSABLE_ENTITY
    first = errors[0] if errors else {"pointer": "#", "detail": ""}
    detail = f"{len(errors)} 处有误，第一处：{first['pointer']} {first['detail']}"
    return problem(status, detail, errors=jsonable_encoder(errors))


def first_fault(error: RequestValidationError) -> str:
    """What is wrong with a request, first of all; nothing of what was sent is repeated."""
    first = error.errors()[0]
    return (
        _TITLES[HTTPStatus.BAD_REQUEST]
        if first["type"] == "json_invalid"
        else f"{_pointer(first)} {_said(first)}"
    )


async def _http(_request: Request, error: Exception) -> JSONResponse:
    return answer_of(error)


def _of_status(error: HTTPException) -> JSONResponse:
    status = HTTPStatus(error.status_code)
    said = error.detail if error.detail != status.phrase else ""
    return problem(status, said or _TITLES.get(status, status.phrase), error.headers)  # Allow, with a 405


def said_of(error: ValidationError) -> list[dict[str, str]]:
    """What is wrong with a body that pydantic refused, each with a JSON pointer; nothing of what was sent."""
    found = error.errors(include_url=False, include_input=False)
    broken = any(one["type"] == "json_invalid" for one in found)
    told = [{**one, "loc": ("body", *one["loc"])} for one in found]
    return [{"pointer": "#" if broken else _pointer(one), "detail": _said(one)} for one in told]


async def _unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    """A mistake of ours; what it was stands in the log."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "服务内部出错，请查看服务日志")


def _pointer(error: Any) -> str:
    """Where it stands; a field that should not be there is named by what holds it, for its name was sent."""
    location = error["loc"][1:-1] if error["type"] == "extra_forbidden" else error["loc"][1:]
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "#" + "".join(f"/{step}" for step in steps)


def _said(error: Any) -> str:
    pattern = _SAID.get(error["type"])
    return pattern.format(**error.get("ctx", {})) if pattern else str(error["msg"])

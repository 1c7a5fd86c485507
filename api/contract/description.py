"""OpenAPI: what FastAPI finds, with Chinese names, examples, each operation's errors, and keys."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

from ..access.rules import OPEN, RULES
from ..access.sessions import COOKIE
from ..problems import MEDIA_TYPE
from .idempotency import HEADER, PATHS

_METHODS = ("get", "post", "patch", "delete")
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457；不回显送来的内容",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "about:blank"},
        "title": {"type": "string", "example": "请求内容有误"},
        "status": {"type": "integer", "example": 422},
        "detail": {"type": "string", "example": "1 处有误，第一处：#/work_orders/0/text 不能为空"},
        "errors": {
            "type": "array",
            "description": "pointer 是 JSON Pointer",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_REFERENCE = {"$ref": "#/components/schemas/Problem"}
_SAID = {
    400: "不是正确的 JSON、gzip 或请求头",
    401: "没有有效的密钥或登录",
    403: "没有权限，或缺少 X-CSRF-Token",
    404: "没有这个工单、任务或版本",
    409: "同样的请求正在处理，或任务还没有结果（带 Retry-After）",
    413: "请求太大",
    415: "不支持的 Content-Encoding",
    421: "没有密钥的服务只接受以本机名称发来的请求",
    422: "请求内容有误，errors 指出各处",
    429: "请求太频繁（带 Retry-After）",
    500: "服务内部出错",
    507: "磁盘空间不足",
    503: "没有可用的模型，或台账连不上（带 Retry-After）",
}


def describe(app: FastAPI) -> None:
    """Have the application describe itself so."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain())
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    said = operations()
    groups = said["groups"]
    schema["info"]["description"] = (
        "12345 热线工单打标、诉求量、复核和数据交换。出错一律是 application/problem+json。"
    )
    schema["tags"] = [{"name": name} for name in dict.fromkeys(groups.values())]
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schema["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "hotline keys add 给出的密钥"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "登录得到的 Cookie"},
    }
    for method, path, operation in each(schema):
        told = said.get(f"{method.upper()} {path}", {})
        operation["summary"] = told.get("summary", operation.get("summary", ""))
        operation["description"] = told.get("description", operation.get("description", "")).strip()
        operation["operationId"] = _id(method, path)
        operation["tags"] = [groups.get(tag, tag) for tag in operation.get("tags", [])]
        scope = _scope(method, path)
        operation["security"] = [] if scope == OPEN else [{"key": [scope]}, {"session": [scope]}]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body and "example" in told:
            body["example"] = json.loads(told["example"])
        if path in PATHS and method == "post":
            operation.setdefault("parameters", []).append(_idempotency_key())
        if path.startswith(("/v2", "/open311")):  # they have errors of their own
            operation["responses"].pop("422", None)
            if path.startswith("/open311"):
                elsewhere = {"description": _SAID[404], "content": {MEDIA_TYPE: {"schema": _REFERENCE}}}
                unknown = operation["responses"].setdefault("404", elsewhere)
                unknown.setdefault("content", {}).update(elsewhere["content"])  # no address at all
                for answer in operation["responses"].values():
                    answer.setdefault("content", {}).setdefault("text/xml", {"schema": {"type": "string"}})
        else:
            _add_problems(method, path, operation, scope)


def _add_problems(method: str, path: str, operation: dict[str, Any], scope: str) -> None:
    statuses = {500, 503} if path != "/livez" else {500}
    if scope != OPEN:
        statuses |= {401, 403, 421, 429}
    if path == "/v1/session":
        statuses |= {401, 429}
    if operation.get("parameters"):
        statuses.add(422)
    if "{" in path:
        statuses.add(404)
    if method in ("post", "patch"):
        statuses |= {400, 413, 415, 422}
    if path in PATHS or path.endswith(("/result", "/errors")):
        statuses.add(409)
    if path == "/v1/jobs" and method == "post":
        statuses |= {507}
    problem = {"schema": _REFERENCE}
    for status in sorted(statuses):
        operation["responses"][str(status)] = {
            "description": _SAID[status],
            "content": {MEDIA_TYPE: problem},
        }


def each(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of all that is described."""
    for path, item in schema["paths"].items():
        for method in _METHODS:
            if method in item:
                yield method, path, item[method]


@cache
def operations() -> dict[str, Any]:
    """What people are told of each operation."""
    return tomllib.loads((files("api") / "data" / "operations.toml").read_text(encoding="utf-8"))


def _scope(method: str, path: str) -> str:
    """The rule's scope; OpenAPI's paths have no converters."""
    fitting = (
        scope
        for (its, template), scope in RULES.items()
        if its == method.upper() and template.replace(":path", "") == path
    )
    return next(fitting, "admin")  # a route without a rule is refused when the service starts


def _id(method: str, path: str) -> str:
    words = (
        path.replace("{", "by_").replace("}", "").replace("-", "_").replace(".", "_").strip("/").split("/")
    )
    return "_".join([method, *words])


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": HEADER,
        "in": "header",
        "required": False,
        "description": "重发同一请求时不重复处理，如 UUID",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    }

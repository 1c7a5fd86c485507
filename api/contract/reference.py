"""docs/http.md from the description: `python -m api.contract.reference > docs/http.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from .description import each

INTRODUCTION = """# HTTP 接口

由 `python -m api.contract.reference` 从服务自己的描述生成。运行中的服务另有：`/docs` 试用页面（不连外网）、
`/openapi.json`（OpenAPI 3.1）、`/openapi-3.0.json`（3.0.3，供只认旧版的网关导入）。一个完整的客户端见
[examples/client.py](../examples/client.py)。

- 启动：`hotline serve`，默认只监听本机 127.0.0.1:8345。密钥、登录和权限见[密钥、用户和审计](access.md)。
- 每个答复带 `X-Request-ID`（送来的或生成的），据此可在日志中找到这次请求。
- 请求内容可用 gzip 压缩（`Content-Encoding: gzip`）；带 `Accept-Encoding: gzip` 时答复压缩。
- 429、409 和台账引起的 503 带 `Retry-After`：几秒后原样再送即可。
- 出错一律是 `application/problem+json`（RFC 9457），不回显送来的内容：

```json
{
  "type": "about:blank", "title": "请求内容有误", "status": 422,
  "detail": "1 处有误，第一处：#/work_orders/0/text 不能为空",
  "errors": [{"pointer": "#/work_orders/0/text", "detail": "不能为空"}]
}
```
"""


def markdown(schema: dict[str, Any]) -> str:
    """The reference, as people read it."""
    return "\n".join([INTRODUCTION, *_operations(schema)]).rstrip() + "\n"


def _operations(schema: dict[str, Any]) -> Iterator[str]:
    for method, path, operation in each(schema):
        yield f"## {method.upper()} {path}\n\n**{operation['summary']}**（{_needed(operation)}）\n"
        yield operation["description"] + "\n"
        parameters = operation.get("parameters", [])
        if parameters:
            yield "| 参数 | 位置 | 说明 |\n|---|---|---|"
            yield from (
                f"| `{one['name']}` | {one['in']} | {_told(schema, one.get('schema', {}), one)} |"
                for one in parameters
            )
            yield ""
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            yield "请求：\n\n| 字段 | 说明 |\n|---|---|"
            yield from _fields(schema, body["schema"], "")
            yield ""
            if "example" in body:
                yield f"```json\n{_json(body['example'])}\n```\n"
        good = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        fields = list(_fields(schema, good.get("schema", {}), ""))
        if fields:
            yield "答复：\n\n| 字段 | 说明 |\n|---|---|"
            yield from fields
            yield ""
        statuses = [f"{status} {said['description']}" for status, said in operation["responses"].items()]
        yield "状态：" + "；".join(one.replace("Successful Response", "成功") for one in statuses) + "。\n"


def _needed(operation: dict[str, Any]) -> str:
    needed = [next(iter(one.values()))[0] for one in operation["security"]]
    return f"权限 `{needed[0]}`" if needed else "不需要权限"


def _fields(schema: dict[str, Any], of: dict[str, Any], before: str) -> Iterator[str]:
    """A row for each field, those of objects within it behind it."""
    found = _resolved(schema, of)
    required = found.get("required", [])
    for name, field in found.get("properties", {}).items():
        shown = f"{before}{name}"
        needed = "必有。" if name in required else ""
        yield f"| `{shown}` | {needed}{_told(schema, field, field)} |"
        inner = _resolved(schema, field)
        if inner.get("type") == "array":
            yield from _fields(schema, inner.get("items", {}), f"{shown}[].")
        elif isinstance(inner.get("additionalProperties"), dict):
            yield from _fields(schema, inner["additionalProperties"], f"{shown}.*.")
        elif inner.get("properties"):
            yield from _fields(schema, inner, f"{shown}.")


def _resolved(schema: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    for kind in ("anyOf", "allOf"):
        if kind in of:
            of = next((one for one in of[kind] if one.get("type") != "null"), {})
    if "$ref" in of:
        return dict(schema["components"]["schemas"][of["$ref"].rpartition("/")[2]])
    return of


def _told(schema: dict[str, Any], of: dict[str, Any], said: dict[str, Any]) -> str:
    found = _resolved(schema, of)
    told = said.get("description") or of.get("description") or ""
    values = found.get("enum") or ([found["const"]] if "const" in found else [])
    bounds = [
        f"{name} {found[key]:,}"
        for key, name in (
            ("minimum", "最小"),
            ("maximum", "最大"),
            ("maxLength", "最长"),
            ("minItems", "最少"),
            ("maxItems", "最多"),
        )
        if key in found
    ]
    parts = [told, "、".join(f"`{one}`" for one in values), "，".join(bounds)]
    default = of.get("default", said.get("default"))
    parts += [f"默认 `{default}`"] if default not in (None, "", []) else []
    return "；".join(part for part in parts if part).replace("\n", " ").replace("|", "\\|")


def _json(example: object) -> str:
    import json

    return json.dumps(example, ensure_ascii=False, indent=2)


def main() -> None:
    """Print the reference of this program's service."""
    from classifier.store import ModelStore

    from ..app import create_app
    from ..settings import Settings

    sys.stdout.write(markdown(create_app(ModelStore(), Settings(record=False)).openapi()))


if __name__ == "__main__":
    main()

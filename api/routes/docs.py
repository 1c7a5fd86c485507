"""The description in OpenAPI 3.0.3, and a page to try it, whose script and style come from here."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from ..contract.openapi30 import as_30

router = APIRouter(include_in_schema=False)

_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_START = """window.ui = SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true,
  defaultModelsExpandDepth: 0, requestInterceptor: (request) => request});
"""
_PAGE = """<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><title>hotline 接口</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/docs/favicon.png"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""


@router.get("/openapi-3.0.json")
def openapi_30(request: Request) -> dict[str, Any]:
    """For gateways that import nothing newer."""
    return as_30(request.app.openapi())


@router.get("/docs")
def page() -> HTMLResponse:
    """Swagger's page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Its script and style, as the package brings them."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _ASSETS:
        raise HTTPException(404)
    content = (files("fastapi_offline") / "static" / name).read_bytes()
    return Response(content, media_type=_ASSETS[name], headers={"Cache-Control": "public, max-age=86400"})

"""Which scope each route asks for. A route without a rule is refused when the service starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

OPEN = "open"
"""Whoever reaches the service may ask."""

RULES: dict[tuple[str, str], str] = {
    ("GET", "/livez"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/metrics"): "read",
    ("GET", "/openapi.json"): OPEN,
    ("GET", "/openapi-3.0.json"): OPEN,
    ("GET", "/docs"): OPEN,
    ("GET", "/docs/{name}"): OPEN,
    ("POST", "/v1/session"): OPEN,  # who logs in has nothing yet
    ("GET", "/v1/session"): OPEN,
    ("DELETE", "/v1/session"): OPEN,
    ("POST", "/v1/tags"): "tag",
    ("GET", "/v1/taxonomy"): "read",
    ("GET", "/v1/models"): "read",
    ("GET", "/v1/volumes"): "read",
    ("GET", "/v1/work-orders"): "read",
    ("GET", "/v1/work-orders/{work_order_id:path}"): "read",
    ("PATCH", "/v1/work-orders/{work_order_id:path}"): "review",
    ("POST", "/v1/corrections"): "review",
    ("GET", "/v1/feed"): "read",
    ("POST", "/v1/jobs"): "tag",
    ("GET", "/v1/jobs"): "tag",
    ("GET", "/v1/jobs/{job_id}"): "tag",
    ("DELETE", "/v1/jobs/{job_id}"): "tag",
    ("GET", "/v1/jobs/{job_id}/result"): "tag",
    ("GET", "/v1/jobs/{job_id}/errors"): "tag",
    ("GET", "/v1/audit"): "admin",
    # The façades, where they are switched on
    ("GET", "/v2"): OPEN,
    ("GET", "/v2/health/live"): OPEN,
    ("GET", "/v2/health/ready"): OPEN,
    ("GET", "/v2/models/hotline"): "tag",
    ("GET", "/v2/models/hotline/ready"): "tag",
    ("GET", "/v2/models/hotline/versions/{version}"): "tag",
    ("GET", "/v2/models/hotline/versions/{version}/ready"): "tag",
    ("POST", "/v2/models/hotline/infer"): "tag",
    ("POST", "/v2/models/hotline/versions/{version}/infer"): "tag",
    ("GET", "/open311/discovery.{form}"): OPEN,
    ("GET", "/open311/v2/services.{form}"): "read",
    ("GET", "/open311/v2/services/{service_code}.{form}"): "read",
    ("GET", "/open311/v2/requests.{form}"): "read",
    ("GET", "/open311/v2/requests/{service_request_id:path}.{form}"): "read",
}


def template_of(method: str, path: str) -> str | None:
    """The template of the route that a request means, None where it is none of ours."""
    if (method, path) in RULES:
        return path
    return next((one for its, one, pattern in _patterns() if its == method and pattern.match(path)), None)


def scope_of(method: str, path: str) -> str | None:
    """The scope that a request needs, None where no route of ours can be meant."""
    template = template_of(method, path)
    return RULES[method, template] if template else None


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and template of every route, also of those that OpenAPI does not tell of."""
    for context in iter_route_contexts(app.routes):
        for method in sorted(getattr(context, "methods", None) or {"GET"}):
            if method != "HEAD":
                yield method, str(getattr(context, "path", None))


def check_rules(app: FastAPI) -> None:
    """Refuse an application with a route that has no rule.

    Raises:
        LookupError: it has one.
    """
    without = sorted({pair for pair in routes_of(app) if pair not in RULES})
    if without:
        raise LookupError(f"routes without a rule in api/access/rules.py: {without}")


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    return [(method, path, compile_path(path)[0]) for method, path in RULES if "{" in path]

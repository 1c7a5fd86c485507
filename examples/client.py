"""A small client for hotline's HTTP interface: an example of use, to be copied and changed.

    client = Hotline("http://127.0.0.1:8345", key="hl_…")
    for result in client.tag([{"work_order_id": "GD1", "text": "人民路路灯坏了一个星期没人修"}]):
        print(result["work_order_id"], result["facets"]["category"]["path"], result["decision"])

Needs httpx2 (or httpx, whose interface is the same). Requests are sent again where that is safe: after
429, 409 and 503 as long as the service says, after a broken connection at once, and always under the same
Idempotency-Key, so that nothing is done twice.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypedDict

try:
    import httpx2 as httpx
except ImportError:
    import httpx  # type: ignore[no-redef]

MOST = 1_000  # work orders in a request
TRIES = 6
AGAIN = frozenset({409, 429, 503})


class WorkOrder(TypedDict, total=False):
    """What is sent; `text` alone is needed."""

    work_order_id: str
    title: str
    text: str
    district: str
    channel: str
    department: str
    received_at: str


class Problem(Exception):
    """What the service could not do, in its own words."""

    def __init__(self, status: int, detail: str, request_id: str) -> None:
        super().__init__(f"{status} {detail}（请求 {request_id}）")
        self.status = status
        self.detail = detail


class Hotline:
    """A connection to the service; to be used in a `with`, or closed."""

    def __init__(self, url: str, key: str | None = None, seconds: float = 30) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=seconds)

    def __enter__(self) -> Hotline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def tag(self, orders: Iterable[WorkOrder]) -> Iterator[dict[str, Any]]:
        """The tags of work orders, in order, any number of them."""
        waiting: list[WorkOrder] = []
        for order in orders:
            waiting.append(order)
            if len(waiting) == MOST:
                yield from self._tag(waiting)
                waiting = []
        if waiting:
            yield from self._tag(waiting)

    def correct(self, work_order_id: str, labels: dict[str, str | None], by: str, reason: str = "") -> None:
        """Put down what a person says in place of the model."""
        correction = {"work_order_id": work_order_id, "labels": labels, "corrected_by": by, "reason": reason}
        (result,) = self._ask("POST", "/v1/corrections", {"corrections": [correction]})["results"]
        if not result["corrected"]:
            raise Problem(422, result["error"], "")

    def volumes(self, **asked: str | Sequence[str]) -> dict[str, Any]:
        """How many, of what, since when: `client.volumes(facet="first", by="month", since="2026")`."""
        return self._ask("GET", "/v1/volumes", params=asked)

    def _tag(self, orders: list[WorkOrder]) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self._ask("POST", "/v1/tags", {"work_orders": orders})["results"]
        return results

    def _ask(
        self, method: str, path: str, body: object = None, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if content:
            headers["Content-Type"] = "application/json"
        for tried in range(1, TRIES + 1):
            try:
                answer = self._http.request(method, path, content=content, headers=headers, params=params)
            except httpx.TransportError:
                if tried == TRIES:
                    raise
                time.sleep(min(2**tried, 30) / 4)
                continue
            if answer.is_success:
                found: dict[str, Any] = answer.json()
                return found
            if answer.status_code in AGAIN and tried < TRIES:
                time.sleep(float(answer.headers.get("Retry-After", tried)))
                continue
            problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            request_id = answer.headers.get("x-request-id", "")
            raise Problem(answer.status_code, problem.get("detail", answer.reason_phrase), request_id)
        raise AssertionError("unreachable")

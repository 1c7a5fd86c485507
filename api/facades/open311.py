"""Open311 GeoReport v2, read-only: categories as services, work orders of the ledger as requests.

https://wiki.open311.org/GeoReport_v2. A citizen's words are not shown: the description is the category's
name, or the masked text where `HOTLINE_OPEN311_TEXT` is on and the ledger keeps it. The ledger does not
know when a work order is closed, so every one is `open`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from classifier.errors import InputError, NoWorkOrder
from classifier.masking import mask
from classifier.taxonomy import Facet

from ..label_names import LabelNames
from ..ledger.work_orders import StoredWorkOrder, Wanted
from ..moments import read_moment
from ..periods import SHANGHAI
from ..routes.dependencies import TheLedger, TheNames
from .route import facade_route
from .xml import xml_response

DAYS = 90  # that a question without dates covers, and the most it may, after the specification
MOST = 1_000  # requests in an answer, likewise
MOST_IDS = 100

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGED = "2026-11-26 00:00"  # when what the endpoint offers was changed last

Form = Annotated[Literal["json", "xml"], Path(description="json 或 xml")]


def _error(request: Request, status: int, said: str) -> Response:
    form = "xml" if request.url.path.endswith(".xml") else "json"
    return _answer([{"code": status, "description": said}], "errors", form, status)


class Open311Error(BaseModel):
    """What is wrong, in a list of one."""

    code: int
    description: str


router = APIRouter(
    prefix="/open311",
    tags=["open311"],
    route_class=facade_route(_error),
    responses={status: {"model": list[Open311Error]} for status in (400, 404, 503)},
)


@router.get("/discovery.{form}")
def discovery(request: Request, form: Form) -> Response:
    """Where the endpoint is and what it speaks (Open311 service discovery)."""
    endpoint = {
        "specification": SPECIFICATION,
        "url": f"{request.base_url}open311/v2",
        "changeset": CHANGED,
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    found = {
        "changeset": CHANGED,
        "contact": "请联系本地 12345 热线的系统管理员",
        "key_service": "访问密钥由系统管理员发放",
        "endpoints": [endpoint],
    }
    return _answer(found, "discovery", form)


@router.get("/v2/services.{form}")
def services(form: Form, names: TheNames) -> Response:
    """The categories."""
    facet = names.category
    return _answer([_service(facet, code) for code in facet.codes], "services", form)


@router.get("/v2/services/{service_code}.{form}")
def service(service_code: str, form: Form, names: TheNames) -> Response:
    """The definition of one category; there is nothing to be filled in."""
    if service_code not in names.category.by_code:
        raise HTTPException(404, "没有这个 service_code，可用的见 services")
    return _answer({"service_code": service_code, "attributes": []}, "service_definition", form)


@router.get("/v2/requests.{form}")
def requests(
    request: Request,
    form: Form,
    ledger: TheLedger,
    names: TheNames,
    service_request_id: Annotated[
        str | None, Query(max_length=20_000, description="工单编号，逗号隔开")
    ] = None,
    service_code: Annotated[str | None, Query(max_length=20_000, description="分类代码，逗号隔开")] = None,
    start_date: Annotated[str | None, Query(max_length=40, description="起，含时区")] = None,
    end_date: Annotated[str | None, Query(max_length=40, description="止，含时区")] = None,
    status: Annotated[str | None, Query(max_length=40, description="open、closed")] = None,
) -> Response:
    """Work orders, the newest first: of ninety days unless dates are given, and at most a thousand."""
    with_text: bool = request.app.state.settings.open311_text
    if service_request_id is not None:
        found = _by_ids(ledger, [one.strip() for one in service_request_id.split(",") if one.strip()])
    elif status is not None and "open" not in status.split(","):
        found = []
    else:
        found = _between(ledger, names.category, service_code, *_span(start_date, end_date))
    rows = [_request(one, names, with_text=with_text) for one in found]
    return _answer(rows, "service_requests", form)


@router.get("/v2/requests/{service_request_id:path}.{form}")
def one_request(
    request: Request,
    service_request_id: str,
    form: Form,
    ledger: TheLedger,
    names: TheNames,
) -> Response:
    """One work order, in a list of one."""
    found = ledger.find(service_request_id)
    with_text: bool = request.app.state.settings.open311_text
    return _answer([_request(found, names, with_text=with_text)], "service_requests", form)


def _service(facet: Facet, code: str) -> dict[str, Any]:
    label = facet.by_code[code]
    first = facet.first_names[label.first]
    return {
        "service_code": code,
        "service_name": label.name,
        "description": facet.path(code),
        "metadata": False,
        "type": "realtime",
        "keywords": ", ".join(dict.fromkeys((first, label.name))),
        "group": first,
    }


def _request(order: StoredWorkOrder, names: LabelNames, *, with_text: bool) -> dict[str, Any]:
    code = order.labels["category"]
    said = mask(order.text or order.title or "") if with_text else ""
    facet = names.category
    return {
        "service_request_id": order.work_order_id,
        "status": "open",
        "status_notes": None,
        "service_name": facet.by_code[code].name if code in facet.by_code else code,
        "service_code": code,
        "description": said or names.name("category", code),
        "agency_responsible": order.labels["department"] or None,
        "service_notice": None,
        "requested_datetime": _written(order.received_at),
        "updated_datetime": _written(order.recorded_at),
        "expected_datetime": None,
        "address": order.labels["district"] or None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _by_ids(ledger: TheLedger, ids: Sequence[str]) -> list[StoredWorkOrder]:
    """Those of the ids that the ledger has."""
    if len(ids) > MOST_IDS:
        raise InputError(f"service_request_id 太多，一次最多 {MOST_IDS} 个")
    found = []
    for work_order_id in dict.fromkeys(ids):
        try:
            found.append(ledger.find(work_order_id))
        except NoWorkOrder:
            continue
    return found


def _span(start_date: str | None, end_date: str | None) -> tuple[datetime, datetime]:
    end = _moment(end_date, "end_date") or datetime.now(SHANGHAI) + timedelta(minutes=10)
    start = _moment(start_date, "start_date") or end - timedelta(days=DAYS)
    if start_date and not end_date:
        end = min(end, start + timedelta(days=DAYS))
    if start > end or end - start > timedelta(days=DAYS):
        raise InputError(f"start_date 须在 end_date 之前，相隔最多 {DAYS} 天；更长的时间请分几次取")
    return start, end


def _moment(written: str | None, name: str) -> datetime | None:
    if written is None:
        return None
    moment, _ = read_moment(written.replace(" ", "+"))  # an unescaped plus in a query is a space
    if moment is None or not datetime(1980, 1, 1, tzinfo=SHANGHAI) <= moment <= datetime(
        2099, 1, 1, tzinfo=SHANGHAI
    ):
        raise InputError(f"{name} 应如 2026-01-01T00:00:00Z")
    return moment


def _between(
    ledger: TheLedger, facet: Facet, service_code: str | None, start: datetime, end: datetime
) -> list[StoredWorkOrder]:
    codes = [one.strip() for one in service_code.split(",") if one.strip()] if service_code else []
    if not set(codes) <= set(facet.by_code):
        raise InputError("service_code 中有不认识的代码，可用的见 services")
    wanted = Wanted(start.date(), end.date() + timedelta(days=1), {"category": codes} if codes else {})
    found: list[StoredWorkOrder] = []
    cursor = None
    while len(found) < MOST:
        page, cursor = ledger.page(wanted, cursor, MOST)
        found += [one for one in page if start <= one.received_at <= end]
        if cursor is None:
            break
    return found[:MOST]


def _answer(value: Any, root: str, form: str, status: int = 200) -> Response:
    return JSONResponse(value, status) if form == "json" else xml_response(root, value, status)

"""Work orders in the ledger: a page of many, one with its history, and correcting it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from ..access.caller import caller_of
from ..asking import read_day, read_where
from ..ledger.work_orders import Wanted
from ..work_order_schemas import CorrectionIn, WorkOrderOut, WorkOrdersOut, cursor_of, written_cursor
from .corrections import correct_one
from .dependencies import TheLedger, TheNames

router = APIRouter(tags=["work_orders"])


@router.get("/work-orders")
def list_work_orders(
    ledger: TheLedger,
    names: TheNames,
    since: Annotated[str | None, Query(description="起，2026、2026-07 或 2026-07-08")] = None,
    until: Annotated[str | None, Query(description="止，含当天")] = None,
    where: Annotated[list[str], Query(description="维度=标签，可重复")] = [],  # noqa: B006 - FastAPI copies it
    decision: Annotated[Literal["auto", "review"] | None, Query(description="自动或待复核")] = None,
    corrected: Annotated[bool | None, Query(description="有没有人工更正")] = None,
    cursor: Annotated[str | None, Query(description="上一页给出的 next_cursor")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="每页条数")] = 100,
) -> WorkOrdersOut:
    """The newest first; the next page is asked for with `cursor`."""
    last = read_day(until, "until", last=True)
    wanted = Wanted(
        read_day(since, "since"),
        last + timedelta(days=1) if last else None,
        read_where(ledger, names, where),
        decision,
        corrected,
    )
    found, following = ledger.page(wanted, cursor_of(cursor) if cursor else None, limit)
    shown = [WorkOrderOut.of(one, names, history=False) for one in found]
    return WorkOrdersOut(work_orders=shown, next_cursor=written_cursor(following))


@router.get("/work-orders/{work_order_id:path}")
def get_work_order(work_order_id: str, ledger: TheLedger, names: TheNames) -> WorkOrderOut:
    """One work order, with what each model version and each person said of it."""
    return WorkOrderOut.of(ledger.find(work_order_id), names)


@router.patch("/work-orders/{work_order_id:path}")
def correct_work_order(
    work_order_id: str, arrived: CorrectionIn, ledger: TheLedger, names: TheNames, request: Request
) -> WorkOrderOut:
    """Correct labels; the model's tags stay beside, the volumes go by the correction."""
    correct_one(work_order_id, arrived, ledger, names, caller_of(request))
    return WorkOrderOut.of(ledger.find(work_order_id), names)

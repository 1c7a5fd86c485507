"""What was done: corrections, promotions, exports, keys and people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ..asking import read_day
from ..periods import midnight
from .dependencies import TheLedger

router = APIRouter(tags=["audit"])


class AuditedOut(BaseModel):
    """One act."""

    audit_id: int
    at: datetime
    actor: str = Field(description="谁：user:姓名、key:密钥名、cli:系统用户")
    action: str = Field(description="做了什么，如 correction、key.add、model.promote")
    subject: str = Field(description="对什么：工单编号、密钥名、模型版本")
    detail: dict[str, Any]


class AuditOut(BaseModel):
    """A page, the newest first."""

    entries: list[AuditedOut]
    next_before: int | None = Field(default=None, description="下一页用 before 给出")


@router.get("/audit", response_model_exclude_none=True)
def list_audited(
    ledger: TheLedger,
    since: Annotated[str | None, Query(description="起，2026、2026-07 或 2026-07-08")] = None,
    before: Annotated[int | None, Query(ge=0, description="上一页给出的 next_before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="每页条数")] = 100,
) -> AuditOut:
    """The newest first."""
    day = read_day(since, "since")
    found = ledger.access.audited(midnight(day) if day else None, before, limit)
    entries = [AuditedOut.model_validate(one, from_attributes=True) for one in found]
    return AuditOut(entries=entries, next_before=found[-1].audit_id if len(found) == limit else None)

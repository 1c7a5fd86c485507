"""A tagged work order on its way into the ledger, and what keeps one from getting there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from classifier.work_order import Decision, Tags, WorkOrder

from ..periods import SHANGHAI
from .schema import EARLIEST, LONGEST_ID

FUTURE = timedelta(minutes=10)  # clocks of two machines may differ


@dataclass(frozen=True, slots=True)
class Given:
    """What the model gave one facet: its label and confidence, and the first level that it belongs to."""

    label: str
    confidence: float | None = None
    first: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A work order with the tags that one model gave it.

    `given` has a value for each facet that the model knows; `received_at` is aware.
    """

    work_order_id: str
    received_at: datetime
    given: Mapping[str, Given]
    decision: Decision
    model_version: str
    taxonomy_version: str
    title: str = ""
    text: str = ""
    district: str = ""
    channel: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A work order that is not recorded: its place among those that were given, and why."""

    index: int
    field: str
    reason: str


@dataclass(slots=True)
class Recorded:
    """What became of some entries."""

    new: int = 0
    again: int = 0  # work orders that the ledger knew already; their tags were replaced
    refused: list[Refusal] = field(default_factory=list)

    @property
    def recorded(self) -> int:
        """How many are in the ledger now."""
        return self.new + self.again


def given_by(tags: Tags) -> dict[str, Given]:
    """A model's tags as the ledger takes them: two-level facets by their second level."""
    ledger_names = {"scope": "scope_detail"}
    return {
        ledger_names.get(name, name): Given(tag.label, tag.confidence, tag.first)
        for name, tag in tags.facets.items()
    }


def localised(moment: datetime) -> datetime:
    """A moment in Asia/Shanghai; one without a zone is meant so."""
    return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment.astimezone(SHANGHAI)


def own_id(order: WorkOrder, occurrence: int = 1) -> str:
    """An id for a work order that came without one, made of what it says: sent again, it is the same.

    Day, place, channel, title and text tell one from another; `occurrence` those that agree in all that.
    """
    day = localised(order.received_at).date().isoformat() if order.received_at else ""
    said = "\x1f".join((day, order.district, order.channel, order.title, order.text))
    digest = hashlib.sha256(said.encode(errors="replace")).hexdigest()[:20]
    return f"auto-{digest}" + (f"-{occurrence}" if occurrence > 1 else "")


def refusal(index: int, work_order_id: str, moment: datetime | None, now: datetime) -> Refusal | None:
    """Why a work order cannot be recorded, if so."""
    if not 1 <= len(work_order_id) <= LONGEST_ID:
        return Refusal(
            index, "work_order_id", f"工单编号须为 1 至 {LONGEST_ID} 字，这里是 {len(work_order_id)} 字"
        )
    if "\x00" in work_order_id:
        return Refusal(index, "work_order_id", "工单编号含有空字符（\\x00）")
    if moment is None:
        return Refusal(index, "received_at", "没有受理时间，或不是日期时间")
    if moment > now + FUTURE:
        return Refusal(index, "received_at", f"受理时间 {_shown(moment)} 在将来")
    if moment.date() < EARLIEST:
        return Refusal(index, "received_at", f"受理时间 {_shown(moment)} 早于 {EARLIEST.year} 年，不可能")
    return None


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")

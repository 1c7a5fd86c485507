"""The feed's events as other systems read them, over HTTP and in files."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from classifier.errors import InputError
from classifier.masking import mask

from .label_names import LabelNames
from .ledger.feed import START, Event, FeedCursor
from .ledger.schema import DERIVED, LABELLED
from .periods import SHANGHAI

FACETS = ("first", "category", "scope", "scope_detail", "request_type", "urgent")
"""What an event has a label of; district, channel and department are words of their own."""

_CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)


class EffectiveLabel(BaseModel):
    """A label that counts now, a person's or else the model's."""

    code: str
    name: str
    confidence: float | None = Field(default=None, description="模型的置信度；人工更正的没有")
    corrected: bool = Field(default=False, description="是否人工更正")


class EventOut(BaseModel):
    """A line of the feed; the work order is shown as it is now."""

    cursor: str = Field(description="读到这里；作为 after 再问，得到以后的")
    event: Literal["tagged", "corrected"]
    work_order_id: str
    received_at: datetime
    recorded_at: datetime
    district: str
    channel: str
    department: str
    labels: dict[str, EffectiveLabel]
    decision: str
    model_version: str | None
    taxonomy_version: str | None
    facet: str | None = Field(default=None, description="更正的维度")
    label: EffectiveLabel | None = Field(default=None, description="更正成的标签；没有表示撤销更正")
    corrected_by: str | None = None
    corrected_at: datetime | None = None
    reason: str | None = Field(default=None, description="更正理由，text=masked 时给出")
    title: str | None = Field(default=None, description="text=masked 时给出")
    text: str | None = Field(default=None, description="text=masked 时给出，遮盖了个人号码")

    @classmethod
    def of(cls, event: Event, names: LabelNames, *, with_text: bool = False) -> Self:
        """From the ledger's terms."""
        order, correction = event.order, event.correction
        newest = order.tags[0] if order.tags else None
        out = cls(
            cursor=written_cursor(event.cursor),
            event="corrected" if correction else "tagged",
            work_order_id=order.work_order_id,
            received_at=order.received_at,
            recorded_at=order.recorded_at,
            district=order.labels["district"],
            channel=order.labels["channel"],
            department=order.labels["department"],
            labels=_effective(event, names),
            decision=order.decision,
            model_version=newest.model_version if newest else None,
            taxonomy_version=newest.taxonomy_version if newest else None,
        )
        if correction:
            out.facet = correction.facet
            if correction.label is not None:
                name = names.name(correction.facet, correction.label)
                out.label = EffectiveLabel(code=correction.label, name=name, corrected=True)
            out.corrected_by, out.corrected_at = correction.corrected_by, correction.corrected_at
            out.reason = mask(correction.reason) if with_text else None
        if with_text:
            out.title, out.text = _masked(order.title), _masked(order.text)
        return out

    def line(self) -> str:
        """As it stands in NDJSON; what is not known is left out."""
        return self.model_dump_json(exclude_none=True) + "\n"


EXAMPLE = EventOut(
    cursor="3-1",
    event="tagged",
    work_order_id="GD20260712001",
    received_at=datetime(2026, 7, 12, 9, 30, tzinfo=SHANGHAI),
    recorded_at=datetime(2026, 7, 12, 9, 31, tzinfo=SHANGHAI),
    district="蓬江区",
    channel="12345电话",
    department="蓬江区城市管理和综合执法局",
    labels={
        "category": EffectiveLabel(code="municipal.lighting", name="市容市政/路灯照明", confidence=0.9943),
        "request_type": EffectiveLabel(code="consult", name="咨询", corrected=True),
    },
    decision="auto",
    model_version="default",
    taxonomy_version="2026.1",
)


def _effective(event: Event, names: LabelNames) -> dict[str, EffectiveLabel]:
    order = event.order
    newest = order.tags[0] if order.tags else None
    labels = {}
    for facet in FACETS:
        code = order.labels[facet]
        if not code:
            continue
        detailed = DERIVED.get(facet, facet)
        corrected = detailed in event.corrected
        by_model = newest is not None and facet in LABELLED and not corrected
        share = newest.confidences.get(facet) if newest and by_model else None
        labels[facet] = EffectiveLabel(
            code=code,
            name=names.name(facet, code),
            confidence=None if share is None else round(share, 4),
            corrected=corrected,
        )
    return labels


def _masked(text: str | None) -> str | None:
    return mask(text) if text else None


def written_cursor(cursor: FeedCursor) -> str:
    """A cursor as it goes over the wire."""
    return f"{cursor.position}-{cursor.number}"


def feed_cursor_of(written: str | None) -> FeedCursor:
    """The cursor that was written; the beginning where none was.

    Raises:
        InputError: it is none of ours.
    """
    if not written:
        return START
    match = _CURSOR.fullmatch(written)
    if not match:
        raise InputError("游标不是本接口给出的，请原样使用上次的 cursor；从头读取时不写")
    return FeedCursor(int(match[1]), int(match[2]))

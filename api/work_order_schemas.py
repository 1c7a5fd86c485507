"""Work orders of the ledger over the wire."""

from __future__ import annotations

import base64
import binascii
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from classifier.errors import InputError

from .label_names import LabelNames
from .ledger.corrections import Correction
from .ledger.schema import FACETS
from .ledger.work_orders import Cursor, StoredCorrection, StoredTags, StoredWorkOrder

_NO_NUL = r"^[^\x00]*$"  # which no database holds
Said = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"
    ),
]
LabelledFacet = Literal["category", "scope", "scope_detail", "request_type", "urgent"]

_DETAILED = {"scope": "scope_detail"}  # tags over HTTP call the facet by its first level


class NamedLabel(BaseModel):
    """A label: its code and what people read."""

    code: str
    name: str
    confidence: float | None = None


class TagsRecordOut(BaseModel):
    """What one model version said."""

    labels: dict[str, NamedLabel]
    decision: str
    model_version: str
    taxonomy_version: str
    tagged_at: datetime

    @classmethod
    def of(cls, stored: StoredTags, names: LabelNames) -> Self:
        """From the ledger's terms."""
        labels = {
            facet: NamedLabel(
                code=code, name=names.name(facet, code), confidence=stored.confidences.get(facet)
            )
            for facet, code in stored.labels.items()
            if code
        }
        return cls(
            labels=labels,
            decision=stored.decision,
            model_version=stored.model_version,
            taxonomy_version=stored.taxonomy_version,
            tagged_at=stored.tagged_at,
        )


class CorrectionOut(BaseModel):
    """What a person said; no label: the correction before was withdrawn."""

    facet: str
    label: NamedLabel | None
    corrected_by: str
    corrected_at: datetime
    reason: str

    @classmethod
    def of(cls, stored: StoredCorrection, names: LabelNames) -> Self:
        """From the ledger's terms."""
        label = None
        if stored.label is not None:
            label = NamedLabel(code=stored.label, name=names.name(stored.facet, stored.label))
        return cls(
            facet=stored.facet,
            label=label,
            corrected_by=stored.corrected_by,
            corrected_at=stored.corrected_at,
            reason=stored.reason,
        )


class WorkOrderOut(BaseModel):
    """A work order with the labels that it is counted by."""

    work_order_id: str
    received_at: datetime
    recorded_at: datetime
    labels: dict[str, NamedLabel]
    decision: str
    title: str | None
    text: str | None
    tags: list[TagsRecordOut] | None = Field(default=None, description="各模型版本的标签，新的在前")
    corrections: list[CorrectionOut] | None = Field(default=None, description="人工更正，新的在前")

    @classmethod
    def of(cls, stored: StoredWorkOrder, names: LabelNames, *, history: bool = True) -> Self:
        """From the ledger's terms."""
        labels = {
            facet: NamedLabel(code=stored.labels[facet], name=names.name(facet, stored.labels[facet]))
            for facet in FACETS
        }
        return cls(
            work_order_id=stored.work_order_id,
            received_at=stored.received_at,
            recorded_at=stored.recorded_at,
            labels=labels,
            decision=stored.decision,
            title=stored.title,
            text=stored.text,
            tags=[TagsRecordOut.of(one, names) for one in stored.tags] if history else None,
            corrections=[CorrectionOut.of(one, names) for one in stored.corrections] if history else None,
        )


class WorkOrdersOut(BaseModel):
    """A page of work orders."""

    work_orders: list[WorkOrderOut]
    next_cursor: str | None = Field(description="还有下一页时，作为 cursor 再问")


class CorrectionIn(BaseModel):
    """Who corrects what, and why; null withdraws a correction."""

    model_config = ConfigDict(extra="forbid")

    corrected_by: Said = Field(description="更正人")
    reason: str = Field(default="", max_length=1000, pattern=_NO_NUL, description="理由")
    labels: dict[LabelledFacet, str | None] = Field(description="维度到标签（代码或名称）；null 撤销更正")

    def corrections(self, names: LabelNames) -> dict[str, Correction]:
        """By facet, in the ledger's terms.

        Raises:
            InputError: the taxonomy does not know a label.
        """
        given = {}
        for facet, written in self.labels.items():
            detailed = _DETAILED.get(facet, facet)
            if written is None:
                given[detailed] = Correction("")
            else:
                code = _code(names, detailed, written)
                given[detailed] = Correction(code, names.first(detailed, code))
        return given


def _code(names: LabelNames, facet: str, written: str) -> str:
    """The code of a label. What was sent is not repeated: it may be a citizen's text in the wrong field."""
    try:
        return names.code(facet, written, ())
    except InputError:
        detail = f"labels.{facet} 不是这个维度的标签，请写代码或名称（GET /v1/taxonomy 列出全部）"
        raise InputError(detail) from None


def written_cursor(cursor: Cursor | None) -> str | None:
    """A cursor as it goes over the wire."""
    if cursor is None:
        return None
    day, number = cursor
    return base64.urlsafe_b64encode(f"{day.isoformat()}/{number}".encode()).decode()


def cursor_of(written: str) -> Cursor:
    """The cursor that was written.

    Raises:
        InputError: it is none of ours.
    """
    try:
        day, _, number = base64.urlsafe_b64decode(written).decode().partition("/")
        return date.fromisoformat(day), int(number)
    except (ValueError, binascii.Error) as error:
        raise InputError("cursor 不是本接口给出的，请原样使用上一页的 next_cursor") from error

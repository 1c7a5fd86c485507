"""What goes over the wire, in and out. HTTP's promises to others outlive our own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from classifier.dispatch import Dispatch
from classifier.evidence import Evidence, explain
from classifier.masking import mask
from classifier.model import Model
from classifier.taxonomy import Facet
from classifier.work_order import Tag, Tags, WorkOrder

if TYPE_CHECKING:
    from .entering import Arrival  # the ledger's libraries take a while to load

LONGEST = 100_000  # characters of a text that are taken at all; the model reads the first 8,000
MOST = 1_000  # work orders in one request
MOST_EXPLAINED = 100  # explaining a long text takes sixty times as long as tagging it

RequestText = Annotated[str, StringConstraints(max_length=LONGEST, pattern=r"\S")]


class WorkOrderIn(BaseModel):
    """A work order to be tagged."""

    model_config = ConfigDict(extra="forbid")

    work_order_id: str | None = Field(default=None, max_length=200, description="工单编号")
    title: str = Field(default="", max_length=1_000, description="标题")
    text: RequestText = Field(description="诉求内容，不能为空")
    district: str = Field(default="", max_length=200, description="区县或镇街；没有时从文字中找地名")
    channel: str = Field(default="", max_length=200, description="来源渠道")
    department: str = Field(default="", max_length=200, description="承办单位；没有时按建议的承办单位统计")
    received_at: str | None = Field(
        default=None,
        max_length=40,
        description="受理时间，如 2026-01-01T00:30:00+08:00；没有时为收到请求的时间",
    )

    def to_work_order(self) -> WorkOrder:
        """The noun that the lower floors know."""
        return WorkOrder(
            self.work_order_id or "", self.text, self.title, district=self.district, channel=self.channel
        )


class TagRequest(BaseModel):
    """One to a thousand work orders."""

    model_config = ConfigDict(extra="forbid")

    work_orders: list[WorkOrderIn] = Field(min_length=1, max_length=MOST)
    explain: bool = Field(default=False, description="是否给出起决定作用的词语，此时最多 100 条")

    @model_validator(mode="after")
    def check_explained(self) -> Self:
        """Refuse to explain more than a request's time allows."""
        if self.explain and len(self.work_orders) > MOST_EXPLAINED:
            raise PydanticCustomError("too_long", "", {"max_length": MOST_EXPLAINED})
        return self


class CodeOut(BaseModel):
    """A label: code, name and the names from the first level down."""

    code: str
    name: str
    path: str


class LabelOut(CodeOut):
    """A label and the model's confidence in it."""

    confidence: float = Field(ge=0, le=1)


class EvidenceOut(BaseModel):
    """A stretch of the request (`title。text`, or the text) and what it adds to the label's score."""

    start: int
    until: int
    text: str
    weight: float

    @classmethod
    def of(cls, masked: str, evidence: Evidence) -> Self:
        """A stretch of the masked request, which is as long as the untouched one."""
        start, until = evidence.start, evidence.until
        return cls(start=start, until=until, text=masked[start:until], weight=round(evidence.weight, 4))


class FacetOut(LabelOut):
    """What the model says of one facet."""

    first: LabelOut
    level: Literal["second", "first", "none"]
    alternatives: list[LabelOut]
    also: list[CodeOut] = Field(description="一件工单有多个诉求时，其余部分所属的分类")
    evidence: list[EvidenceOut] | None = None


class TagsOut(BaseModel):
    """The tags of one work order."""

    work_order_id: str | None = Field(default=None, description="没有编号又不记录时没有此字段")
    facets: dict[str, FacetOut]
    decision: Literal["auto", "review"]
    decision_level: Literal["second", "first", "none"] = Field(description="事项分类到哪一级可自动采用")
    department: str | None = Field(default=None, description="建议的承办单位，供派单参考；没有时没有此字段")
    district_found: str | None = Field(default=None, description="工单所属或文字提到的区县；没有时没有此字段")
    warnings: list[str]
    recorded: bool | None = Field(default=None, description="是否已记入台账；关闭记录时没有此字段")
    id_generated: bool | None = Field(default=None, description="编号是按内容生成的")
    model_version: str
    taxonomy_version: str


class TagResponse(BaseModel):
    """As many results as work orders, in order."""

    results: list[TagsOut]


def tags_out(
    order: WorkOrder,
    tags: Tags,
    model: Model,
    dispatch: Dispatch,
    *,
    explained: bool,
    arrival: Arrival | None = None,
) -> dict[str, Any]:
    """A `TagsOut`, as plain objects: made one by one, pydantic's take longer than tagging.

    Args:
        explained: whether to give the evidence, which takes time.
        arrival: what became of the work order in the ledger, where it is recorded.
    """
    request = order.request if explained else None
    warnings = [*tags.warnings]
    ledger: dict[str, Any] = {}
    if arrival:
        warnings += arrival.notes
        warnings += [f"未记入台账：{arrival.problem}"] if arrival.problem else []
        ledger = {"recorded": not arrival.problem, "id_generated": arrival.id_generated or None}
    found = {
        "work_order_id": (arrival.order if arrival else order).work_order_id or None,
        "facets": {name: _facet_out(model, request, name, tag) for name, tag in tags.facets.items()},
        "decision": tags.decision,
        "decision_level": tags["category"].level,
        "department": dispatch.department or None,
        "district_found": dispatch.district_found or None,
        "warnings": warnings,
        **ledger,
        "model_version": model.version,
        "taxonomy_version": model.taxonomy.version,
    }
    return {name: given for name, given in found.items() if given is not None}


def _facet_out(model: Model, request: str | None, name: str, tag: Tag) -> dict[str, Any]:
    """A `FacetOut`."""
    facet = model.facets[name]
    first = facet.first_names[tag.first]
    found: dict[str, Any] = {
        **label_out(facet, tag.label, tag.confidence),
        "first": {
            "code": tag.first,
            "name": first,
            "path": first,
            "confidence": round(tag.first_confidence, 4),
        },
        "level": tag.level,
        "alternatives": [label_out(facet, code, share) for code, share in tag.alternatives],
        "also": [label_out(facet, code) for code in tag.also],
    }
    if request is not None:
        masked = mask(request)
        told = explain(model, request, name, tag.label)
        found["evidence"] = [EvidenceOut.of(masked, one).model_dump() for one in told]
    return found


def label_out(facet: Facet, code: str, confidence: float | None = None) -> dict[str, Any]:
    """A label of a facet as a `LabelOut`, or without confidence as a `CodeOut`."""
    found: dict[str, Any] = {"code": code, "name": facet.by_code[code].name, "path": facet.paths[code]}
    return found if confidence is None else found | {"confidence": round(confidence, 4)}

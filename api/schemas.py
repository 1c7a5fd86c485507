"""What goes over the wire, in and out. HTTP's promises to others outlive our own fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

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

    @classmethod
    def named(cls, facet: Facet, code: str) -> Self:
        """A second-level label of a facet."""
        return cls(code=code, name=facet.by_code[code].name, path=facet.path(code))


class LabelOut(CodeOut):
    """A label and the model's confidence in it."""

    confidence: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, facet: Facet, code: str, confidence: float) -> Self:
        """A second-level label of a facet."""
        name = facet.by_code[code].name
        return cls(code=code, name=name, path=facet.path(code), confidence=round(confidence, 4))

    @classmethod
    def first_of(cls, facet: Facet, tag: Tag) -> Self:
        """The first-level label above a tag."""
        name = facet.first_names[tag.first]
        return cls(code=tag.first, name=name, path=name, confidence=round(tag.first_confidence, 4))


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

    work_order_id: str | None
    facets: dict[str, FacetOut]
    decision: Literal["auto", "review"]
    decision_level: Literal["second", "first", "none"] = Field(description="事项分类到哪一级可自动采用")
    department: str | None = Field(description="建议的承办单位，供派单参考")
    district_found: str | None
    warnings: list[str]
    recorded: bool | None = Field(default=None, description="是否已记入台账；关闭记录时没有此字段")
    id_generated: bool | None = Field(default=None, description="编号是按内容生成的")
    model_version: str
    taxonomy_version: str

    @classmethod
    def of(cls, order: WorkOrder, tags: Tags, model: Model, dispatch: Dispatch, *, explained: bool) -> Self:
        """The tags in the model's own terms; evidence only where it is asked for, it takes time."""
        return cls(
            work_order_id=order.work_order_id or None,
            facets={
                name: _facet_out(model, order.request if explained else None, name, tag)
                for name, tag in tags.facets.items()
            },
            decision=tags.decision,
            decision_level=tags["category"].level,
            department=dispatch.department or None,
            district_found=dispatch.district_found or None,
            warnings=list(tags.warnings),
            model_version=model.version,
            taxonomy_version=model.taxonomy.version,
        )


class TagResponse(BaseModel):
    """As many results as work orders, in order."""

    results: list[TagsOut]

    @classmethod
    def of(
        cls,
        orders: Sequence[WorkOrder],
        tags: Sequence[Tags],
        model: Model,
        suggested: Sequence[Dispatch],
        *,
        explained: bool,
    ) -> Self:
        """All results of one request."""
        rows = zip(orders, tags, suggested, strict=True)
        return cls(
            results=[
                TagsOut.of(order, given, model, dispatch, explained=explained)
                for order, given, dispatch in rows
            ]
        )

    def tell(self, arrivals: Sequence[Arrival]) -> None:
        """Say of each work order whether it is recorded, under which id, and what there is to remark."""
        for result, arrival in zip(self.results, arrivals, strict=True):
            result.work_order_id = arrival.order.work_order_id
            result.id_generated = True if arrival.id_generated else None
            result.recorded = not arrival.problem
            result.warnings += arrival.notes
            if arrival.problem:
                result.warnings.append(f"未记入台账：{arrival.problem}")


def _facet_out(model: Model, request: str | None, name: str, tag: Tag) -> FacetOut:
    facet = model.facets[name]
    evidence = None
    if request is not None:
        masked = mask(request)
        evidence = [EvidenceOut.of(masked, one) for one in explain(model, request, name, tag.label)]
    return FacetOut(
        code=tag.label,
        name=facet.by_code[tag.label].name,
        path=facet.path(tag.label),
        confidence=round(tag.confidence, 4),
        first=LabelOut.first_of(facet, tag),
        level=tag.level,
        alternatives=[LabelOut.of(facet, code, share) for code, share in tag.alternatives],
        also=[CodeOut.named(facet, code) for code in tag.also],
        evidence=evidence,
    )

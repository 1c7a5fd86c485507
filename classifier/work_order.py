"""The nouns: a work order, and the tags that it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

FACETS = ("category", "scope", "request_type", "urgent")
"""The dimensions of tagging. A model may know fewer: a foreign label set is a `category` alone."""

Decision = Literal["auto", "review"]
Level = Literal["second", "first", "none"]


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One citizen's request, as the hotline wrote it down.

    `text` is untouched: cleaning is the model's business. `received_at` is aware
    and in Asia/Shanghai, the zone in which every statistic is counted.
    """

    work_order_id: str
    text: str
    title: str = ""
    received_at: datetime | None = None
    district: str = ""
    channel: str = ""

    @property
    def request(self) -> str:
        """What the model reads."""
        return request_of(self.title, self.text)


def request_of(title: str, text: str) -> str:
    """`title。text`, or the text where there is no title.

    The title becomes the first sentence, which is a field of its own in the features.
    """
    title = title.strip()
    return f"{title}。{text}" if title else text


@dataclass(frozen=True, slots=True)
class Tag:
    """A label given by the model to one facet of a text.

    A facet has two levels: second-level labels (`environment.air`, `private_dispute`) and the
    first-level ones that they belong to (`environment`, `private`). The confidence of a first
    level is the sum over its second level. In a flat facet the two are the same.
    """

    label: str
    confidence: float
    first: str
    first_confidence: float
    level: Level = "none"  # how deep the automatic decision reaches
    alternatives: tuple[tuple[str, float], ...] = ()  # next labels and their confidence, best first
    also: tuple[str, ...] = ()  # what further parts of a text with several asks are about


@dataclass(frozen=True, slots=True)
class Tags:
    """What the model says of one text: a tag for each facet that it knows."""

    facets: dict[str, Tag]
    decision: Decision
    warnings: tuple[str, ...] = field(default=())

    def __getitem__(self, facet: str) -> Tag:
        return self.facets[facet]

"""The feed in a file: a line or a row for each event, or the work orders as samples for annotation tools."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow as pa

from classifier.output import Writer
from classifier.taxonomy import Facet, Taxonomy
from classifier.work_order import request_of
from classifier.writers import open_writer
from training.label_studio import labelling_config, names_of, task_of
from training.tab_separated import line_of

from .feed_formats import Format
from .feed_schemas import EventOut
from .label_names import FACET_TITLES
from .lines import LineWriter

_LABELS = ("category", "scope_detail", "request_type", "urgent")
_MOMENT = pa.timestamp("us", "Asia/Shanghai")
_COLUMNS: dict[str, pa.DataType] = {
    "游标": pa.string(),
    "事件": pa.string(),
    "工单编号": pa.string(),
    "受理时间": _MOMENT,
    "记录时间": _MOMENT,
    "区县": pa.string(),
    "来源渠道": pa.string(),
    "承办单位": pa.string(),
    "一级分类": pa.string(),
    "分类代码": pa.string(),
    **{FACET_TITLES[facet]: pa.string() for facet in _LABELS},
    **{f"{FACET_TITLES[facet]}置信度": pa.float64() for facet in _LABELS},
    "人工更正": pa.string(),
    "处置": pa.string(),
    "模型版本": pa.string(),
    "分类体系版本": pa.string(),
    "更正维度": pa.string(),
    "更正标签": pa.string(),
    "更正人": pa.string(),
    "更正时间": _MOMENT,
}
_TEXTS = {"标题": pa.string(), "诉求内容": pa.string(), "更正理由": pa.string()}
_EVENTS = {"tagged": "打标", "corrected": "更正"}


class FeedFile(ABC):
    """A file that takes events, as a context manager; `left_out` counts those that it cannot hold."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.left_out = 0

    @property
    def rows(self) -> int:
        return self.writer.rows

    def __enter__(self) -> Self:
        self.writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.__exit__(kind, error, trace)

    @abstractmethod
    def take(self, events: Sequence[EventOut]) -> None:
        """Write events."""


class EventLines(FeedFile):
    """NDJSON, as the HTTP feed has it."""

    def __init__(self, path: Path) -> None:
        self._lines = LineWriter(path)
        super().__init__(self._lines)

    def take(self, events: Sequence[EventOut]) -> None:
        self._lines.write_lines(event.line() for event in events)


class EventTable(FeedFile):
    """A table with Chinese columns, which `hotline train` and `hotline batch` read as well."""

    def __init__(self, path: Path, *, with_text: bool) -> None:
        self._with_text = with_text
        columns = _COLUMNS | (_TEXTS if with_text else {})
        super().__init__(open_writer(path, list(columns), types=columns))

    def take(self, events: Sequence[EventOut]) -> None:
        if events:
            rows = [[*_row(event), *(_said(event) if self._with_text else ())] for event in events]
            self.writer.write(pd.DataFrame(rows, columns=self.writer.columns, dtype=object))


class Samples(FeedFile):
    """Work orders with text and category as samples; corrections stand in the labels already."""

    def __init__(self, lines: LineWriter, taxonomy: Taxonomy) -> None:
        super().__init__(lines)
        self._lines = lines
        self.taxonomy = taxonomy

    def take(self, events: Sequence[EventOut]) -> None:
        orders = [event for event in events if event.event == "tagged"]
        lines = [self._line(order) for order in orders if self._is_sample(order)]
        self.left_out += len(orders) - len(lines)
        self._lines.write_lines(lines)

    def _is_sample(self, order: EventOut) -> bool:
        category = order.labels.get("category")
        known = category is not None and category.code in self.taxonomy.facets["category"].by_code
        return known and bool(order.text or order.title)

    @abstractmethod
    def _line(self, order: EventOut) -> str: ...


class LabelStudioTasks(Samples):
    """A list of tasks with the labels as predictions."""

    def __init__(self, path: Path, taxonomy: Taxonomy) -> None:
        super().__init__(LineWriter(path, "[\n", ",\n", "\n]\n"), taxonomy)

    def _line(self, order: EventOut) -> str:
        data = {"work_order_id": order.work_order_id, "title": order.title or "", "text": order.text or ""}
        labels = {
            name: names_of(facet, code)
            for name, facet in self.taxonomy.facets.items()
            if (code := _code(order, facet)) in facet.by_code
        }
        category = order.labels["category"]
        task = task_of(data, labels, category.confidence, order.model_version or "")
        return json.dumps(task, ensure_ascii=False)


class TabSeparated(Samples):
    """A line of text and category each."""

    def __init__(self, path: Path, taxonomy: Taxonomy) -> None:
        super().__init__(LineWriter(path), taxonomy)

    def _line(self, order: EventOut) -> str:
        names = names_of(self.taxonomy.facets["category"], order.labels["category"].code)
        return line_of(request_of(order.title or "", order.text or ""), names) + "\n"


def open_feed_file(path: Path, chosen: Format, taxonomy: Taxonomy, *, with_text: bool) -> FeedFile:
    """A file for events; it is opened when it is entered."""
    if chosen == "ndjson":
        return EventLines(path)
    if chosen == "label-studio":
        return LabelStudioTasks(path, taxonomy)
    if chosen == "tsv":
        return TabSeparated(path, taxonomy)
    return EventTable(path, with_text=with_text)


def write_labelling_config(path: Path, taxonomy: Taxonomy) -> None:
    """Write the labelling interface to which the tasks of `LabelStudioTasks` belong."""
    with LineWriter(path) as writer:
        writer.write_lines([labelling_config(taxonomy)])


def _code(order: EventOut, facet: Facet) -> str:
    label = order.labels.get("scope_detail" if facet.name == "scope" else facet.name)
    return label.code if label else ""


def _row(event: EventOut) -> list[str | float | datetime | None]:
    labels = [event.labels.get(facet) for facet in _LABELS]
    first, category = event.labels.get("first"), event.labels.get("category")
    corrected = [FACET_TITLES[facet] for facet in _LABELS if _is_corrected(event, facet)]
    return [
        event.cursor,
        _EVENTS[event.event],
        event.work_order_id,
        event.received_at,
        event.recorded_at,
        event.district,
        event.channel,
        event.department,
        first.name if first else None,
        category.code if category else None,
        *(label.name if label else None for label in labels),
        *(label.confidence if label else None for label in labels),
        "、".join(corrected),
        event.decision,
        event.model_version,
        event.taxonomy_version,
        FACET_TITLES[event.facet] if event.facet else None,
        event.label.name if event.label else None,
        event.corrected_by,
        event.corrected_at,
    ]


def _is_corrected(event: EventOut, facet: str) -> bool:
    label = event.labels.get(facet)
    return label is not None and label.corrected


def _said(event: EventOut) -> tuple[str | None, ...]:
    return event.title, event.text, event.reason

"""Tags as columns beside those of the input: their names, their types, and how rows come by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa

from .columns import Columns
from .dispatch import Dispatcher
from .model import Model
from .records import Chunk, as_text
from .work_order import Tags, WorkOrder

TAG_SCHEMA = pa.schema(
    [
        ("category_code", pa.string()),
        ("category_name", pa.string()),
        ("first_code", pa.string()),
        ("first_name", pa.string()),
        ("category_confidence", pa.float64()),
        ("scope", pa.string()),
        ("scope_detail", pa.string()),
        ("scope_confidence", pa.float64()),
        ("request_type", pa.string()),
        ("request_type_confidence", pa.float64()),
        ("urgent", pa.int8()),
        ("urgent_confidence", pa.float64()),
        ("decision", pa.string()),
        ("model_version", pa.string()),
        ("department", pa.string()),
        ("district_found", pa.string()),
        ("error_reason", pa.string()),
    ]
)
"""The columns that tagging adds to those of the input, with their types in parquet."""

_LATER = (None, None, None, None)  # from model_version on: filled for all rows at once, or only for errors


def requests_of(chunk: Chunk, columns: Columns) -> list[str]:
    """The request of each row, title and text joined; empty where the row has no text."""
    texts = [as_text(cell) for cell in chunk.frame[columns["text"]]]
    title = columns.get("title")
    titles = [as_text(cell) for cell in chunk.frame[title]] if title else [""] * len(texts)
    return [
        WorkOrder("", text, heading).request if text.strip() else ""
        for text, heading in zip(texts, titles, strict=True)
    ]


def districts_of(chunk: Chunk, columns: Columns) -> list[str]:
    """What each row says of its place: district and town joined, "" where it has neither."""
    names = [name for name in (columns.get("district"), columns.get("town")) if name]
    cells = [[as_text(cell) for cell in chunk.frame[name]] for name in names]
    return ["".join(parts) for parts in zip(*cells, strict=True)] if cells else [""] * len(chunk.frame)


def tag_frame(
    model: Model, requests: Sequence[str], problems: Mapping[int, str], districts: Sequence[str] | None = None
) -> pd.DataFrame:
    """The added columns for some rows; an empty request or a row with a problem is an error."""
    reasons = {row: "没有诉求内容" for row, request in enumerate(requests) if not request} | dict(problems)
    sound = [row for row in range(len(requests)) if row not in reasons]
    tags = iter(model.tag([requests[row] for row in sound]))
    rows = [
        _error_row(reasons[row]) if row in reasons else _row(model, next(tags))
        for row in range(len(requests))
    ]
    frame = pd.DataFrame(rows, columns=TAG_SCHEMA.names, dtype=object)
    frame["model_version"] = model.version
    places = districts or [""] * len(requests)
    suggested = _dispatcher().suggest(
        [requests[row] for row in sound],
        frame["category_code"].iloc[sound].tolist(),
        [places[row] for row in sound],
    )
    for row, dispatch in zip(sound, suggested, strict=True):
        frame.at[row, "department"] = dispatch.department or None
        frame.at[row, "district_found"] = dispatch.district_found or None
    return frame


@cache
def _dispatcher() -> Dispatcher:
    return Dispatcher.load()


def _row(model: Model, tags: Tags) -> list[Any]:
    category = tags["category"]
    facet = model.facets["category"]
    scope, kind, urgent = (tags.facets.get(name) for name in ("scope", "request_type", "urgent"))
    return [
        category.label,
        facet.by_code[category.label].name,
        category.first,
        facet.first_names[category.first],
        round(category.confidence, 4),
        scope.first if scope else None,
        scope.label if scope else None,
        round(scope.first_confidence, 4) if scope else None,
        kind.label if kind else None,
        round(kind.confidence, 4) if kind else None,
        int(urgent.label) if urgent else None,
        round(urgent.confidence, 4) if urgent else None,
        tags.decision,
        *_LATER,
    ]


def _error_row(reason: str) -> list[Any]:
    return [*[None] * 12, "error", *_LATER[:-1], reason]

"""Tags as columns beside those of the input: their names, their types, and how rows come by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from .columns import Columns
from .dispatch import Dispatcher
from .model import Model
from .records import Chunk, as_text
from .tagging import LEVELS, Floats, Tagging
from .work_order import WorkOrder

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
        ("decision_level", pa.string()),
        ("also", pa.string()),
        ("error_reason", pa.string()),
    ]
)
"""The columns that tagging adds to those of the input, with their types in parquet."""

Column = npt.NDArray[np.object_]


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
    found = _columns(model.tagging([requests[row] for row in sound]))
    places = districts or [""] * len(requests)
    suggested = _dispatcher().suggest(
        [requests[row] for row in sound], found["category_code"].tolist(), [places[row] for row in sound]
    )
    found["department"] = _column([dispatch.department or None for dispatch in suggested])
    found["district_found"] = _column([dispatch.district_found or None for dispatch in suggested])
    columns = {name: _spread(found.get(name), sound, len(requests)) for name in TAG_SCHEMA.names}
    columns["decision"][list(reasons)] = "error"
    columns["model_version"][:] = model.version
    columns["error_reason"][list(reasons)] = list(reasons.values())
    return pd.DataFrame(columns, dtype=object)  # otherwise pandas turns None into NaN


@cache
def _dispatcher() -> Dispatcher:
    return Dispatcher.load()


def _columns(tagging: Tagging) -> dict[str, Column]:
    """What the model says, a column each; columns of facets that it does not know are left out."""
    category = tagging.facets["category"]
    facet = category.facet
    names = np.array([label.name for label in facet.labels], dtype=object)
    first_names = np.array([facet.first_names[code] for code in facet.firsts], dtype=object)
    columns = {
        "category_code": category.codes,
        "category_name": names[category.labels],
        "first_code": category.first_codes,
        "first_name": first_names[category.firsts],
        "category_confidence": _rounded(category.confidence),
        "decision": np.where(tagging.automatic, "auto", "review").astype(object),
        "decision_level": np.array(LEVELS, dtype=object)[category.levels],
        "also": _column(["；".join(category.also.get(row, ())) or None for row in range(len(tagging))]),
    }
    if scope := tagging.facets.get("scope"):
        columns |= {"scope": scope.first_codes, "scope_detail": scope.codes}
        columns["scope_confidence"] = _rounded(scope.first_confidence)
    if kind := tagging.facets.get("request_type"):
        columns |= {"request_type": kind.codes, "request_type_confidence": _rounded(kind.confidence)}
    if urgent := tagging.facets.get("urgent"):
        columns["urgent"] = np.array([int(code) for code in urgent.facet.codes], dtype=object)[urgent.labels]
        columns["urgent_confidence"] = _rounded(urgent.confidence)
    return columns


def _rounded(confidence: Floats) -> Column:
    return confidence.astype(np.float64).round(4).astype(object)


def _column(values: Sequence[str | None]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _spread(values: Column | None, rows: Sequence[int], count: int) -> Column:
    """A column of `count` rows that has the values at their rows, and None elsewhere."""
    column = np.full(count, None, dtype=object)
    column[rows] = values
    return column

"""Rows of a file and their tags: what of a row is the request, and the columns that tagging adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .cleaned import clean_many
from .codes import Codes
from .columns import Columns
from .dispatch import Directory, Dispatcher
from .model import Model
from .records import Chunk
from .spans import Spans
from .tag_columns import DIGITS, TAG_TYPES, Coded, Shares, TagColumns
from .tagging import LEVELS, FacetTags, Floats, Tagging
from .work_order import request_of

DECISIONS = ("review", "auto", "error")

_NOTHING = Coded(np.empty(0, dtype=np.int64), ())


def requests_of(chunk: Chunk, columns: Columns) -> Codes:
    """The request of each row, title and text joined; empty where the row has no text."""
    title = columns.get("title")
    if isinstance(chunk.cells, Spans):
        return chunk.cells.requests(columns["text"], title)
    texts = chunk.texts(columns["text"])
    titles = chunk.texts(title) if title else [""] * len(texts)
    return Codes.of(
        [
            request_of(heading, text) if text and not text.isspace() else ""
            for text, heading in zip(texts, titles, strict=True)
        ]
    )


def districts_of(chunk: Chunk, columns: Columns) -> list[str]:
    """What each row says of its place: district and town joined, "" where it has neither."""
    names = [name for name in (columns.get("district"), columns.get("town")) if name]
    cells = [chunk.texts(name) for name in names]
    return ["".join(parts) for parts in zip(*cells, strict=True)] if cells else [""] * len(chunk)


def tag_columns(
    model: Model,
    dispatcher: Dispatcher,
    requests: Sequence[str] | Codes,
    problems: Mapping[int, str],
    districts: Sequence[str] | None = None,
) -> TagColumns:
    """The added columns for some rows; an empty request or a row with a problem is an error."""
    given = Codes.of(requests)
    count = len(given)
    empty = np.flatnonzero(given.lengths == 0).tolist()
    reasons = dict.fromkeys(empty, "没有诉求内容") | dict(problems)
    sound = [row for row in range(count) if row not in reasons]
    read = given[np.array(sound, dtype=np.int64)] if reasons else given
    cleaned = clean_many(read)
    tagging = model.tagging(read, cleaned)
    found = _columns(tagging)
    places = districts or [""] * count
    named = dispatcher.districts(cleaned, [places[row] for row in sound])
    found["district_found"] = found_in = Coded.of([name or None for name in named])
    found["department"] = _departments(dispatcher.directory, tagging.facets["category"], found_in)
    rows = np.array(sound, dtype=np.int64)
    columns = {
        name: found[name].spread(rows, count) if name in found else _NOTHING.spread(rows[:0], count)
        for name in TAG_TYPES
    }
    decisions = np.full(count, DECISIONS.index("error"))
    decisions[rows] = tagging.automatic
    columns["decision"] = Coded(decisions, DECISIONS)
    columns["model_version"] = Coded(np.zeros(count, dtype=np.int64), (model.version,))
    columns["error_reason"] = Coded.at(reasons, count)
    return TagColumns(columns)


def _columns(tagging: Tagging) -> dict[str, Coded | Shares]:
    """What the model says, a column each; columns of facets that it does not know are left out."""
    category = tagging.facets["category"]
    facet = category.facet
    also = {row: "；".join(codes) for row, codes in category.also.items() if codes}
    columns: dict[str, Coded | Shares] = {
        "category_code": Coded(category.labels, facet.codes),
        "category_name": Coded(category.labels, [label.name for label in facet.labels]),
        "first_code": Coded(category.firsts, facet.firsts),
        "first_name": Coded(category.firsts, [facet.first_names[code] for code in facet.firsts]),
        "category_confidence": _shares(category.confidence),
        "decision_level": Coded(category.levels, LEVELS),
        "also": Coded.at(also, len(tagging)),
    }
    if scope := tagging.facets.get("scope"):
        columns["scope"] = Coded(scope.firsts, scope.facet.firsts)
        columns["scope_detail"] = Coded(scope.labels, scope.facet.codes)
        columns["scope_confidence"] = _shares(scope.first_confidence)
    if kind := tagging.facets.get("request_type"):
        columns["request_type"] = Coded(kind.labels, kind.facet.codes)
        columns["request_type_confidence"] = _shares(kind.confidence)
    if urgent := tagging.facets.get("urgent"):
        columns["urgent"] = Coded(urgent.labels, [int(code) for code in urgent.facet.codes])
        columns["urgent_confidence"] = _shares(urgent.confidence)
    return columns


def _departments(directory: Directory, categories: FacetTags, districts: Coded) -> Coded:
    """The unit of each row, looked up once for each category in a district."""
    pairs = categories.labels * (len(districts.values) + 1) + districts.places + 1
    _, rows, inverse = np.unique(pairs, return_index=True, return_inverse=True)
    named = zip(categories.codes[rows], districts.cells()[rows], strict=True)
    units = Coded.of([directory.department(category, district or "") or None for category, district in named])
    return Coded(units.places[inverse], units.values)


def _shares(confidence: Floats) -> Shares:
    return Shares(confidence.astype(np.float64).round(DIGITS))

"""Volumes as a table: a column for each thing that was asked for, in Chinese."""

from __future__ import annotations

from typing import Any

from .label_names import FACET_TITLES, LabelNames
from .volumes import OTHERS, Volume, Volumes

Cell = str | int | float | None


def header(found: Volumes) -> list[str]:
    """The names of the columns."""
    asked = found.asked
    names = ["时间"] if asked.by else []
    names += [FACET_TITLES[facet] for facet in asked.facets]
    names += ["诉求量"]
    names += ["占比"] if asked.facets else []
    names += ["私人诉求占比"] if asked.private else []
    if asked.compare:
        word = "同比" if asked.compare == "year" else "环比"
        names += ["基期", "基期诉求量", f"{word}增减", f"{word}", "说明"]
    return names


def cells(found: Volumes, names: LabelNames) -> list[list[Cell]]:
    """The rows; shares and changes are numbers, 0.25 for 25 %."""
    return [_row(found, row, names) for row in found.rows]


def _row(found: Volumes, row: Volume, names: LabelNames) -> list[Cell]:
    asked = found.asked
    line: list[Cell] = [row.period.label] if asked.by else []
    line += label_names(found, row, names)
    line.append(row.volume)
    line += [row.share] if asked.facets else []
    line += [row.private_share] if asked.private else []
    if row.against:
        base = row.against
        line += [
            base.period.label if base.period else None,
            base.volume,
            base.difference,
            base.change,
            base.note,
        ]
    return line


def label_names(found: Volumes, row: Volume, names: LabelNames) -> list[str]:
    """What people read for a row's labels."""
    return [
        f"其他（{found.merged} 项）" if code == OTHERS else names.name(facet, code)
        for facet, code in zip(found.asked.facets, row.codes, strict=True)
    ]


def shown(name: str, cell: Cell) -> str:
    """A cell as text: shares as percentages, changes with their sign."""
    if cell is None:
        return "—"
    if name in ("占比", "私人诉求占比"):
        return f"{cell:.1%}"
    if name in ("同比", "环比"):
        return f"{cell:+.1%}"
    if name.endswith("增减"):
        return f"{cell:+,}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def as_json(found: Volumes, names: LabelNames) -> dict[str, Any]:
    """The answer as the HTTP service gives it, too; last days are inclusive."""
    asked = found.asked
    return {
        "since": found.since.isoformat(),
        "until": (found.until.fromordinal(found.until.toordinal() - 1)).isoformat(),
        "facet": asked.facet,
        "cross": asked.cross,
        "by": asked.by,
        "compare": asked.compare,
        "where": {facet: list(codes) for facet, codes in asked.where.items()},
        "total": found.total,
        "rows": [_json_row(found, row, names) for row in found.rows],
        "notes": found.notes,
    }


def _json_row(found: Volumes, row: Volume, names: LabelNames) -> dict[str, Any]:
    asked = found.asked
    line: dict[str, Any] = {"period": _json_period(row.period)}
    named = label_names(found, row, names)
    for key, code, name in zip(("label", "cross"), row.codes, named, strict=False):
        line[key] = {"code": None if code == OTHERS else code, "name": name}
    line |= {"volume": row.volume, "share": _rounded(row.share)}
    if asked.private:
        line["private_share"] = _rounded(row.private_share)
    if row.against:
        base = row.against
        line["against"] = {
            "period": _json_period(base.period) if base.period else None,
            "volume": base.volume,
            "difference": base.difference,
            "change": _rounded(base.change),
            "note": base.note,
        }
    return line


def _json_period(period: Any) -> dict[str, Any]:
    return {
        "label": period.label,
        "since": period.start.isoformat(),
        "until": period.last.isoformat(),
        "partial": period.is_partial,
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)

"""Volumes as a picture: bars for labels and years, lines for finer periods; the base paler beside them.

The Chinese font travels with the program, so that a server without fonts draws the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.errors import OutputError

from .label_names import FACET_TITLES, LabelNames
from .tables import label_names
from .volumes import Volume, Volumes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SERIES = 10  # lines, or bars side by side, that an eye can tell apart
MOST_BARS = 30
FONT = "NotoSansCJKsc-Subset.otf"

# Okabe and Ito's palette, told apart by most colour-blind people, and two greys
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#b8a800", "#000000", "#777777",
            "#8c510a")  # fmt: skip
_SHORT = 14  # characters of a period's label on an axis

Series = dict[str, list[Volume]]


def draw(found: Volumes, names: LabelNames, path: Path) -> None:
    """Draw the volumes to a PNG file.

    Raises:
        OutputError: it cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with _style(mpl, _font_family()):
        figure = Figure(figsize=(9, 5), dpi=150, layout="constrained")
        axes = figure.add_subplot()
        series = _series(found, names)
        if not found.asked.by:
            _draw_labels(figure, axes, series)
        elif found.asked.by == "year" or len(next(iter(series.values()), [])) <= 2:
            _draw_groups(axes, series)
        else:
            _draw_lines(axes, series)
        axes.set_title(_title(found, names), loc="left", fontweight="bold")
        if not found.rows:
            axes.text(0.5, 0.5, "没有工单", ha="center", va="center", transform=axes.transAxes)
        _write(figure, path)


def _write(figure: Figure, path: Path) -> None:
    try:
        figure.savefig(path, format="png", metadata={"Software": None})
    except OSError as error:
        raise OutputError(f"{path} 写不进去（{error.strerror}），请检查文件夹、权限和磁盘空间") from error


def _style(mpl: Any, family: str) -> AbstractContextManager[None]:
    style: AbstractContextManager[None] = mpl.rc_context(
        {
            "font.family": [family, "DejaVu Sans"],
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#e6e6e6",
            "axes.unicode_minus": False,
        }
    )
    return style


@cache
def _font_family() -> str:
    """Add the shipped font; its family as matplotlib calls it, which differs between its versions."""
    from matplotlib.font_manager import fontManager

    with as_file(files("api") / "data" / "fonts" / FONT) as font:
        fontManager.addfont(str(font))
    return str(fontManager.ttflist[-1].name)


def _series(found: Volumes, names: LabelNames) -> Series:
    """The rows of each label, by its name; without labels all in one."""
    series: Series = {}
    for row in found.rows:
        series.setdefault(" · ".join(label_names(found, row, names)) or "诉求量", []).append(row)
    return series


def _draw_lines(axes: Axes, series: Series) -> None:
    shown = _first(axes, series, MOST_SERIES)
    for colour, (name, rows) in zip(_COLOURS, shown.items(), strict=False):
        places = range(len(rows))
        axes.plot(places, [row.volume for row in rows], color=colour, label=name, marker="o", markersize=3)
        if any(row.against and row.against.volume is not None for row in rows):
            before = [_base(row) for row in rows]
            axes.plot(places, before, color=colour, linestyle="--", alpha=0.5, label=f"{name}（基期）")
    rows = next(iter(shown.values()), [])
    _label_periods(axes, rows)
    axes.margins(x=0.02)
    axes.set_ylim(bottom=0)
    _finish(axes, shown)


def _base(row: Volume) -> float:
    known = row.against.volume if row.against else None
    return float("nan") if known is None else known


def _label_periods(axes: Axes, rows: Sequence[Volume]) -> None:
    step = max(1, -(-len(rows) // 12))
    places = list(range(0, len(rows), step))
    axes.set_xticks(places, [_short(rows[place]) for place in places], rotation=30, ha="right")


def _short(row: Volume) -> str:
    label = row.period.label
    return label if len(label) <= _SHORT else label.split(" ")[0]


def _draw_groups(axes: Axes, series: Series) -> None:
    """Bars side by side: a group for each period, in it a bar for each label and for its base."""
    shown = _first(axes, series, MOST_SERIES)
    width = 0.8 / max(1, len(shown))
    for index, (colour, (name, rows)) in enumerate(zip(_COLOURS, shown.items(), strict=False)):
        left = [place - 0.4 + (index + 0.5) * width for place in range(len(rows))]
        bars = axes.bar(left, [row.volume for row in rows], width * 0.92, color=colour, label=name)
        axes.bar_label(bars, fmt="{:,.0f}", fontsize=7 if len(shown) > 3 else 9, padding=2)
    rows = next(iter(shown.values()), [])
    axes.set_xticks(range(len(rows)), [row.period.label for row in rows])
    axes.grid(axis="x", visible=False)
    _finish(axes, shown)


def _draw_labels(figure: Figure, axes: Axes, series: Series) -> None:
    """Lying bars, the largest on top, their base paler below."""
    shown = _first(axes, series, MOST_BARS)
    figure.set_figheight(max(3.0, 1.2 + 0.3 * len(shown)))
    rows = [rows[0] for rows in shown.values()]
    compared = any(row.against and row.against.volume is not None for row in rows)
    height = 0.4 if compared else 0.75
    places = [place - (0.2 if compared else 0) for place in range(len(rows))]
    bars = axes.barh(places, [row.volume for row in rows], height, color=_COLOURS[0], label="本期")
    axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8)
    if compared:
        lower = [place + height for place in places]
        axes.barh(lower, [_base(row) for row in rows], height, color=_COLOURS[5], alpha=0.6, label="基期")
        axes.legend(frameon=False)
    axes.set_yticks(range(len(rows)), list(shown))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("诉求量（条）")
    _thousands(axes.xaxis)


def _first(axes: Axes, series: Series, most: int) -> Series:
    """The first series, with a remark where there are more."""
    if len(series) > most:
        remark = f"共 {len(series)} 项，只画最多的 {most} 项"
        axes.annotate(remark, (1, 1.01), xycoords="axes fraction", ha="right", va="bottom", fontsize=8)
    return dict(list(series.items())[:most])


def _finish(axes: Axes, shown: Series) -> None:
    axes.set_ylabel("诉求量（条）")
    _thousands(axes.yaxis)
    if len(shown) > 1 or any(row.against for rows in shown.values() for row in rows):
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)


def _thousands(axis: Any) -> None:
    axis.set_major_formatter("{x:,.0f}")


def _title(found: Volumes, names: LabelNames) -> str:
    asked = found.asked
    by = " × ".join(FACET_TITLES[facet] for facet in asked.facets)
    last = found.until.fromordinal(found.until.toordinal() - 1)
    where = "；".join(
        f"{FACET_TITLES[facet]}：{'、'.join(names.name(facet, code) for code in codes)}"
        for facet, codes in asked.where.items()
        if facet not in asked.facets
    )
    span = f"{found.since.isoformat()} 至 {last.isoformat()}"
    return f"{by}诉求量　{span}" + (f"\n{where}" if where else "")

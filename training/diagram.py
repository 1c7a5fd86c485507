"""Reliability diagrams: what confidences say against how often they are right (DeGroot, Fienberg 1983)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from .evaluate import Scores

_COLUMNS = 3
_BLUE, _GREY = "#1f5fa8", "#9aa4ae"


def reliability_svg(scores: Scores, titles: Mapping[str, str]) -> str:
    """A panel for each facet as one SVG page; letters stay letters, in whatever font the reader has.

    A point is a bin of equal mass: its mean confidence, and the share of its tags that were right. Points
    on the diagonal say the truth, those below it boast.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = -(-len(scores) // _COLUMNS)
    figure = Figure(figsize=(3.4 * _COLUMNS, 3.5 * rows), layout="constrained")
    for number, (name, score) in enumerate(scores.items(), start=1):
        axes = figure.add_subplot(rows, _COLUMNS, number)
        _panel(axes, score.reliability)
        axes.set_title(f"{titles.get(name, name)}  ECE {score.calibration_error:.1%}", fontsize=10)
        axes.set_xlabel("置信度", fontsize=9)
        axes.set_ylabel("正确率", fontsize=9)
    page = io.StringIO()
    # A fixed salt and no date: the same scores give the same bytes. Letters stay letters, so that it does
    # not matter whether there is a font here that has their shapes.
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "hotline", "font.family": "sans-serif"}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        FigureCanvasSVG(figure)
        figure.savefig(page, format="svg", metadata={"Date": None})
    return page.getvalue()


def _panel(axes: object, bins: Sequence[tuple[float, float, int]]) -> None:
    from matplotlib.axes import Axes
    from matplotlib.ticker import PercentFormatter

    if not isinstance(axes, Axes):
        raise TypeError(type(axes).__name__)
    stated, found, _ = zip(*bins, strict=True)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    axes.plot(stated, found, color=_BLUE, marker="o", markersize=4, linewidth=1.2)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)

"""`hotline evaluate`: how good a version is on samples that it has not seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.store import ModelStore

from ..console import err, out, say_notes
from . import options

if TYPE_CHECKING:
    from rich.table import Table

    from training.evaluate import FacetScore, Scores


def evaluate(
    source: Annotated[Path, typer.Argument(metavar="SAMPLES", help="标注样本：xlsx、csv 或 parquet。")],
    text_column: options.TextColumn = None,
    title_column: options.TitleColumn = None,
    label_column: options.LabelColumn = None,
    model: options.ModelVersion = None,
    encoding: options.Encoding = None,
    as_json: options.Json = False,
    models_dir: options.ModelsDir = None,
) -> None:
    """用标注样本检验一个版本：准确率、宏平均 F1、各类得分、校准误差、自动处理的比例和错误率。"""
    from training.evaluate import as_json as plain
    from training.evaluate import evaluate as score
    from training.samples import read_samples

    store = ModelStore(models_dir)
    chosen = store.load(model) if model else store.current()
    columns = options.given(text=text_column, title=title_column)
    samples = read_samples(
        source, chosen.taxonomy, columns=columns, label_column=label_column, encoding=encoding, closed=True
    )
    say_notes(samples.notes)
    with err.status("检验"):
        scores = score(chosen, samples)
    if as_json:
        facts = {"version": chosen.version, "samples": len(samples), **plain(scores)}
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    else:
        print_scores(scores, f"{chosen.version}：{len(samples):,} 条样本")


def print_scores(scores: Scores, title: str) -> None:
    """A line for each facet, then a table of classes for each."""
    from rich.table import Table

    from training.card import title_of

    table = Table("维度", "准确率", "宏平均 F1", "校准误差", "自动比例", "自动错误率", title=title, box=None)
    for name, score in scores.items():
        error = "—" if score.automatic_error is None else f"{score.automatic_error:.1%}"
        shares = (score.accuracy, score.macro_f1, score.calibration_error, score.coverage)
        table.add_row(title_of(name), *(f"{share:.1%}" for share in shares), error)
    out.print(table)
    for name, score in scores.items():
        out.print()
        out.print(_classes(title_of(name), score))
        bins = "  ".join(f"{stated:.0%}→{found:.0%}" for stated, found, _ in score.reliability)
        out.print(f"置信度→正确率（等量分组）：{bins}", style="dim")


def _classes(title: str, score: FacetScore) -> Table:
    from rich.table import Table

    table = Table("类别", "精确率", "召回率", "F1", "样本数", title=title, box=None)
    for code, one in sorted(score.classes.items(), key=lambda item: -item[1].support):
        shares = (f"{share:.1%}" for share in (one.precision, one.recall, one.f1))
        table.add_row(code, *shares, str(one.support))
    return table

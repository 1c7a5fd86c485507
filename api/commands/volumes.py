"""`hotline volumes`: how many, of what, where, since when, against last year."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from classifier.errors import InputError, ModelError

from ..console import out, say, say_notes
from ..periods import By, Compare
from . import options

if TYPE_CHECKING:
    from classifier.taxonomy import Taxonomy

Cells = Sequence[Sequence[str | int | float | None]]


class Format(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


class ByChoice(StrEnum):
    """Periods."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class CompareChoice(StrEnum):
    """Bases of comparison."""

    YEAR = "year"
    PERIOD = "period"


def volumes(
    facet: Annotated[
        str | None, typer.Option(help="按哪个维度；不指定时只数总量。", show_default=False)
    ] = None,
    cross: Annotated[str | None, typer.Option(help="再按另一个维度交叉。", show_default=False)] = None,
    by: Annotated[ByChoice | None, typer.Option(help="按时间分段。", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="从哪天起：2024、2024-07 或 2024-07-08。", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="到哪天止，含当天；写年或月时到其最后一天。", show_default=False)
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="只数某个标签：维度=标签；同一维度几个是“或”，不同维度是“且”。", show_default=False
        ),
    ] = None,
    compare: Annotated[
        CompareChoice | None, typer.Option(help="year 同比，period 环比。", show_default=False)
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="只列最多的几项，其余合为“其他”。", show_default=False)
    ] = None,
    private_share: Annotated[bool, typer.Option("--private-share", help="加一列私人诉求占比。")] = False,
    format_: Annotated[Format, typer.Option("--format", help="输出格式。")] = Format.TABLE,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="写到文件；xlsx 必须指定。", show_default=False)
    ] = None,
    chart: Annotated[Path | None, typer.Option(help="另画一张图（PNG）。", show_default=False)] = None,
    database: options.Database = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """统计诉求量：按维度、时间、条件，可同比、环比。"""
    from .. import tables
    from ..asking import asked_by
    from ..label_names import LabelNames
    from ..ledger.ledger import Ledger
    from ..settings import read_settings
    from ..volumes import volumes as count

    _check_out(format_, out_file, chart)
    ledger = Ledger(read_settings(database)).open()
    names = LabelNames(_taxonomy(models_dir))
    asked = asked_by(
        ledger, names, facet=facet, cross=cross, by=cast("By | None", by and by.value), since=since,
        until=until, where=where or [], compare=cast("Compare | None", compare and compare.value), top=top,
        private=private_share,
    )  # fmt: skip
    found = count(ledger, asked)
    header, rows = tables.header(found), tables.cells(found, names)
    if format_ is Format.JSON:
        _write_text(json.dumps(tables.as_json(found, names), ensure_ascii=False, indent=1) + "\n", out_file)
    elif format_ is Format.TABLE:
        _print(header, rows)
    elif out_file:
        _write_file(header, rows, out_file)
    else:
        _print_csv(header, rows)
    if chart:
        from ..charts import draw

        draw(found, names, chart)
        say(f"图：{chart}")
    say_notes(found.notes)


def _taxonomy(models_dir: Path | None) -> Taxonomy:
    """The current model's taxonomy, or the program's own where there is no model."""
    from classifier.bundle import read_taxonomy
    from classifier.store import ModelStore
    from classifier.taxonomy import Taxonomy

    store = ModelStore(models_dir)
    try:
        return read_taxonomy(store.path(store.current_version()))
    except ModelError:
        return Taxonomy.load()


def _check_out(format_: Format, out_file: Path | None, chart: Path | None) -> None:
    if format_ is Format.XLSX and not out_file:
        raise InputError("xlsx 不能写到终端，请用 --out 文件名.xlsx 指定文件")
    if format_ is Format.TABLE and out_file:
        raise InputError("--out 要与 --format csv、xlsx 或 json 一起用")
    if out_file and out_file.suffix.lower() != f".{format_.value}":
        raise InputError(f"--out 的文件名应以 .{format_.value} 结尾，与 --format {format_.value} 一致")
    if chart and chart.suffix.lower() != ".png":
        raise InputError("--chart 的文件名应以 .png 结尾")


def _print(header: Sequence[str], rows: Cells) -> None:
    from rich.table import Table

    from ..tables import shown

    table = Table(box=None, padding=(0, 2, 0, 0))
    for place, name in enumerate(header):
        number = any(isinstance(row[place], int | float) for row in rows)
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(shown(name, cell) for name, cell in zip(header, row, strict=True)))
    out.print(table)


def _print_csv(header: Sequence[str], rows: Cells) -> None:
    import csv

    from classifier.writers import guarded

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([guarded(cell) for cell in row] for row in (header, *rows))


def _write_text(text: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} 写不进去（{error.strerror}），请检查文件夹和权限") from error


def _write_file(header: Sequence[str], rows: Cells, path: Path) -> None:
    import pandas as pd

    from classifier.writers import open_writer

    with open_writer(path, list(header), rows=len(rows)) as writer:
        writer.write(pd.DataFrame(list(rows), columns=list(header), dtype=object))

"""`hotline batch`: a file of work orders to a tagged file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from classifier.store import ModelStore

from ..console import progress, say, say_notes
from . import options

PARTLY_DONE = 3


def batch(
    source: Annotated[Path, typer.Argument(metavar="IN", help="工单文件：xlsx、xls、csv 或 parquet。")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="输出文件：xlsx、csv 或 parquet。")],
    text_column: options.TextColumn = None,
    title_column: options.TitleColumn = None,
    id_column: options.IdColumn = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="进程数；不指定时等于处理器核数。", show_default=False)
    ] = None,
    model: options.ModelVersion = None,
    review_out: Annotated[
        Path | None, typer.Option(help="待人工复核的行另存到此文件。", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="接着做上次中断的运行。")] = False,
    sheet: Annotated[
        str | None, typer.Option(help="工作表；不指定时取第一张有数据的。", show_default=False)
    ] = None,
    encoding: options.Encoding = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """给一个工单文件逐行打标，保留原有各列，结果按原顺序写入 OUT。"""
    import joblib

    from classifier.batch import Job, tag_file  # pandas takes a while to load

    store = ModelStore(models_dir)
    job = Job(
        source,
        target,
        store.path(model or store.current_version()),
        options.given(text=text_column, title=title_column, work_order_id=id_column),
        review_out,
        workers or joblib.cpu_count(),
        resume,
        sheet,
        encoding,
    )
    try:
        with progress("打标") as bar:
            task = bar.add_task("", total=None)
            report = tag_file(job, lambda done, total: bar.update(task, completed=done, total=total))
            bar.update(task, total=report.rows)
    except KeyboardInterrupt:
        say("已打标的行留着，加 --resume 可接着做")
        raise
    say_notes(report.notes)
    counts = report.decisions
    say(
        f"{target}：{report.rows:,} 行，自动 {counts['auto']:,}，待复核 {counts['review']:,}，"
        f"未能打标 {counts['error']:,}"
        + (f"（其中 {report.resumed:,} 行取自上次运行）" if report.resumed else "")
    )
    if report.errors:
        say(f"未能打标的行见 {report.errors}")
        raise typer.Exit(PARTLY_DONE)

"""`hotline batch`: a file of work orders to a tagged file."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.store import ModelStore

from ..console import progress, say, say_notes
from . import options

if TYPE_CHECKING:
    from classifier.batch import Job

    from ..recording import FileRecording

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
    record: Annotated[bool, typer.Option("--record", help="同时记入台账；要有受理时间列。")] = False,
    received_at_column: Annotated[
        str | None, typer.Option(help="受理时间所在的列（--record 时用）。", show_default=False)
    ] = None,
    database: options.Database = None,
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
        options.given(
            text=text_column, title=title_column, work_order_id=id_column, received_at=received_at_column
        ),
        review_out,
        workers or joblib.cpu_count(),
        resume,
        sheet,
        encoding,
    )
    recording = _recording(job, database) if record else None
    try:
        with progress("打标") as bar, recording or nullcontext():
            task = bar.add_task("", total=None)
            report = tag_file(
                job,
                lambda done, total: bar.update(task, completed=done, total=total),
                *([recording.see] if recording else []),
            )
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
    refused = finish(recording, source, job.model.name, report.rows) if recording else 0
    if report.errors or refused:
        raise typer.Exit(PARTLY_DONE)


def _recording(job: Job, database: str | None) -> FileRecording:
    """Where the tags are to be recorded; whatever hinders that is found before anything is tagged."""
    from classifier import bundle
    from classifier.columns import Columns
    from classifier.records import open_records

    from ..ledger.ledger import Ledger
    from ..recording import FileRecording
    from ..settings import read_settings

    records = open_records(job.source, sheet=job.sheet, encoding=job.encoding)
    Columns.find(records.columns, job.columns, ("text", "received_at"), job.source.name)
    ledger = Ledger(read_settings(database)).open(create=True)
    return FileRecording(ledger, job.target, bundle.load(job.model).taxonomy.version)


def finish(recording: FileRecording, source: Path, model_version: str, rows: int) -> int:
    """Close a file's recording, and say what became of it; the number of refused rows comes back."""
    from classifier.sidecar import sha256

    from ..ledger.imports import Import

    report, ledger = recording.report, recording.ledger
    ledger.note_import(
        Import(source.name, sha256(source), model_version, rows, report.recorded, report.refused)
    )
    ledger.settle()
    say_notes(report.notes)
    say(
        f"台账 {ledger.name}：新记 {report.new:,} 条，更新 {report.again:,} 条"
        + (f"，没有标签而未记 {report.untagged:,} 条" if report.untagged else "")
        + (f"，拒绝 {report.refused:,} 条，见 {report.unrecorded}" if report.refused else "")
    )
    return report.refused

"""`hotline db`: the ledger's tables, files for it, and what it keeps."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from classifier.errors import InputError, LedgerError

from ..console import out, progress, say, say_notes
from ..periods import parse_day, today
from . import options
from .batch import PARTLY_DONE, finish
from .export import export

app = typer.Typer(help="台账：建表、导入、导出、检查、清理。", no_args_is_help=True, rich_markup_mode=None)
app.command("export")(export)

CHUNK = 5_000  # rows


@app.command()
def upgrade(database: options.Database = None) -> None:
    """建立台账的表，或升级到本程序的结构。SQLite 在首次使用时自动完成。"""
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    ledger = Ledger(read_settings(database))
    changed = ledger.upgrade()
    say(f"台账 {ledger.name}：" + ("表结构已升级" if changed else "表结构已是最新"))


@app.command("import")
def import_file(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="hotline batch 输出的文件。")],
    received_at_column: Annotated[
        str | None, typer.Option(help="受理时间所在的列。", show_default=False)
    ] = None,
    id_column: options.IdColumn = None,
    text_column: options.TextColumn = None,
    sheet: Annotated[str | None, typer.Option(help="工作表。", show_default=False)] = None,
    encoding: options.Encoding = None,
    database: options.Database = None,
) -> None:
    """把已经打过标的文件记入台账，不再打标；重复导入只计一次。"""
    from classifier.records import open_records

    from ..ledger.ledger import Ledger
    from ..recording import FileRecording
    from ..settings import read_settings
    from ..tagged_file import columns_of, tags_of, taxonomy_version_of

    records = open_records(source, sheet=sheet, encoding=encoding)
    given = options.given(received_at=received_at_column, work_order_id=id_column, text=text_column)
    columns = columns_of(records.columns, given, source.name)
    ledger = Ledger(read_settings(database)).open(create=True)
    recording = FileRecording(ledger, source, taxonomy_version_of(source))
    rows, model_version = 0, ""
    with progress("导入") as bar, recording:
        task = bar.add_task("", total=records.total)
        for chunk in records.chunks(CHUNK):
            tags = tags_of(chunk)
            recording.see(chunk, tags, columns)
            rows += len(tags)
            model_version = str(tags["model_version"].iloc[0] or "")
            bar.update(task, completed=rows, total=records.total or rows)
    say_notes(records.notes)
    if finish(recording, source, model_version, rows):
        raise typer.Exit(PARTLY_DONE)


@app.command()
def check(database: options.Database = None) -> None:
    """检查台账：汇总与逐条计数是否一致，有效标签是否与更正一致。"""
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    ledger = Ledger(read_settings(database)).open()
    found = ledger.check()
    if found:
        raise LedgerError(
            f"台账 {ledger.name} 有不一致：{'；'.join(found)}。可运行 hotline db rebuild 重做汇总"
        )
    say(f"台账 {ledger.name}：一致")


@app.command()
def rebuild(database: options.Database = None) -> None:
    """从逐条工单重做全部汇总。"""
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    ledger = Ledger(read_settings(database)).open()
    say(f"台账 {ledger.name}：重做了 {ledger.rebuild():,} 天的汇总")


@app.command()
def purge(
    before: Annotated[
        str | None,
        typer.Option(help="清理这一天以前受理的；不指定时按 HOTLINE_TEXT_DAYS。", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说明会清理多少，不动数据。")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="连工单及其标签、更正一起删除，诉求量随之减少。")
    ] = False,
    database: options.Database = None,
) -> None:
    """清理早先工单的标题和正文；标签留着，诉求量不变。"""
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    settings = read_settings(database)
    day = parse_day(before) if before else None
    if before and day is None:
        raise InputError("--before 应为 2026-07-08 这样的日期")
    if day is None and settings.text_days is not None:
        day = today() - timedelta(days=settings.text_days)
    if day is None:
        raise InputError("请用 --before 日期 指定清理到哪一天，或设 HOTLINE_TEXT_DAYS")
    ledger = Ledger(settings).open()
    count = ledger.purge(day, whole=whole, dry_run=dry_run)
    what = "条工单" if whole else "条工单的标题和正文"
    say(
        f"台账 {ledger.name}：{day.isoformat()} 以前的 {count:,} {what}"
        + ("将被清理" if dry_run else "已清理")
    )


@app.command()
def info(as_json: options.Json = False, database: options.Database = None) -> None:
    """显示台账里有什么：工单数、时间范围、导入过的文件。"""
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    ledger = Ledger(read_settings(database)).open()
    facts = ledger.facts()
    if as_json:
        out.print_json(json.dumps(facts, ensure_ascii=False))
        return
    span = f"，{facts['since']} 至 {facts['until']}" if facts["since"] else ""
    out.print(f"台账 {ledger.name}（表结构 {facts['revision']}）：{facts['work_orders']:,} 条工单{span}")
    out.print(f"更正 {facts['corrections']:,} 处；待重做汇总 {facts['stale_days']:,} 天")
    for one in facts["imports"]:
        out.print(
            f"导入 {one['imported_at']} {one['file']}：{one['rows']:,} 行，记入 {one['recorded']:,}，"
            f"拒绝 {one['refused']:,}（模型 {one['model_version']}）"
        )

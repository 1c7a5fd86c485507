"""`hotline db export`: what was tagged and corrected since a day or a cursor, in a file."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from classifier.errors import InputError, ModelError
from classifier.sidecar import write_sidecar

from ..console import progress, say, say_notes
from ..feed_formats import Format, format_of, needs_text
from ..periods import SHANGHAI, parse_day
from . import options
from .acting import actor

if TYPE_CHECKING:
    from classifier.taxonomy import Taxonomy

    from ..feed_files import FeedFile
    from ..feed_schemas import EventOut

AT_ONCE = 5_000  # events


def export(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="输出文件，后缀决定格式。")],
    since: Annotated[
        str | None, typer.Option(help="只要这一天起打标或更正的，如 2026-07-08。", show_default=False)
    ] = None,
    after: Annotated[
        str | None, typer.Option(help="接着上次的游标（上次输出的最后一行）。", show_default=False)
    ] = None,
    chosen: Annotated[
        Format | None, typer.Option("--format", help="格式；不指定时按后缀。", show_default=False)
    ] = None,
    text: Annotated[
        Literal["none", "masked"], typer.Option(help="masked 时附上遮盖个人号码后的标题和正文。")
    ] = "none",
    only_corrected: Annotated[
        bool, typer.Option("--corrected", help="只要有过人工更正的工单；其余的标签是模型给的。")
    ] = False,
    as_json: options.Json = False,
    models_dir: options.ModelsDir = None,
    database: options.Database = None,
) -> None:
    """导出打标和更正的工单（与 GET /v1/feed 同源），供其他平台或标注工具使用；下次的游标写到标准输出。"""
    from ..feed_files import open_feed_file, write_labelling_config
    from ..feed_schemas import feed_cursor_of, written_cursor
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    kind = format_of(target, chosen)
    with_text = text == "masked" or needs_text(kind)
    moment = _moment(since)
    start = feed_cursor_of(after)
    taxonomy = _taxonomy(models_dir)
    ledger = Ledger(read_settings(database)).open()
    tally = _Tally()
    with progress("导出") as bar, open_feed_file(target, kind, taxonomy, with_text=with_text) as file:
        task = bar.add_task("", total=None)
        last = ledger.feed_end()
        cursor = start
        while events := ledger.feed(cursor, AT_ONCE, moment, last):
            wanted = [event for event in events if event.corrected or not only_corrected]
            tally.take(file, wanted, taxonomy, with_text=with_text)
            cursor = events[-1].cursor
            bar.update(task, completed=tally.events)
    following = written_cursor(cursor)
    if kind == "label-studio":
        config = target.with_name(f"{target.name}.config.xml")
        write_labelling_config(config, taxonomy)
        say(f"标注界面的配置：{config}")
    facts = {"rows": file.rows, **tally.facts(), "after": after, "since": since, "next_cursor": following}
    write_sidecar(target, facts)
    ledger.access.note(actor(), "export", target.name, {"format": kind, "rows": file.rows, "text": with_text})
    ledger.close()
    if file.left_out:
        say_notes([f"{file.left_out:,} 条工单没有存下文字，或分类不在现行分类体系中，没有导出"])
    say(f"{target}：{file.rows:,} 行")
    sys.stdout.write((json.dumps(facts, ensure_ascii=False) if as_json else following) + "\n")


class _Tally:
    """What went out, for the sidecar."""

    def __init__(self) -> None:
        self.events = 0
        self._models: Counter[str] = Counter()
        self._taxonomies: Counter[str] = Counter()

    def take(self, file: FeedFile, events: Any, taxonomy: Taxonomy, *, with_text: bool) -> None:
        from ..feed_schemas import EventOut
        from ..label_names import LabelNames

        names = LabelNames(taxonomy)
        told: list[EventOut] = [EventOut.of(event, names, with_text=with_text) for event in events]
        file.take(told)
        self.events += len(told)
        self._models.update(one.model_version for one in told if one.model_version)
        self._taxonomies.update(one.taxonomy_version for one in told if one.taxonomy_version)

    def facts(self) -> dict[str, Any]:
        return {
            "events": self.events,
            "model_versions": dict(self._models),
            "taxonomy_versions": dict(self._taxonomies),
        }


def _moment(since: str | None) -> datetime | None:
    if since is None:
        return None
    day = parse_day(since)
    if day is None:
        raise InputError("--since 应为 2026-07-08 这样的日期")
    return datetime.combine(day, time(), SHANGHAI)


def _taxonomy(models_dir: Path | None) -> Taxonomy:
    """The current model's labels, or the program's where there is no model."""
    from classifier.store import ModelStore
    from classifier.taxonomy import Taxonomy

    try:
        return ModelStore(models_dir).current().taxonomy
    except ModelError:
        return Taxonomy.load()

"""`hotline doctor`: whether everything is there that the service needs, and what to do where it is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from classifier.errors import InputError
from classifier.store import ModelStore

from ..console import out, say
from . import options

if TYPE_CHECKING:
    from ..doctor.finding import Finding

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "broken": ("✗", "red")}


def doctor(
    as_json: options.Json = False, database: options.Database = None, models_dir: options.ModelsDir = None
) -> None:
    """体检：设置、模型和标准答案、台账、磁盘、字体、时钟、端口、程序版本。有 ✗ 时退出码为 1。"""
    from rich.text import Text

    found = []
    for one in examine(database, models_dir):
        found.append(one)
        if as_json:
            continue
        mark, colour = _MARKS[one.state]
        todo = f"　→ {one.todo}" if one.todo else ""
        out.print(Text.assemble((mark, colour), f" {one.name}：{one.told}{todo}"), soft_wrap=True)
    wrong = sum(one.state == "broken" for one in found)
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], ensure_ascii=False) + "\n")
    else:
        doubtful = sum(one.state == "warning" for one in found)
        say(f"{len(found)} 项：{wrong} 项有问题，{doubtful} 项需留意")
    if wrong:
        raise typer.Exit(1)


def examine(database: str | None, models_dir: Path | None) -> Iterator[Finding]:
    """All examinations, one after the other; without sound settings only those that need none."""
    from ..doctor import machine
    from ..doctor.database import Examined
    from ..doctor.finding import broken, fine
    from ..doctor.model import examine_model
    from ..ledger.ledger import Ledger
    from ..settings import read_settings
    from ..settings_file import settings_file

    yield machine.examine_versions()
    yield machine.examine_font()
    try:
        settings = read_settings(database)
        ledger = Examined(Ledger(settings))
    except InputError as error:
        yield broken("设置", str(error), "改正后再运行一次，其余各项要等设置正确")
        return
    yield fine("设置", f"来自 {settings_file() or '环境变量和默认值'}；hotline settings 查看全部")
    store = ModelStore(models_dir)
    yield from examine_model(store)
    yield from ledger.findings()
    yield machine.examine_clock(ledger.seconds_ahead)
    folders = {"模型": store.folder} | ({"台账": ledger.folder} if ledger.folder else {})
    yield from machine.examine_disk(folders)
    yield machine.examine_port(settings.host, settings.port)
    yield machine.examine_exposure(settings.host, None)
    ledger.ledger.close()

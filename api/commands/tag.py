"""`hotline tag`: texts from the command line or stdin to tags."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from classifier.errors import InputError
from classifier.store import ModelStore
from classifier.work_order import FACETS, Tags, WorkOrder

from ..console import out, say_notes
from . import options

if TYPE_CHECKING:
    from classifier.dispatch import Dispatch
    from classifier.model import Model

_LINES = 500  # of stdin, tagged at once
_DECISIONS = {"auto": "自动", "review": "待人工复核"}


def tag(
    texts: Annotated[
        list[str], typer.Argument(metavar="TEXT…", help="诉求内容；- 从标准输入读取，一行一条。")
    ],
    as_json: options.Json = False,
    explain: Annotated[bool, typer.Option("--explain", help="标出起决定作用的词语。")] = False,
    model: options.ModelVersion = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """给诉求文本打标。--json 每条文本输出一行 JSON。"""
    from classifier.dispatch import Dispatcher

    store = ModelStore(models_dir)
    chosen = store.load(model) if model else store.current()
    arrived = _lines() if texts == ["-"] else map(_sound, texts)
    dispatcher = Dispatcher.load()
    number = 0
    while batch := list(islice(arrived, _LINES)):
        found = chosen.tag(batch)
        suggested = dispatcher.suggest(batch, [tags["category"].label for tags in found], [""] * len(batch))
        for text, tags, dispatch in zip(batch, found, suggested, strict=True):
            number += 1
            if not text.strip():
                say_notes([f"第 {number} 条没有内容，标签仅为缺省值"])
            if as_json:
                _print_json(chosen, text, tags, dispatch, explain=explain)
            else:
                _print(chosen, text, tags, dispatch, explain=explain)


def _lines() -> Iterator[str]:
    """The lines of stdin, in UTF-8 or, from the first line that is not, in GB18030.

    Raises:
        InputError: a line is neither.
    """
    encoding = "utf-8"
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            if encoding == "utf-8":
                say_notes([f"标准输入从第 {number} 行起不是 UTF-8，按 GB18030 读取"])
            encoding = "gb18030"
            text = _decoded(line, number)
        yield text.rstrip("\r\n")


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode("gb18030")
    except UnicodeDecodeError as error:
        raise InputError(f"标准输入第 {number} 行既不是 UTF-8 也不是 GB18030，请转换编码后再试") from error


def _sound(text: str) -> str:
    """An argument as UTF-8 can hold it: bytes that the terminal sent in another encoding become `?`."""
    return text.encode(errors="replace").decode()


def _print_json(model: Model, text: str, tags: Tags, dispatch: Dispatch, *, explain: bool) -> None:
    from pydantic_core import to_json  # pydantic takes a while to load

    from ..schemas import tags_out

    found = tags_out(WorkOrder("", text), tags, model, dispatch, explained=explain)
    sys.stdout.write(to_json(found).decode() + "\n")


def _print(model: Model, text: str, tags: Tags, dispatch: Dispatch, *, explain: bool) -> None:
    from rich.table import Table

    from classifier.masking import mask

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, tag in tags.facets.items():
        facet = model.facets[name]
        others = "、".join(f"{facet.by_code[code].name} {share:.0%}" for code, share in tag.alternatives[:2])
        table.add_row(
            facet.title,
            Text(facet.path(tag.label), style="bold"),
            Text(tag.label if "." in tag.label else "", style="dim"),
            f"{tag.confidence:.0%}",
            Text(f"其次 {others}" if others else "", style="dim"),
        )
        if tag.also:
            table.add_row("", Text(f"另涉及 {'、'.join(facet.path(code) for code in tag.also)}"), "", "", "")
    if dispatch.department:
        table.add_row("建议承办", dispatch.department, Text(dispatch.district_found, style="dim"))
    table.add_row("处理", _DECISIONS[tags.decision], "", "", Text(f"模型 {model.version}", style="dim"))
    out.print(Text(_short(mask(text)), style="cyan"))
    out.print(table)
    if explain:
        out.print()
        out.print(_coloured(model, text, tags))
        out.print("绿色支持该标签，红色反对；数字是它给标签对数几率的增减。", style="dim")
    say_notes(tags.warnings)
    out.print()


def _coloured(model: Model, text: str, tags: Tags) -> Text:
    """The text with what spoke for each facet's label in green and against it in red, a line a facet."""
    from classifier.evidence import explain as explained_by
    from classifier.masking import mask

    masked = mask(text)
    lines = []
    for name in (name for name in FACETS if name in tags.facets):
        label = tags[name].label
        shown = Text(masked)
        words = []
        for one in explained_by(model, text, name, label):
            shown.stylize("bold green" if one.weight > 0 else "red", one.start, one.until)
            words.append(f"{masked[one.start : one.until]} {one.weight:+.2f}")
        heading = Text(
            f"{model.facets[name].title}（{model.facets[name].by_code[label].name}）", style="bold"
        )
        lines += [heading, shown, Text("  ".join(words), style="dim"), Text()]
    return Text("\n").join(lines)


def _short(text: str, longest: int = 120) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"

"""`hotline models`: what versions there are, which one answers, and going back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from classifier import bundle
from classifier.errors import ModelError
from classifier.store import ModelStore

from ..console import out, say, say_notes
from . import options
from .acting import note_done

app = typer.Typer(help="查看、启用和退回模型版本。", no_args_is_help=True, rich_markup_mode=None)

Version = Annotated[str, typer.Argument(metavar="VERSION", help="版本名。")]


@app.command("list")
def list_versions(as_json: options.Json = False, models_dir: options.ModelsDir = None) -> None:
    """列出全部版本。"""
    import json

    store = ModelStore(models_dir)
    try:
        current: str | None = store.current_version()
    except ModelError as error:
        current = None
        say_notes([str(error)])
    rows = []
    for version in store.versions():
        try:
            card, state = bundle.read_card(store.path(version)), "当前" if version == current else ""
        except ModelError:
            card, state = {}, "已损坏"
        rows.append({"version": version, "current": version == current, "state": state, "card": card})
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return
    from rich.table import Table

    table = Table("版本", "状态", "训练日期", "样本数", "事项准确率", "公私准确率", box=None)
    for row in rows:
        card = row["card"] if isinstance(row["card"], dict) else {}
        facets = card.get("scores", {}).get("facets", {})
        shares = [
            f"{facets[name]['accuracy']:.1%}" if name in facets else "" for name in ("category", "scope")
        ]
        size = f"{card['samples']:,}" if "samples" in card else ""
        table.add_row(str(row["version"]), str(row["state"]), card.get("trained_on", ""), size, *shares)
    out.print(table)


@app.command()
def show(
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="版本名；不指定时为当前版本。")
    ] = None,
    as_json: options.Json = False,
    models_dir: options.ModelsDir = None,
) -> None:
    """显示一个版本的说明卡：数据、规模、各类得分、校准。"""
    store = ModelStore(models_dir)
    folder = store.path(version or store.current_version())
    bundle.check(folder)
    if as_json:
        sys.stdout.write((folder / "card.json").read_text(encoding="utf-8"))
    elif out.is_terminal:
        from rich.markdown import Markdown

        out.print(Markdown((folder / "card.md").read_text(encoding="utf-8")))
    else:
        sys.stdout.write((folder / "card.md").read_text(encoding="utf-8"))


@app.command()
def promote(version: Version, models_dir: options.ModelsDir = None) -> None:
    """启用一个版本；运行中的服务随即使用它。"""
    store = ModelStore(models_dir)
    store.promote(version)
    note_done("model.promote", version)
    say(f"当前版本：{version}（{store.folder}）")


@app.command()
def rollback(models_dir: options.ModelsDir = None) -> None:
    """退回到上一个版本。"""
    store = ModelStore(models_dir)
    version = store.rollback()
    note_done("model.rollback", version)
    say(f"当前版本：{version}（{store.folder}）")

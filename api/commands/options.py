"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODELS_DIR = "HOTLINE_MODELS_DIR"


def _configured(given: Path | None) -> Path | None:
    """The folder that was given, or else the one that the settings' file names."""
    from ..settings_file import settings_file

    if given is None and settings_file():
        from ..settings import read_settings

        return read_settings().models_dir
    return given


ModelsDir = Annotated[
    Path | None,
    typer.Option(
        "--models-dir",
        envvar=MODELS_DIR,
        callback=_configured,
        help="模型文件夹；不指定时用随程序附带的默认模型。",
        show_default=False,
    ),
]
ModelVersion = Annotated[
    str | None, typer.Option("--model", help="模型版本；不指定时用当前版本。", show_default=False)
]
TextColumn = Annotated[str | None, typer.Option(help="诉求内容所在的列。", show_default=False)]
TitleColumn = Annotated[str | None, typer.Option(help="标题所在的列。", show_default=False)]
IdColumn = Annotated[str | None, typer.Option(help="工单编号所在的列。", show_default=False)]
LabelColumn = Annotated[
    str | None,
    typer.Option(help="标签所在的列；可以是任何标签集。不指定时按列名读取全部维度。", show_default=False),
]
FoldColumn = Annotated[str | None, typer.Option(help="折号所在的列。", show_default=False)]
Encoding = Annotated[str | None, typer.Option(help="csv 的编码；不指定时自动识别。", show_default=False)]
Database = Annotated[
    str | None,
    typer.Option(
        help="台账：SQLite 文件或数据库地址；不指定时用 HOTLINE_DATABASE_URL，再没有时用 hotline.db。",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出到标准输出。")]


def given(**roles: str | None) -> dict[str, str]:
    """The columns that the user named, by their roles."""
    return {role: name for role, name in roles.items() if name}

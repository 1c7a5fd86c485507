"""`hotline settings`: what is in force, and where it comes from."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from ..console import out
from . import options

_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^/\s]*(?=@)")  # up to the last @: a password may hold one
_PARAMETER = re.compile(r"(?i)([?&][a-z_]*(?:password|secret|token)=)[^&\s]*")
_SECRET = re.compile(r"secret|password|token")


def settings(as_json: options.Json = False) -> None:
    """显示生效的设置及其来源；口令已遮盖。"""
    rows = effective()
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return
    from rich.table import Table

    table = Table("设置", "值", "来源", "环境变量", box=None)
    for row in rows:
        value = row["value"]
        shown = "（未设）" if value is None else str(value)
        table.add_row(row["name"], shown, row["source"], row["variable"])
    out.print(table)


def effective() -> list[dict[str, Any]]:
    """Every setting with its value, secrets masked, and its source.

    Raises:
        InputError: one of them is wrong.
    """
    from ..settings import read_settings, source_of, variable_of

    found = read_settings().model_dump(mode="json")
    return [
        {
            "name": name,
            "value": masked(name, value),
            "source": source_of(name),
            "variable": variable_of(name),
        }
        for name, value in found.items()
    ]


def masked(name: str, value: Any) -> Any:
    """The value as it may be shown."""
    if not isinstance(value, str):
        return value
    if _SECRET.search(name):
        return "***"
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***", value))

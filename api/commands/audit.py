"""`hotline audit`: what was done, and by whom."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import write_json, write_table
from . import options
from .acting import ledger_of


def audit(
    since: Annotated[
        str | None, typer.Option(help="起，2026、2026-07 或 2026-07-08。", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="最多列出几条。")] = 100,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """列出审计记录：更正、启用模型、导出、密钥和用户的变更，新的在前。"""
    import json

    from ..asking import read_day
    from ..periods import midnight

    day = read_day(since, "--since")
    found = ledger_of(database).access.audited(midnight(day) if day else None, most=limit)
    if as_json:
        write_json(
            [
                {
                    "audit_id": one.audit_id,
                    "at": one.at.isoformat(),
                    "actor": one.actor,
                    "action": one.action,
                    "subject": one.subject,
                    "detail": one.detail,
                }
                for one in found
            ]
        )
        return
    rows = [
        (
            one.at.strftime("%Y-%m-%d %H:%M:%S"),
            one.actor,
            one.action,
            one.subject,
            json.dumps(one.detail, ensure_ascii=False) if one.detail else "",
        )
        for one in found
    ]
    write_table(("时间", "谁", "做了什么", "对象", "详情"), rows)

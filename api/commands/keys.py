"""`hotline keys`: the keys by which programs call the service."""

from __future__ import annotations

import sys
from datetime import datetime, time
from typing import Annotated

import typer

from ..console import say, write_json, write_table
from . import options
from .acting import actor, ledger_of

app = typer.Typer(help="接口密钥：哪些程序可以调用服务。", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="密钥的名称，如接入系统的名字。", show_default=False)]


@app.command("add")
def add_key(
    name: Name,
    scope: Annotated[
        str, typer.Option(help="权限，逗号分隔：tag 打标、read 查询、review 复核、admin 管理。")
    ] = "tag",
    expires: Annotated[
        str | None, typer.Option(help="到期日（含当天），如 2027-12-31；不写为长期。", show_default=False)
    ] = None,
    rate: Annotated[
        int | None, typer.Option(min=1, help="每分钟最多请求数；不写用设置 rate。", show_default=False)
    ] = None,
    database: options.Database = None,
) -> None:
    """新建密钥，只显示这一次。"""
    from ..access.keys import new_key

    scopes = [one.strip() for one in scope.split(",") if one.strip()]
    token, stored = new_key(name, scopes, rate, _last_moment(expires))
    ledger_of(database).access.add_key(stored, actor())
    say("密钥只显示这一次，请立即交给使用者保存；库中只有它的摘要。")
    sys.stdout.write(token + "\n")


@app.command("list")
def list_keys(database: options.Database = None, as_json: options.Json = False) -> None:
    """列出所有密钥（不含密钥本身）。"""
    from ..periods import SHANGHAI

    keys, _ = ledger_of(database).access.everybody()
    now = datetime.now(SHANGHAI)
    states = {"active": "有效", "expired": "已到期", "revoked": "已作废"}
    rows = [
        {
            "name": key.name,
            "prefix": key.prefix,
            "scopes": sorted(key.scopes),
            "state": key.state(now),
            "rate": key.rate,
            "created_at": key.created_at.isoformat(timespec="seconds"),
            "expires_at": key.expires_at.isoformat(timespec="seconds") if key.expires_at else None,
        }
        for key in keys
    ]
    if as_json:
        write_json(rows)
        return
    header = ("名称", "前缀", "权限", "状态", "到期")
    write_table(
        header,
        [
            (
                key.name,
                key.prefix,
                "、".join(sorted(key.scopes)),
                states[key.state(now)],
                _day(key.expires_at),
            )
            for key in keys
        ],
    )


@app.command("revoke")
def revoke_key(name: Name, database: options.Database = None) -> None:
    """作废密钥；运行中的服务两秒内不再接受它。"""
    ledger_of(database).access.revoke_key(name, actor())
    say(f"密钥“{name}”已作废")


def _last_moment(day: str | None) -> datetime | None:
    """The end of a day, which is still in."""
    from ..asking import read_day
    from ..periods import SHANGHAI

    found = read_day(day, "--expires", last=True)
    return datetime.combine(found, time.max, SHANGHAI) if found else None


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else "长期"

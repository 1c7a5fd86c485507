"""`hotline users`: the people who log in at the console."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from classifier.errors import InputError

from ..console import say, write_json, write_table
from . import options
from .acting import actor, ledger_of

app = typer.Typer(help="控制台用户：谁可以登录。", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="用户名。", show_default=False)]


@app.command("add")
def add_user(
    name: Name,
    role: Annotated[
        str,
        typer.Option(
            help="角色：operator 话务员、reviewer 审核员、analyst 分析员、manager 管理员。",
            show_default=False,
        ),
    ],
    database: options.Database = None,
) -> None:
    """新建用户；密码在提示后输入，或从标准输入给出一行。"""
    from ..access.users import ROLE_NAMES, new_user

    user = new_user(name, role, _password())
    ledger_of(database).access.add_user(user, actor())
    say(f"用户“{name}”（{ROLE_NAMES[user.role]}）已建立")


@app.command("list")
def list_users(database: options.Database = None, as_json: options.Json = False) -> None:
    """列出所有用户。"""
    from ..access.users import ROLE_NAMES

    _, users = ledger_of(database).access.everybody()
    if as_json:
        write_json([{"name": one.name, "role": one.role, "active": one.active} for one in users])
        return
    rows = [
        (one.name, ROLE_NAMES.get(one.role, one.role), "可登录" if one.active else "已停用") for one in users
    ]
    write_table(("用户", "角色", "状态"), rows)


@app.command("password")
def change_password(name: Name, database: options.Database = None) -> None:
    """更换密码；原来的登录随即失效。"""
    from ..access.users import hash_of

    hashed = hash_of(_password())
    ledger_of(database).access.change_user(name, actor(), "user.password", password=hashed)
    say(f"用户“{name}”的密码已更换")


@app.command("disable")
def disable_user(name: Name, database: options.Database = None) -> None:
    """停用用户；已登录的随即失效。"""
    ledger_of(database).access.change_user(name, actor(), "user.disable", active=False)
    say(f"用户“{name}”已停用")


@app.command("enable")
def enable_user(name: Name, database: options.Database = None) -> None:
    """重新启用用户。"""
    ledger_of(database).access.change_user(name, actor(), "user.enable", active=True)
    say(f"用户“{name}”已启用")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("密码：")
    if getpass.getpass("再输一遍：") != password:
        raise InputError("两次输入的密码不同，请重新运行")
    return password

"""`hotline serve`: the HTTP service."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.errors import InputError, LedgerUnavailable
from classifier.store import ModelStore

from ..console import say, say_notes
from . import options

if TYPE_CHECKING:
    from fastapi import FastAPI


def serve(
    host: Annotated[str, typer.Option(help="监听地址；默认只允许本机访问。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口。")] = 8345,
    workers: Annotated[int, typer.Option(min=1, max=256, help="进程数。")] = 1,
    database: options.Database = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """启动 HTTP 服务：打标并记入台账、诉求量、工单查询和更正。"""
    import uvicorn

    _check_ledger(database)
    ModelStore(models_dir).current()  # fail here, with a clear message, rather than in every worker
    _check_free(host, port)
    if models_dir:
        os.environ[options.MODELS_DIR] = str(models_dir.resolve())  # how the worker processes get to know
    shown = f"[{host}]" if ":" in host else host
    say(f"hotline 服务：http://{shown}:{port}（Ctrl+C 停止）")
    uvicorn.run(
        "api.commands.serve:served_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        server_header=False,
    )


def _check_ledger(database: str | None) -> None:
    """Refuse a ledger that is not right; one that cannot be reached yet may come later.

    Raises:
        InputError: a setting is wrong.
        LedgerError: its tables are not this program's.
    """
    from ..ledger.ledger import Ledger
    from ..settings import PREFIX, read_settings

    settings = read_settings(database)
    os.environ[f"{PREFIX}DATABASE_URL"] = settings.database_url  # how the worker processes get to know
    ledger = Ledger(settings)
    if not settings.record:
        say("HOTLINE_RECORD 为 false：打标的工单不记入台账")
        return
    try:
        ledger.open(create=True)
        say(f"台账：{ledger.name}")
    except LedgerUnavailable as error:
        say_notes([f"{error}；连上之前打标请求将得到 503"])
    finally:
        ledger.close()


def _check_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on; uvicorn would say so in its own terms and code.

    Raises:
        InputError: so it is.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise InputError(f"{host}:{port} 不能监听（{error.strerror}），请用 --host 和 --port 另选") from error


def served_app() -> FastAPI:
    """The application of one worker process, its model loaded before the first request."""
    from ..app import create_app
    from ..settings import read_settings

    folder = os.environ.get(options.MODELS_DIR)
    store = ModelStore(Path(folder) if folder else None)
    store.current()
    return create_app(store, read_settings())

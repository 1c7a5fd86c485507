"""`hotline serve`: the HTTP service."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.errors import InputError
from classifier.store import ModelStore

from ..console import say
from . import options

if TYPE_CHECKING:
    from fastapi import FastAPI


def serve(
    host: Annotated[str, typer.Option(help="监听地址；默认只允许本机访问。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口。")] = 8345,
    workers: Annotated[int, typer.Option(min=1, max=256, help="进程数。")] = 1,
    models_dir: options.ModelsDir = None,
) -> None:
    """启动 HTTP 服务：POST /v1/tags、GET /livez、GET /readyz。"""
    import uvicorn

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

    folder = os.environ.get(options.MODELS_DIR)
    store = ModelStore(Path(folder) if folder else None)
    store.current()
    return create_app(store)

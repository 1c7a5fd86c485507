"""`hotline serve`: the HTTP service."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.errors import InputError, LedgerUnavailable
from classifier.store import ModelStore

from . import options

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..settings import Settings

METRICS = "PROMETHEUS_MULTIPROC_DIR"  # as prometheus-client calls it; it must stand before that is imported
SHARED = "_HOTLINE_SHARED_WEIGHTS"  # ours alone, and no setting
HUNG_SECONDS = 60  # without a sign of life, after which a worker is replaced


def serve(
    host: Annotated[
        str | None,
        typer.Option(help="监听地址；不指定时用设置 host（127.0.0.1）。", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="端口；不指定时用设置 port。", show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="进程数；不指定时用设置 workers（1）。", show_default=False),
    ] = None,
    allow_anonymous: Annotated[
        bool,
        typer.Option("--allow-anonymous", help="没有任何密钥时也允许其他机器访问（不建议）。"),
    ] = False,
    database: options.Database = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """启动 HTTP 服务：打标并记入台账、诉求量、工单查询和更正。SIGTERM 或 Ctrl+C 停止，先答完已收到的请求。"""
    import structlog

    from .. import logs
    from ..settings import read_settings

    settings = read_settings(database)
    host, port, workers = host or settings.host, port or settings.port, workers or settings.workers
    logs.set_up(settings.log)
    _check_ledger(settings)
    _check_exposed(host, settings, allowed=allow_anonymous or settings.allow_anonymous)
    ModelStore(models_dir).current()  # fail here, with a clear message, rather than in every worker
    _check_free(host, port)
    if models_dir:
        os.environ[options.MODELS_DIR] = str(models_dir.resolve())  # how the worker processes get to know
    shown = f"[{host}]" if ":" in host else host
    structlog.get_logger("hotline").info("服务启动", address=f"http://{shown}:{port}", workers=workers)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)  # uvicorn stops and raises it again: exit 0
    with tempfile.TemporaryDirectory(prefix="hotline-serve-") as folder:
        if workers > 1:
            _share(Path(folder))
        _run(host, port, workers, settings.shutdown_seconds)
    structlog.get_logger("hotline").info("服务已停止")


def _share(folder: Path) -> None:
    """Where the worker processes keep what is of all of them: metrics, and the model's weights."""
    for variable, name in ((METRICS, "metrics"), (SHARED, "weights")):
        (folder / name).mkdir()
        os.environ[variable] = str(folder / name)


def _run(host: str, port: int, workers: int, shutdown_seconds: int) -> None:
    import uvicorn

    from ..supervisor import supervise

    config = uvicorn.Config(
        "api.commands.serve:served_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,  # its lines go through ours, see api/logs.py
        access_log=False,
        timeout_graceful_shutdown=shutdown_seconds,
        timeout_worker_healthcheck=HUNG_SECONDS,
        server_header=False,
    )
    with suppress(KeyboardInterrupt):  # which uvicorn raises again after it has finished
        if workers > 1:
            supervise(config)
        else:
            uvicorn.Server(config).run()


def _check_ledger(settings: Settings) -> None:
    """Refuse a ledger that is not right; one that cannot be reached yet may come later.

    Raises:
        LedgerError: its tables are not this program's.
    """
    import structlog

    from ..ledger.ledger import Ledger
    from ..settings import variable_of

    log = structlog.get_logger("hotline")
    os.environ[variable_of("database_url")] = settings.database_url  # how the worker processes get to know
    ledger = Ledger(settings)
    if not settings.record:
        log.info("设置 record 为 false：打标的工单不记入台账")
        return
    try:
        ledger.open(create=True)
        log.info("台账已连接", ledger=ledger.name)
    except LedgerUnavailable as error:
        log.warning("台账连不上，连上之前打标请求将得到 503", reason=str(error))
    finally:
        ledger.close()


def _check_exposed(host: str, settings: Settings, *, allowed: bool) -> None:
    """Refuse to be reached from other machines by whoever likes.

    Raises:
        InputError: there is no key, the address is not of this machine alone, and nobody said it is meant.
    """
    import structlog

    from ..access.keyring import Keyring
    from ..ledger.ledger import Ledger

    ledger = Ledger(settings)
    try:
        is_open = Keyring(ledger).is_empty()
    except LedgerUnavailable:
        return  # nobody is let in until it can be reached
    finally:
        ledger.close()
    if not is_open:
        return
    if not _is_loopback(host) and not allowed:
        raise InputError(
            f"监听 {host} 会让其他机器不用密钥就能访问。请先用 hotline keys add 建立密钥，"
            "或确实要开放时加 --allow-anonymous"
        )
    structlog.get_logger("hotline").warning("还没有密钥，能连上的都可以调用；用 hotline keys add 建立")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    from .. import logs
    from ..app import create_app
    from ..memory import collect_less, share_heaps
    from ..served_models import ServedModels
    from ..settings import read_settings

    share_heaps()
    collect_less()
    settings = read_settings()
    logs.set_up(settings.log)
    folder, shared = os.environ.get(options.MODELS_DIR), os.environ.get(SHARED)
    models = ServedModels(Path(folder) if folder else settings.models_dir, Path(shared) if shared else None)
    app = create_app(models, settings)
    models.on_load = app.state.metrics.loaded
    models.current()
    models.watch()
    return app

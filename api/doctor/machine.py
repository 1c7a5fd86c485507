"""The machine: disk, clock, font, port, libraries."""

from __future__ import annotations

import platform
import shutil
import socket
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from importlib.resources import as_file, files
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..charts import FONT
from ..periods import SHANGHAI
from .finding import Finding, broken, fine, warning

LITTLE, TOO_LITTLE = 1 << 30, 100 << 20  # bytes that should be, and must be, free
_GLYPH = "诉"
_MADE = date(2026, 1, 1)  # no clock of a machine that runs this is before it
_LIBRARIES = ("numpy", "scipy", "jieba", "fastapi", "uvicorn", "pydantic", "sqlalchemy", "psycopg")


def examine_disk(folders: dict[str, Path]) -> Iterator[Finding]:
    """Free space where something is written."""
    for name, folder in {**folders, "临时文件夹": Path(tempfile.gettempdir())}.items():
        there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())
        space = shutil.disk_usage(there)
        told = f"{there} 剩余 {space.free / 2**30:.1f} GiB（共 {space.total / 2**30:.1f} GiB）"
        if space.free < TOO_LITTLE:
            yield broken(f"磁盘·{name}", told, "请立即腾出空间，写不进去时打标请求会失败")
        elif space.free < LITTLE:
            yield warning(f"磁盘·{name}", told, "请清理或扩容")
        else:
            yield fine(f"磁盘·{name}", told)


def examine_clock(server_ahead: float | None = None, now: datetime | None = None) -> Finding:
    """The date, the zone's data, and the difference to the database's clock in seconds where it has one."""
    now = now or datetime.now(SHANGHAI)
    told = f"北京时间 {now:%Y-%m-%d %H:%M:%S}"
    if not _MADE <= now.date() < date(2100, 1, 1):
        return broken("时钟", f"{told}，不可能", "请校准系统时间（timedatectl、NTP）：台账的时间会记错")
    if server_ahead is not None:
        told += f"，与数据库相差 {abs(server_ahead):.1f} 秒"
        if abs(server_ahead) > 60:
            return broken("时钟", told, "请在两台机器上启用 NTP 校时")
        if abs(server_ahead) > 2:
            return warning("时钟", told, "请在两台机器上启用 NTP 校时")
    try:
        zone = datetime.now(ZoneInfo("Asia/Shanghai")).utcoffset()
    except ZoneInfoNotFoundError:
        return warning("时钟", f"{told}，没有时区数据", "请安装 tzdata")
    if zone != now.utcoffset():
        return warning("时钟", f"{told}，时区数据不对", "请更新 tzdata")
    return fine("时钟", told)


def examine_font() -> Finding:
    """Whether the charts' font loads and has Chinese."""
    from matplotlib.ft2font import FT2Font

    try:
        with as_file(files("api") / "data" / "fonts" / FONT) as path:
            has_glyph = FT2Font(str(path)).get_char_index(ord(_GLYPH)) != 0
    except (OSError, RuntimeError) as error:
        return broken("字体", f"{FONT} 读不出来（{type(error).__name__}）", "请重新安装程序")
    if not has_glyph:
        return broken("字体", f"{FONT} 中没有汉字", "请重新安装程序")
    return fine("字体", f"图表字体 {FONT} 可用，有汉字")


def examine_port(host: str, port: int) -> Finding:
    """Whether the service answers there, or could."""
    shown = f"{host}:{port}"
    if _answers(host, port):
        return fine("端口", f"{shown} 上的服务在运行")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return broken(
            "端口", f"{shown} 不能监听（{error.strerror}）", "请停掉占用它的程序，或改设置 host、port"
        )
    return fine("端口", f"{shown} 空闲，可以启动服务")


def _answers(host: str, port: int) -> bool:
    connection = HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=3)  # noqa: S104
    try:
        connection.request("GET", "/livez")
        return b'"ok"' in connection.getresponse().read(1000)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def examine_exposure(host: str, keys: int | None) -> Finding:
    """Who can reach the service, and whether they need a key; `keys` is None where they cannot be counted."""
    if is_loopback(host):
        return fine("对外开放", f"只监听 {host}，别的机器连不上")
    if keys:
        return fine("对外开放", f"监听 {host}，有 {keys} 个可用的密钥")
    return broken(
        "对外开放", f"监听 {host}，别的机器能连上，却没有密钥", "请建立密钥，或改为只监听 127.0.0.1"
    )


def examine_versions() -> Finding:
    """Python, the program, and the libraries that the answers depend on."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = installed(name)
        except PackageNotFoundError:
            return broken("程序", f"没有安装 {name}", "请重新安装程序")
    told = f"hotline {installed('hotline-classifier')}，Python {platform.python_version()}，"
    told += "，".join(f"{name} {version}" for name, version in found.items())
    return fine("程序", told)

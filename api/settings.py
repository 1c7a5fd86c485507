"""What the environment and `hotline.toml` say, read once at a door, and nothing misspelt among it.

The environment, `HOTLINE_...`, goes before the file; an option of a command goes before both.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from classifier.errors import InputError

from .settings_file import CONFIG, read_file, settings_file

PREFIX = "HOTLINE_"
StoredText = Literal["none", "masked", "full"]

_SAID = {
    "database_url": "sqlite:///路径 或 postgresql://用户:口令@主机/库",
    "models_dir": "文件夹",
    "record": "true 或 false",
    "store_text": "none（不存）、masked（遮盖个人号码后存）或 full（原文）",
    "text_days": "天数，1 以上的整数",
    "host": "监听地址，如 127.0.0.1",
    "port": "端口，1 到 65535 的整数",
    "workers": "进程数，1 到 256 的整数",
    "shutdown_seconds": "秒数，1 到 3600 的整数",
    "rate": "每分钟请求数，1 以上的整数",
    "body_bytes": "字节数，1024 以上的整数",
    "jobs_dir": "文件夹",
    "job_bytes": "字节数，1024 以上的整数",
    "job_days": "天数，1 以上的整数",
    "job_memory": "字节数，256 MiB 以上的整数",
    "allow_anonymous": "true 或 false",
    "log": "json（每行一个 JSON）或 text（给人看）",
    "kserve": "true 或 false",
    "open311": "true 或 false",
    "open311_text": "true 或 false",
}


class Settings(BaseSettings):
    """Each field is the variable `HOTLINE_FIELD`, or `field` in the file; a command's option goes first."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str = "sqlite:///hotline.db"
    models_dir: Path | None = None
    record: bool = True
    """Whether the service enters the work orders that it tags in the ledger."""
    store_text: StoredText = "masked"
    """What of title and text the ledger keeps."""
    text_days: int | None = Field(default=None, ge=1)
    """After how many days `hotline db purge` takes the texts away where no date is given."""
    host: str = "127.0.0.1"
    port: int = Field(default=8345, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=256)
    """How many processes answer."""
    shutdown_seconds: int = Field(default=30, ge=1, le=3600)
    """How long requests in flight may go on after the service was told to stop."""
    rate: int | None = Field(default=None, ge=1)
    """How many requests a minute a key or a person may make, where the key says nothing else."""
    body_bytes: int = Field(default=32 << 20, ge=1024)
    """The longest body of a request that is taken."""
    jobs_dir: Path = Path("hotline-jobs")
    """Where the files of jobs are kept."""
    job_bytes: int = Field(default=512 << 20, ge=1024)
    """The largest file that is taken."""
    job_days: int = Field(default=7, ge=1)
    """How long the files of a job are kept after its end."""
    job_memory: int = Field(default=4 << 30, ge=256 << 20)
    """How much memory the process of a job may take, where the system bounds it."""
    allow_anonymous: bool = False
    """Whether the service may be reached from other machines without any key."""
    kserve: bool = False
    """Whether the service speaks KServe's V2 protocol, too."""
    open311: bool = False
    """Whether the ledger can be read as Open311 GeoReport v2."""
    open311_text: bool = False
    """Whether it then shows the masked texts rather than the categories' names."""
    log: Literal["json", "text"] | None = None
    """The service's log; where it is not said, text on a terminal and JSON elsewhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The file comes last; there are no others."""
        path = settings_file()
        stored = read_file(path) if path else {}
        return init_settings, env_settings, InitSettingsSource(settings_cls, stored)


def read_settings(database: str | None = None) -> Settings:
    """What environment and file say; `database`, where given, is a URL or the path of a SQLite file.

    Raises:
        InputError: a name is unknown, most likely misspelt, or a value is none of its kind.
    """
    _check_variables()
    path = settings_file()
    if path:
        _check_keys(path, read_file(path))
    try:
        settings = Settings()
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0]).lower().removeprefix(PREFIX.lower())
        raise InputError(f"{source_of(field)} 的值不对，应为{_SAID[field]}，请改正") from error
    if database:
        url = database if "://" in database else f"sqlite:///{database}"
        return settings.model_copy(update={"database_url": url})
    return settings


def source_of(field: str) -> str:
    """Where a setting comes from, as people read it: a variable, the file, or the program's default."""
    variable = variable_of(field)
    given = next((name for name in os.environ if name.upper() == variable), None)
    if given:
        return f"环境变量 {given}"
    path = settings_file()
    if path and field in read_file(path):
        return f"设置文件 {path} 中 {field}"
    return "默认值"


def variable_of(field: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{field.upper()}"


def _check_variables() -> None:
    known = [variable_of(field) for field in Settings.model_fields]
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in (*known, CONFIG):
            hint = _nearest(name.upper().removeprefix(PREFIX), known, PREFIX)
            raise InputError(f"不认识环境变量 {name}。{hint}请改正或删去")


def _check_keys(path: Path, names: Iterable[str]) -> None:
    for name in names:
        if name not in Settings.model_fields:
            hint = _nearest(name, list(Settings.model_fields), "")
            raise InputError(f"不认识设置文件 {path} 中的 {name}。{hint}请改正或删去")


def _nearest(name: str, known: list[str], prefix: str) -> str:
    close = difflib.get_close_matches(name, [one.removeprefix(prefix) for one in known], n=1)
    return f"是不是 {prefix}{close[0]}？" if close else f"可用的是 {'、'.join(known)}。"

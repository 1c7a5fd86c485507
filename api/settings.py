"""What the environment says, read once at a door: `HOTLINE_...`, and nothing misspelt among it."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from classifier.errors import InputError

PREFIX = "HOTLINE_"
StoredText = Literal["none", "masked", "full"]

_SAID = {
    "database_url": "sqlite:///路径 或 postgresql://用户:口令@主机/库",
    "models_dir": "文件夹",
    "record": "true 或 false",
    "store_text": "none（不存）、masked（遮盖个人号码后存）或 full（原文）",
    "text_days": "天数，1 以上的整数",
    "kserve": "true 或 false",
    "open311": "true 或 false",
    "open311_text": "true 或 false",
}


class Settings(BaseSettings):
    """Each field is the variable `HOTLINE_FIELD`; an option of a command goes before it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str = "sqlite:///hotline.db"
    models_dir: Path | None = None
    record: bool = True
    """Whether the service enters the work orders that it tags in the ledger."""
    store_text: StoredText = "masked"
    """What of title and text the ledger keeps."""
    text_days: int | None = None
    """After how many days `hotline db purge` takes the texts away where no date is given."""
    kserve: bool = False
    """Whether the service speaks KServe's V2 protocol, too."""
    open311: bool = False
    """Whether the ledger can be read as Open311 GeoReport v2."""
    open311_text: bool = False
    """Whether it then shows the masked texts rather than the categories' names."""


def read_settings(database: str | None = None) -> Settings:
    """What the environment says; `database`, where given, is a URL or the path of a SQLite file.

    Raises:
        InputError: a variable is unknown, most likely misspelt, or its value is none of its kind.
    """
    _check_names()
    try:
        settings = Settings()
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise InputError(f"环境变量 {_variable(field)} 的值不对，应为{_SAID[field]}，请改正") from error
    if settings.text_days is not None and settings.text_days < 1:
        raise InputError(f"环境变量 {_variable('text_days')} 的值不对，应为{_SAID['text_days']}，请改正")
    if database:
        url = database if "://" in database else f"sqlite:///{database}"
        return settings.model_copy(update={"database_url": url})
    return settings


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


def _check_names() -> None:
    known = [_variable(field) for field in Settings.model_fields]
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            fields = [variable.removeprefix(PREFIX) for variable in known]
            close = difflib.get_close_matches(name.upper().removeprefix(PREFIX), fields, n=1)
            hint = f"是不是 {PREFIX}{close[0]}？" if close else f"可用的是 {'、'.join(known)}。"
            raise InputError(f"不认识环境变量 {name}。{hint}请改正或删去")

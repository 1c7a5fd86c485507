"""The TOML files that the program brings and that a city may replace by its own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .errors import InputError


def read_data_file(path: Path, called: str, example: str) -> dict[str, Any]:
    """What a file holds; `called` says what it is, `example` which of the program's own to compare it with.

    Raises:
        InputError: it cannot be opened, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}：{called}打不开（{error.strerror}），请检查路径") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}：不是正确的 TOML（{error}），请对照自带的 {example} 修改") from error


def check_keys(path: Path, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse a key that nothing reads: it is most likely misspelt.

    Raises:
        InputError: there is one.
    """
    for key in table:
        if key not in known:
            raise InputError(f"{path}：不认识 {where}{key}，可用的是 {'、'.join(known)}，请改正或删去")

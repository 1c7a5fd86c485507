"""Where settings may stand beside the environment: `hotline.toml` in the working folder, or `HOTLINE_CONFIG`.

Kept apart from the settings themselves, so that a command that needs none starts without pydantic.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from classifier.errors import InputError

CONFIG = "HOTLINE_CONFIG"
NAME = "hotline.toml"


def settings_file() -> Path | None:
    """The file that holds settings, if there is one.

    Raises:
        InputError: `HOTLINE_CONFIG` names one that is not there.
    """
    named = os.environ.get(CONFIG)
    path = Path(named or NAME)
    if path.is_file():
        return path
    if named:
        raise InputError(f"{CONFIG} 指定的设置文件 {named} 不存在，请改正路径，或去掉该环境变量")
    return None


def read_file(path: Path) -> dict[str, Any]:
    """What the file says.

    Raises:
        InputError: it is no TOML, or cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editor begins with a mark
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        line = f"第 {place[1]} 行" if place else "末尾"
        raise InputError(f"设置文件 {path} 的{line}不合 TOML 的写法，文字要加引号，请改正") from error
    except UnicodeDecodeError as error:
        raise InputError(f"设置文件 {path} 不是 UTF-8 编码，请另存为 UTF-8") from error
    except OSError as error:
        raise InputError(f"设置文件 {path} 读不出来（{error.strerror}），请检查权限") from error

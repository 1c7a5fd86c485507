"""The small file beside an output that says what it is and what made it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import OutputError


def write_sidecar(path: Path, facts: Mapping[str, Any], known: str | None = None) -> Path:
    """Write `PATH.json` with the file's name, SHA-256 and `facts`; give its path.

    `known` is the SHA-256 where it is known already.

    Raises:
        OutputError: it cannot be written.
    """
    whole = {"file": path.name, "sha256": known or sha256(path), **facts}
    sidecar = path.with_name(f"{path.name}.json")
    part = sidecar.with_name(f".{sidecar.name}.{os.getpid()}")
    try:
        part.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        part.replace(sidecar)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{sidecar} 写不进去（{error.strerror}），请检查磁盘空间和权限") from error
    return sidecar


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

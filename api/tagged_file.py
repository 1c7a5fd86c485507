"""A file that `hotline batch` has written, read back: its tags, and the columns that it had before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.columns import Columns
from classifier.errors import InputError
from classifier.records import Chunk, as_text
from classifier.tag_columns import TAG_TYPES
from classifier.taxonomy import Taxonomy

_NEEDED = ("category_code", "first_code", "decision", "model_version")
_SHARES = [name for name in TAG_TYPES if name.endswith("_confidence")]


def columns_of(names: Sequence[str], given: Mapping[str, str], file: str) -> Columns:
    """Which of the input's own columns plays which role.

    Raises:
        InputError: the file has no tags, or no time at which work orders were received.
    """
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise InputError(
            f"{file} 没有打标结果（缺少 {'、'.join(missing)} 列）。"
            f"请改用 hotline batch {file} 输出文件 --record"
        )
    own = [name for name in names if name not in TAG_TYPES]
    return Columns.find(own, given, ("received_at",), file)


def tags_of(chunk: Chunk) -> pd.DataFrame:
    """The tags of a chunk's rows, as tagging gave them: texts, shares as numbers, else None."""
    there = {name: [as_text(cell).strip() or None for cell in chunk.frame[name]] for name in _there(chunk)}
    rows = len(chunk.frame)
    columns: dict[str, list[Any]] = {name: there.get(name, [None] * rows) for name in TAG_TYPES}
    for name in _SHARES:
        columns[name] = [_share(cell) for cell in columns[name]]
    for row, label in enumerate(columns["category_code"]):
        if label is None:
            columns["decision"][row] = "error"
    return pd.DataFrame(columns, dtype=object)


def _there(chunk: Chunk) -> list[str]:
    return [name for name in TAG_TYPES if name in chunk.frame.columns]


def _share(cell: object) -> float | None:
    """A confidence; a cell that is none tells nothing."""
    try:
        share = float(str(cell))
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def taxonomy_version_of(file: Path) -> str:
    """The taxonomy of a file's tags as its sidecar says, else the program's own."""
    try:
        said = json.loads(file.with_name(f"{file.name}.json").read_text(encoding="utf-8"))
        return str(said["taxonomy_version"])
    except (OSError, ValueError, KeyError, TypeError):
        return Taxonomy.load().version

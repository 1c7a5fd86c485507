"""The formats in which the feed is written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from classifier.errors import InputError

Format = Literal["ndjson", "csv", "xlsx", "parquet", "label-studio", "tsv"]

SUFFIXES: dict[str, Format] = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
    ".json": "label-studio",
    ".tsv": "tsv",
}


def format_of(path: Path, given: Format | None) -> Format:
    """The format that was asked for, or else that of the suffix.

    Raises:
        InputError: the suffix tells none, or is of another table format than was asked for.
    """
    by_suffix = SUFFIXES.get(path.suffix.lower())
    chosen = given or by_suffix
    if chosen is None:
        raise InputError(
            f"看不出 {path.name} 的格式，请以 {'、'.join(SUFFIXES)} 结尾，"
            f"或用 --format 指定（{'、'.join(get_args(Format))}）"
        )
    if chosen in ("csv", "xlsx", "parquet") and by_suffix != chosen:
        raise InputError(f"--format {chosen} 的输出文件名请以 .{chosen} 结尾")
    return chosen


def needs_text(chosen: Format) -> bool:
    """Whether a format is of no use without the texts."""
    return chosen in ("label-studio", "tsv")

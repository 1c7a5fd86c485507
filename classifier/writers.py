"""Write rows to csv, parquet or xlsx: `open_writer` goes by the suffix.

csv stands here, xlsx in `workbook`, parquet in `parquet_writer`, and what they share in `output`.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .errors import InputError
from .output import Writer, cells_of, explained, local
from .spans import Spans
from .table import as_text, is_missing
from .utf8 import Utf8

# What loads pandas and Arrow is imported where it is needed: a csv needs neither.
if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["SUFFIXES", "Writer", "open_writer"]

SUFFIXES = (".xlsx", ".csv", ".parquet")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, "CSV Injection"
_RISKY = frozenset(_FORMULA)
_NUMBER = re.compile(r"[+-]?[\d.,]*%?")  # -3.5 and +8613800138000 compute nothing


def open_writer(
    path: Path,
    columns: Sequence[str],
    *,
    types: Mapping[str, str | pa.DataType] | None = None,
    rows: int | None = None,
) -> Writer:
    """Give a writer for the format that the suffix names; it opens the file when it is entered.

    Args:
        columns: of the file, in order; every frame written must have them.
        types: for parquet, Arrow's types of some or all columns, or their names; the others are found, see
            `ParquetWriter`.
        rows: how many are to come, when that is known: an xlsx that cannot hold them is refused now.

    Raises:
        InputError: the suffix is not known, or xlsx cannot hold so many rows or columns.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return CsvWriter(path, columns)
    if suffix == ".xlsx":
        from .workbook import XlsxWriter

        return XlsxWriter(path, columns, rows)
    if suffix == ".parquet":
        from .parquet_writer import ParquetWriter

        return ParquetWriter(path, columns, types or {})
    raise InputError(
        f"不能写“{path.suffix or path.name}”格式的文件。输出文件名请以 {'、'.join(SUFFIXES)} 结尾。"
    )


class CsvWriter(Writer):
    r"""UTF-8 with byte order mark, by which Excel knows it, and lines that end in \r\n.

    \r\n as RFC 4180 has it; besides, Python 3.11 quotes a lone \r in a cell only then. A text that
    a spreadsheet would take for a formula gets a leading apostrophe; plain numbers stay.
    """

    def _begin(self, file: BinaryIO) -> None:
        header = codecs.BOM_UTF8 + _bytes(_lines([map(guarded, self.columns)]))
        self._sum = hashlib.sha256(header)
        file.write(header)

    def _append(self, frame: pd.DataFrame) -> None:
        lines = csv_lines(frame)
        # An empty cell that is alone on its line is quoted: else the line would be blank.
        self._put(_bytes([line or '""' for line in lines] if len(self.columns) == 1 else lines))

    def _put(self, content: bytes) -> None:
        self._file.write(content)
        self._sum.update(content)
        self._sync_beside()

    def write_lines(self, lines: bytes, rows: int) -> None:
        """Append rows that are lines already, with their ends.

        Raises:
            OutputError: the disk is full.
        """
        with explained(self.path):
            self._put(lines)
        self.rows += rows

    def _finish(self) -> None:
        self.sha256 = self._sum.hexdigest()


def csv_lines(frame: pd.DataFrame) -> list[str]:
    """The rows of a frame as they stand in a csv, without the end of the line."""
    return _guarded_lines(cells_of(column) for _, column in frame.items())


def taken_over(spans: Spans) -> Utf8:
    """The records of a csv as its lines without their ends, as they stood there but for the odd ones.

    Fields in quotes that need none stay so; what is odd is written anew, see `Spans.odd`.
    """
    odd = spans.odd
    if not len(odd):
        return spans.records
    anew = _guarded_lines(spans.texts(name, odd) for name in spans.columns)
    return spans.records.replaced(odd, Utf8.of(anew))


def csv_field(cell: object) -> str:
    """A cell as it stands in a csv beside others."""
    return _lines([[guarded(cell)]])[0]


def _bytes(lines: Sequence[str]) -> bytes:
    """Lines with their ends, as a csv holds them."""
    # A lone surrogate, as broken JSON brings it, has no UTF-8: it becomes a question mark.
    return "".join([f"{line}\r\n" for line in lines]).encode("utf-8", "replace")


class _Sink(list[str]):
    """Takes each line that `csv` writes."""

    write = list.append


def _lines(rows: Iterable[Iterable[str]]) -> list[str]:
    sink = _Sink()
    # The end comes off again, but with it a lone \r in a cell is quoted, in Python 3.11 too; and with a
    # further empty column an only one that is empty is not.
    csv.writer(sink, lineterminator="\r\n").writerows((*row, "") for row in rows)
    return [line[: -len(",\r\n")] for line in sink]


def _guarded_lines(columns: Iterable[Sequence[object]]) -> list[str]:
    return _lines(zip(*([_guarded(cell) for cell in cells] for cells in columns), strict=True))


def _guarded(cell: object) -> str:
    return cell if type(cell) is str and cell[:1] not in _RISKY else guarded(cell)


def guarded(cell: object) -> str:
    """Write a cell for a csv, so that no spreadsheet computes it."""
    text = as_text(local(cell)) if isinstance(cell, datetime) and not is_missing(cell) else as_text(cell)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text

"""Write rows to csv, parquet or xlsx: `open_writer` goes by the suffix.

csv and parquet stand here, xlsx in `workbook`, and what they share in `output`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import InputError, OutputError
from .output import Writer, cells_of, local, sound
from .table import as_text, is_missing
from .workbook import XlsxWriter

__all__ = ["SUFFIXES", "Writer", "open_writer"]

SUFFIXES = (".xlsx", ".csv", ".parquet")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, "CSV Injection"
_NUMBER = re.compile(r"[+-]?[\d.,]*%?")  # -3.5 and +8613800138000 compute nothing


def open_writer(
    path: Path, columns: Sequence[str], *, schema: pa.Schema | None = None, rows: int | None = None
) -> Writer:
    """Give a writer for the format that the suffix names; it opens the file when it is entered.

    Args:
        columns: of the file, in order; every frame written must have them.
        schema: for parquet, the types of some or all columns; the others are found, see `ParquetWriter`.
        rows: how many are to come, when that is known: an xlsx that cannot hold them is refused now.

    Raises:
        InputError: the suffix is not known, or xlsx cannot hold so many rows or columns.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        return XlsxWriter(path, columns, rows)
    if suffix == ".csv":
        return CsvWriter(path, columns)
    if suffix == ".parquet":
        return ParquetWriter(path, columns, schema)
    raise InputError(
        f"不能写“{path.suffix or path.name}”格式的文件。输出文件名请以 {'、'.join(SUFFIXES)} 结尾。"
    )


class CsvWriter(Writer):
    r"""UTF-8 with byte order mark, by which Excel knows it, and lines that end in \r\n.

    \r\n as RFC 4180 has it; besides, Python 3.11 quotes a lone \r in a cell only then. A text that
    a spreadsheet would take for a formula gets a leading apostrophe; plain numbers stay.
    """

    def _begin(self, file: BinaryIO) -> None:
        # A lone surrogate, as broken JSON brings it, has no UTF-8: it becomes a question mark.
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        self._csv = csv.writer(self._text, lineterminator="\r\n")
        self._csv.writerow([guarded(name) for name in self.columns])

    def _append(self, frame: pd.DataFrame) -> None:
        columns = [[guarded(cell) for cell in cells_of(frame.iloc[:, i])] for i in range(frame.shape[1])]
        self._csv.writerows(zip(*columns, strict=True))

    def _finish(self) -> None:
        self._text.flush()

    def _abandon(self) -> None:
        self._text.close()


class ParquetWriter(Writer):
    """Parquet with zstd, one row group for each write.

    A column has the type that `schema` gives it; otherwise that of its values in the first frame
    when they are typed (numbers, booleans, Arrow's types), and text when they are plain objects.
    """

    def __init__(self, path: Path, columns: Sequence[str], schema: pa.Schema | None) -> None:
        super().__init__(path, columns)
        self._given: dict[str, pa.DataType] = (
            dict(zip(schema.names, schema.types, strict=True)) if schema else {}
        )
        self._parquet: Any = None

    def _begin(self, file: BinaryIO) -> None:
        """Wait for the first frame: it tells the types."""

    def _append(self, frame: pd.DataFrame) -> None:
        if self._parquet is None:
            self._open([_type_of(frame.iloc[:, i]) for i in range(frame.shape[1])])
        schema: pa.Schema = self._parquet.schema
        arrays = [_arrow(frame.iloc[:, i], field, self.path) for i, field in enumerate(schema)]
        if len(frame):
            self._parquet.write_table(pa.Table.from_arrays(arrays, schema=schema))

    def _open(self, types: Sequence[pa.DataType]) -> None:
        pairs = zip(self.columns, types, strict=True)
        schema = pa.schema([(name, self._given.get(name, found)) for name, found in pairs])
        self._parquet = pq.ParquetWriter(self._file, schema, compression="zstd")

    def _finish(self) -> None:
        if self._parquet is None:
            self._open([pa.string()] * len(self.columns))
        self._parquet.close()

    def _abandon(self) -> None:
        if self._parquet is not None:
            self._parquet.close()


def guarded(cell: object) -> str:
    """Write a cell for a csv, so that no spreadsheet computes it."""
    text = as_text(local(cell)) if isinstance(cell, datetime) and not is_missing(cell) else as_text(cell)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _type_of(series: pd.Series[Any]) -> pa.DataType:
    if series.dtype == object:
        return pa.string()
    found = pa.array(series.iloc[:0], from_pandas=True).type
    return pa.string() if pa.types.is_large_string(found) else found


def _arrow(series: pd.Series[Any], field: pa.Field, path: Path) -> Any:
    """Turn a column into an Arrow array of the field's type.

    Raises:
        OutputError: a value is not of this type.
    """
    try:
        if series.dtype == object and (
            pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ):
            return pa.array([_sound_or_none(cell) for cell in series.tolist()], field.type)
        array = pa.array(series, type=None if series.dtype != object else field.type, from_pandas=True)
        return array if array.type == field.type else array.cast(field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Arrow's message quotes the value, which may be a citizen's text: so not `from error`.
        raise OutputError(f"{path.name} 的“{field.name}”列有的值不是 {field.type} 类型，没有写成。") from None


def _sound_or_none(cell: object) -> str | None:
    return None if is_missing(cell) else sound(as_text(cell))

"""Write rows to csv, parquet or xlsx: `open_writer` goes by the suffix.

csv and parquet stand here, xlsx in `workbook`, and what they share in `output`.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import InputError, OutputError
from .output import Writer, cells_of, explained, local, sound
from .spans import Spans
from .table import as_text, is_missing
from .utf8 import Utf8
from .workbook import XlsxWriter

__all__ = ["SUFFIXES", "Writer", "open_writer"]

SUFFIXES = (".xlsx", ".csv", ".parquet")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, "CSV Injection"
_RISKY = frozenset(_FORMULA)
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


def csv_lines(frame: pd.DataFrame) -> list[str]:
    """The rows of a frame as they stand in a csv, without the end of the line."""
    columns = [[_guarded(cell) for cell in cells_of(column)] for _, column in frame.items()]
    return _lines(zip(*columns, strict=True))


def taken_over(spans: Spans) -> Utf8:
    """The records of a csv as its lines without their ends, as they stood there but for the odd ones.

    Fields in quotes that need none stay so; what is odd is written anew, see `Spans.odd`.
    """
    return spans.records.replaced(spans.odd, Utf8.of(csv_lines(spans.frame(spans.odd))))


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


def _guarded(cell: object) -> str:
    return cell if type(cell) is str and cell[:1] not in _RISKY else guarded(cell)


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

"""Write xlsx by XlsxWriter, row by row, so that a year's file needs no more memory than a row.

Ids stay text, no text becomes a formula or a link, and two runs give identical bytes.
"""

from __future__ import annotations

import math
import shutil
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from .errors import InputError, OutputError
from .output import Writer, cells_of, local, sound
from .table import as_text, is_missing

MOST_ROWS = 1_048_575  # below the header
_MOST_COLUMNS = 16_384
_LONGEST = 32_767  # UTF-16 units, as Excel counts
_EXACT = 10**15  # Excel keeps 15 digits
_SAMPLE = 100  # rows that decide the widths
_FORMATS = {
    datetime: "yyyy-mm-dd hh:mm:ss",
    date: "yyyy-mm-dd",
    time: "hh:mm:ss",
    timedelta: "[h]:mm:ss",
}


class XlsxWriter(Writer):
    """One sheet: bold header that stays in view, a filter, widths by content."""

    def __init__(self, path: Path, columns: Sequence[str], rows: int | None) -> None:
        if rows is not None and rows > MOST_ROWS:
            raise InputError(_too_many(rows))
        if len(columns) > _MOST_COLUMNS:
            raise InputError(f"共 {len(columns)} 列，xlsx 最多 {_MOST_COLUMNS} 列。请改用 .csv 或 .parquet。")
        super().__init__(path, columns)
        self._folder = self._part.with_suffix(".tmp")  # of XlsxWriter's own files, on the same disk

    def _begin(self, file: BinaryIO) -> None:
        self._folder.mkdir()
        self._sink = _Sink(file)
        self._book = xlsxwriter.Workbook(
            self._sink,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "tmpdir": str(self._folder),
            },
        )
        self._book.use_zip64()  # only a sheet beyond 4 GiB makes use of it
        self._book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - a fixed one
        self._sheet = self._book.add_worksheet("数据")
        self._formats = {kind: self._book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        self._bold = self._book.add_format({"bold": True})
        for column, name in enumerate(self.columns):
            self._text(0, column, name, self._bold)
        self._sheet.freeze_panes(1, 0)

    def _append(self, frame: pd.DataFrame) -> None:
        if self.rows + len(frame) > MOST_ROWS:
            raise OutputError(_too_many(self.rows + len(frame)))
        columns = [cells_of(frame.iloc[:, i]) for i in range(frame.shape[1])]
        if not self.rows:
            self._set_widths(columns)
        for row, cells in enumerate(zip(*columns, strict=True), self.rows + 1):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    self._text(row, column, cell)
                elif cell is not None:
                    self._value(row, column, cell)

    def _text(self, row: int, column: int, text: str, form: Any = None) -> None:
        """Write a text as text; an empty one leaves the cell empty."""
        if not text:
            return
        text = sound(text)
        if len(text) > _LONGEST // 2 and len(units := text.encode("utf-16-le")) > 2 * _LONGEST:
            text = units[: 2 * _LONGEST].decode("utf-16-le", "ignore")  # never half a character
            self.cut += 1
        if text.startswith("<r>") and text.endswith("</r>"):
            text = f"{text[: _LONGEST - 1]} "  # XlsxWriter would pass it on as markup
        self._sheet.write_string(row, column, text, form)

    def _value(self, row: int, column: int, cell: object) -> None:
        if is_missing(cell):
            return
        if isinstance(cell, bool):
            self._sheet.write_boolean(row, column, cell)
        elif isinstance(cell, int | float) and _is_number(cell):
            self._sheet.write_number(row, column, cell)
        elif isinstance(cell, date | time | timedelta):
            self._moment(row, column, cell)
        else:
            self._text(row, column, as_text(cell))

    def _moment(self, row: int, column: int, cell: date | time | timedelta) -> None:
        cell = local(cell) if isinstance(cell, datetime) else cell
        kind = next(kind for kind in _FORMATS if isinstance(cell, kind))
        if isinstance(cell, date) and cell.year < 1900:  # before Excel's first day
            self._text(row, column, as_text(cell))
        else:
            self._sheet.write_datetime(row, column, cell, self._formats[kind])

    def _set_widths(self, columns: Sequence[Sequence[object]]) -> None:
        for column, (name, cells) in enumerate(zip(self.columns, columns, strict=True)):
            longest = max(map(_width, [name, *map(as_text, cells[:_SAMPLE])]))
            self._sheet.set_column(column, column, min(max(longest + 2, 8), 60))

    def _finish(self) -> None:
        if self.columns:
            self._sheet.autofilter(0, 0, self.rows, len(self.columns) - 1)
        try:
            self._book.close()
        except FileCreateError as error:
            raise error.args[0] from None  # the OSError that it wraps
        shutil.rmtree(self._folder, ignore_errors=True)

    def _abandon(self) -> None:
        try:
            self._sink.closed = True
            with suppress(OSError):  # what it has buffered no longer fits
                self._sheet.row_data_fh.close()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


class _Sink:
    """A file that forgets what comes after it was given up.

    A zip that failed half-way writes its directory when it is collected, to a file closed by then.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.closed = False

    def write(self, data: bytes) -> int:
        return len(data) if self.closed else self._file.write(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0 if self.closed else self._file.seek(offset, whence)

    def tell(self) -> int:
        return 0 if self.closed else self._file.tell()

    def flush(self) -> None:
        if not self.closed:
            self._file.flush()


def _is_number(number: float) -> bool:
    """Say whether Excel keeps this number as it is; a long integer is an id, and is kept as text."""
    return math.isfinite(number) and (isinstance(number, float) or abs(number) < _EXACT)


def _width(text: str) -> int:
    """Count columns as a monospaced font has them: a Chinese character takes two."""
    line = text[:60].split("\n", 1)[0]
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in line)


def _too_many(rows: int) -> str:
    return f"至少 {rows} 行，xlsx 的一张表最多 {MOST_ROWS} 行数据。请输出为 .csv 或 .parquet。"

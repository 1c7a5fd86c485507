"""Read a sheet of an Excel workbook (xlsx, xlsm, xls), with calamine: ten times as fast as openpyxl.

Cells stay what Excel stored: numbers are floats there, also those that a person takes for an id.
Formulas come as their last value, error values and empty cells as "".
"""

from __future__ import annotations

import difflib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from .columns import find_header, known_roles
from .errors import InputError
from .table import Chunk, Records, as_text, check_rows, frame_of, name_columns, note_header

_HEADER_WITHIN = 20  # filled or not, the sheet's first rows
_ROUNDED = 1e15  # Excel keeps 15 digits: longer numbers end in zeros that were other digits
_MOST_CELLS = 200_000_000  # 32 bytes each while the sheet is read
_EXTENT = re.compile(rb'ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the stream that holds an xlsx with a password


class SheetRecords(Records):
    """The records of one sheet: object cells as they stood."""

    def __init__(self, path: Path, sheet: str | None = None, notes: Sequence[str] = ()) -> None:
        with _workbook(path) as workbook:
            chosen, others = _choose(workbook, sheet, path)
        self._sheet, header, width = chosen.sheet, chosen.header, chosen.width
        self._first = header + 1  # of the sheet's rows, from 0
        found = _survey(self._sheet, self._first)
        width = max(width, found.width)
        names = (chosen.names + [""] * width)[:width]
        super().__init__(path, name_columns(names), notes)
        self.total = found.rows
        self.row_bytes = 3 * found.characters / max(found.rows, 1)
        above = sum(any(row) for row in islice(self._sheet.iter_rows(), header))
        self.notes += note_header(header, above) + _note_others(self._sheet.name, others)
        self.notes += [
            f"“{self.columns[column]}”列有 {count} 个超过 15 位的数字，Excel 只保留前 15 位，其后已变成 0；"
            "请把该列设为文本后重新导出。"
            for column, count in sorted(found.rounded.items())
        ]
        check_rows(self.total, path)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Read the rows in order; see `Records.chunks`."""
        width = len(self.columns)
        rows = islice(self._sheet.iter_rows(), self._first, self._first + self.total)
        start = 0
        while batch := list(islice(rows, size)):
            cells = [row[:width] for row in batch]
            number = self._first + start + 1
            yield Chunk(start, frame_of(cells, self.columns), range(number, number + len(batch)))
            start += len(batch)


@dataclass(frozen=True)
class _Chosen:
    """A sheet with its header row (from 0) and what that holds, to its last filled cell."""

    sheet: CalamineSheet
    header: int
    names: list[str]

    @property
    def width(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class _Survey:
    """What stands below a header."""

    rows: int  # to the last that is not empty
    width: int  # to the last column that is not empty
    characters: int
    rounded: dict[int, int]  # column -> numbers of which Excel lost digits


def _workbook(path: Path) -> CalamineWorkbook:
    try:
        with path.open("rb") as file:  # as an object: calamine then looks at the content, not the suffix
            return CalamineWorkbook.from_filelike(file)
    except PasswordError as error:
        raise InputError(encrypted(path)) from error
    except CalamineError as error:
        raise InputError(_damaged(path)) from error
    except BaseException as error:
        _check_panic(error, path)
        raise


def check_extent(path: Path) -> None:
    """Refuse an xlsx whose cells reach so far that calamine, which holds the whole area, would die of it.

    A blank typed by mistake into the last row and column is enough: 17 billion cells.
    """
    for name, start in _sheet_parts(path):
        found = _EXTENT.search(start)
        if found and _cells(*found.groups()) > _MOST_CELLS:
            raise InputError(
                f"{path.name} 的 {name} 范围大到 {found[0].decode()[5:-1]}，多半是远处误填了内容。"
                "请用 Excel 删除数据以外的行和列，或把数据复制到新工作簿再试。"
            )


def _sheet_parts(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read the first bytes of every sheet, where its extent stands."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.startswith("xl/worksheets/sheet") and name.endswith(".xml"):
                    with archive.open(name) as part:
                        yield name.removeprefix("xl/worksheets/"), part.read(4096)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(_damaged(path)) from error


def _cells(left: bytes, top: bytes, right: bytes, bottom: bytes) -> int:
    """Count the cells of an area such as A1:XFD1048576."""

    def column(letters: bytes) -> int:
        return reduce(lambda total, letter: total * 26 + letter - 64, letters, 0)

    return (column(right) - column(left) + 1) * (int(bottom) - int(top) + 1)


def encrypted(path: Path) -> str:
    """Say that a workbook has a password."""
    return f"{path.name} 已加密（设有打开密码）。请用 Excel 打开，取消密码后另存为 .xlsx。"


def _damaged(path: Path) -> str:
    return f"{path.name} 已损坏或不是 Excel 工作簿。请用 Excel 打开后另存为 .xlsx 再试。"


def _check_panic(error: BaseException, path: Path) -> None:
    """Turn a panic of calamine's into ours: its class cannot be imported and is no `Exception`."""
    if type(error).__name__ == "PanicException":
        raise InputError(_damaged(path)) from error


def _load(workbook: CalamineWorkbook, name: str, path: Path) -> CalamineSheet:
    try:
        return workbook.get_sheet_by_name(name)
    except CalamineError as error:
        raise InputError(_damaged(path)) from error
    except BaseException as error:
        _check_panic(error, path)
        raise


def _choose(workbook: CalamineWorkbook, given: str | None, path: Path) -> tuple[_Chosen, list[str]]:
    """Choose the given sheet, or the first with a known column, or the first with data; name the others.

    Hidden sheets hold the lists of drop-down fields: they are read only when nothing else is there.
    """
    sheets = [meta for meta in workbook.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    shown = [meta.name for meta in sheets if meta.visible == SheetVisibleEnum.Visible]
    names = shown + [meta.name for meta in sheets if meta.name not in shown]
    if given is not None:
        chosen = _with_header(_load(workbook, _named(given, names, path), path))
        if chosen is None:
            raise InputError(f"{path.name} 的工作表“{given}”是空的。")
        return chosen, []
    first: _Chosen | None = None
    for name in names:
        if first and name not in shown:
            break
        chosen = _with_header(_load(workbook, name, path))
        if chosen and known_roles(chosen.names):
            first = chosen
            break
        first = first or chosen
    if first is None:
        raise InputError(f"{path.name} 里没有数据：所有工作表都是空的。")
    return first, [name for name in shown if name != first.sheet.name]


def _named(given: str, names: list[str], path: Path) -> str:
    if given in names:
        return given
    close = difflib.get_close_matches(given, names, n=1)
    hint = f"是不是“{close[0]}”？" if close else ""
    raise InputError(f"{path.name} 没有工作表“{given}”。{hint}现有：{'、'.join(names)}。")


def _with_header(sheet: CalamineSheet) -> _Chosen | None:
    """Find the sheet's header, or None when the sheet is empty."""
    rows = [[as_text(cell) for cell in row] for row in islice(sheet.iter_rows(), _HEADER_WITHIN)]
    header = find_header(rows)
    if header is None:  # data that begin far below
        for header, row in enumerate(sheet.iter_rows()):  # noqa: B007 - used behind the loop
            if any(map(_filled, row)):
                rows = [[as_text(cell) for cell in row]]
                break
        else:
            return None
    names = rows[header] if header < len(rows) else rows[0]
    width = max((i for i, name in enumerate(names, 1) if name.strip()), default=0)
    return _Chosen(sheet, header, names[:width])


def _survey(sheet: CalamineSheet, first: int) -> _Survey:
    """Look once at every cell from row `first` on."""
    rows = width = characters = 0
    rounded: dict[int, int] = {}
    for index, row in enumerate(islice(sheet.iter_rows(), first, None), 1):
        last = len(row)
        while last and not _filled(row[last - 1]):
            last -= 1
        if last:
            rows = index
            width = max(width, last)
        for column, cell in enumerate(row):
            if type(cell) is str:
                characters += len(cell)
            elif type(cell) is float and abs(cell) >= _ROUNDED:
                rounded[column] = rounded.get(column, 0) + 1
    return _Survey(rows, width, characters, rounded)


def _filled(cell: Any) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


def _note_others(name: str, others: list[str]) -> list[str]:
    if not others:
        return []
    return [f"读取的是工作表“{name}”；另有工作表 {'、'.join(others)} 未读，可用 --sheet 指定。"]

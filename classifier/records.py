"""Open a year's file, whatever an office hands over, as records in chunks.

What reads workbooks and parquet is imported where it is needed: a csv needs neither pandas nor Arrow.
The suffix says what a file is, its first bytes say what it really is. Where the two differ and the
content can be read safely, it is read as what it is, with a note; else the error says what to do.
"""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path

from .delimited import DelimitedRecords
from .errors import InputError
from .table import PIECE_BYTES, PIECE_ROWS, Chunk, Piece, Records, as_text

__all__ = ["FORMATS", "PIECE_BYTES", "PIECE_ROWS", "Chunk", "Piece", "Records", "as_text", "open_records"]

FORMATS = {
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
}
"""Suffix -> what a file of this name should hold."""

_CALLED = {"xlsx": " xlsx 工作簿", "xls": "旧版 xls 工作簿", "csv": "文本（csv）", "parquet": " parquet"}
_BOM16 = (b"\xff\xfe", b"\xfe\xff")
_ODD_BYTES = bytes({*range(0x20)} - {*b"\t\n\v\f\r\x1b"})  # hardly any text has one, any binary has


def open_records(path: Path, *, sheet: str | None = None, encoding: str | None = None) -> Records:
    """Open a file of records; the columns are known then, and damage mostly shows.

    Args:
        sheet: the sheet of a workbook; otherwise the first with data.
        encoding: of a csv; otherwise it is found.

    Raises:
        InputError: the file is not there, empty, damaged, encrypted or of a format not known.
    """
    path = Path(path)
    expected = FORMATS.get(path.suffix.lower())
    if expected is None:
        raise InputError(
            f"不能读取“{path.suffix or path.name}”格式的文件。可以读取：{'、'.join(FORMATS)}。"
            "请从系统导出为其中一种，或用 Excel 另存为 .xlsx。"
        )
    try:
        kind = _kind(path, expected)
        notes = _notes(path, kind, expected, sheet, encoding)
        if kind == "csv":
            return DelimitedRecords(path, encoding, notes)
        if kind == "parquet":
            from .parquet import ParquetRecords

            return ParquetRecords(path, notes)
        from .sheets import SheetRecords

        return SheetRecords(path, sheet, notes)
    except OSError as error:
        raise InputError(_unreadable(path, error)) from error


def _kind(path: Path, expected: str) -> str:
    """Say what the file holds by its first bytes: xlsx, xls, csv or parquet.

    Raises:
        InputError: it holds nothing, or something that cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(8192)
    if not start:
        raise InputError(f"{path.name} 是空文件（0 字节）。请重新导出。")
    if start.startswith(b"PK\x03\x04"):
        from .sheets import check_extent

        _check_workbook(path)
        check_extent(path)
        return "xlsx"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        from .trial import check_opens

        _check_encryption(path)
        check_opens(path)
        return "xls"
    if start.startswith(b"PAR1"):
        return "parquet"
    _check_markup(path, start)
    if expected != "csv" and (expected == "parquet" or not _is_text(start)):
        raise InputError(_contradicts(path, expected))
    return "csv"


def _check_workbook(path: Path) -> None:
    """Refuse a zip that is damaged or holds something else than an Excel workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError(
            f"{path.name} 已损坏（可能没有下载完整）。请重新导出，或用 Excel 打开修复后另存为 .xlsx。"
        ) from error
    if not any(name.startswith("xl/workbook") for name in names):
        raise InputError(f"{path.name} 是压缩包，不是 Excel 工作簿。请解压，或用 Excel 打开后另存为 .xlsx。")


def _check_encryption(path: Path) -> None:
    from .sheets import ENCRYPTED, encrypted

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(ENCRYPTED) >= 0:
            raise InputError(encrypted(path))


def _check_markup(path: Path, start: bytes) -> None:
    """Refuse a web page that goes by the name of a workbook, as many systems export it."""
    begins = start.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if begins.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head", b"<style")):
        raise InputError(
            f"{path.name} 的内容是网页（HTML 或 XML），不是表格文件。请用 Excel 打开后另存为 .xlsx。"
        )


def _is_text(start: bytes) -> bool:
    odd = len(start) - len(start.translate(None, _ODD_BYTES))
    return start.startswith(_BOM16) or odd <= len(start) // 1000 + 1


def _contradicts(path: Path, expected: str) -> str:
    if expected == "parquet":
        return f"{path.name} 已损坏或不是 parquet 文件。请从来源系统重新导出，或改用 .xlsx、.csv。"
    return (
        f"{path.name} 的内容不是{_CALLED[expected]}，也不是可以读取的其他格式，可能已损坏。"
        "请重新导出，或用 Excel 打开后另存为 .xlsx。"
    )


def _notes(path: Path, kind: str, expected: str, sheet: str | None, encoding: str | None) -> list[str]:
    notes = []
    if kind != expected:
        notes.append(f"扩展名是 {path.suffix}，内容是{_CALLED[kind]}，按内容读取。")
    if sheet is not None and kind not in {"xlsx", "xls"}:
        notes.append("文件不是 Excel 工作簿，指定的工作表名未用。")
    if encoding is not None and kind != "csv":
        notes.append("文件不是 csv，指定的编码未用。")
    return notes


def _unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"找不到文件 {path}。请检查路径和文件名。"
    if isinstance(error, IsADirectoryError):
        return f"{path} 是文件夹。请指定其中的一个文件。"
    if isinstance(error, PermissionError):
        return f"没有读取 {path} 的权限。请检查文件权限，或确认它没有被其他程序独占。"
    return f"无法读取 {path}（{error.strerror or type(error).__name__}）。请检查磁盘或网络盘后再试。"

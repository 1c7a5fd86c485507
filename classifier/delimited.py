"""Read csv, tsv and txt: encoding and delimiter are found, a stray quote is not let through.

The file is read twice before the first chunk: once for the encoding, once to count the rows and to
find a quote that is never closed. Both are quick beside tagging, and an error shows at once.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from .columns import find_header, known_roles
from .errors import InputError
from .table import Chunk, Records, check_rows, frame_of, name_columns, note_header

_BLOCK = 1 << 20  # bytes
_BAD_SHARE = 0.01  # of the lines: more undecodable ones than this, and the encoding is another
_LONGEST_CELL = 16_000_000  # characters
_HEADER_WITHIN = 20  # records
_Row: TypeAlias = tuple[int, list[str]]  # the line that a record begins on, and its fields
_DELIMITERS = {",": "逗号", "\t": "制表符", ";": "分号"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's, so it goes before
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class DelimitedRecords(Records):
    """The records of a csv: every cell a str."""

    def __init__(self, path: Path, encoding: str | None = None, notes: Sequence[str] = ()) -> None:
        found = _find_encoding(path, encoding)
        self.path, self._encoding = path, found.name
        self._mended = bool(found.bad)  # bytes were replaced, so U+FFFD tells of a problem
        head, self._delimiter = _find_delimiter(path, found.name)
        header = _header(head)
        if header is None:
            self._check_quotes()
            raise InputError(f"{path.name} 是空文件，没有表头和数据。")
        self._header = header
        remarks = [*notes, *found.notes, *note_header(head[header][0] - 1, header)]
        if self._delimiter != ",":
            remarks.append(f"各列以{_DELIMITERS[self._delimiter]}分隔。")
        super().__init__(path, name_columns(head[header][1]), None, remarks)
        self.total: int = self._count()
        check_rows(self.total, path)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Read the rows in order; see `Records.chunks`."""
        with closing(self._rows()) as rows:
            start = 0
            while batch := list(islice(rows, min(size, self.total - start))):
                yield self._chunk(start, batch)
                start += len(batch)

    def _rows(self) -> Generator[_Row, None, None]:
        """Read line number and fields of every row below the header, empty ones at the end included."""
        rows = _rows(self.path, self._encoding, self._delimiter)
        wide = len(self.columns) > 1
        with closing(rows):
            for line, fields in islice(rows, self._header + 1, None):
                if len(fields) > 1 or not wide or fields[0].strip():  # else a blank line
                    yield line, fields

    def _check_quotes(self) -> None:
        for _ in _rows(self.path, self._encoding, self._delimiter):
            pass

    def _count(self) -> int:
        """Count the rows up to the last that is not empty: Excel likes to export `,,,,` behind them."""
        total = 0
        with closing(self._rows()) as rows:
            for index, (_, fields) in enumerate(rows, 1):
                if any(fields) or len(self.columns) == 1:
                    total = index
        return total

    def _chunk(self, start: int, batch: list[_Row]) -> Chunk:
        width = len(self.columns)
        problems: dict[int, str] = {}
        for index, (_, fields) in enumerate(batch):
            if self._mended and any("\ufffd" in cell for cell in fields):
                problems[index] = "有无法解码的字节，已显示为 \ufffd"
            if len(fields) < width:
                fields.extend([""] * (width - len(fields)))
            elif len(fields) > width:
                if any(cell.strip() for cell in fields[width:]):
                    problems[index] = f"有 {len(fields)} 个字段，表头只有 {width} 列，多出的未读"
                del fields[width:]
        frame = frame_of([fields for _, fields in batch], self.columns)
        return Chunk(start, frame, [line for line, _ in batch], problems)


@dataclass(frozen=True)
class _Encoding:
    name: str
    bad: int  # lines with bytes that are none of this encoding's
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lines:
    """How many lines a file has when it is read in an encoding, with bad bytes replaced."""

    all: int
    foreign: int  # those beyond ASCII: only they can tell one encoding from another
    bad: int
    first_bad: int  # its line number


def _find_encoding(path: Path, given: str | None) -> _Encoding:
    """Find the encoding in which the whole file can be read, or all but a few lines of it."""
    with path.open("rb") as file:
        start = file.read(4)
    bom = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    if given or bom:
        return _only(path, bom if bom and _is_same(bom, given) else str(given))
    if _first_bad_byte(path, "utf-8") is None:
        return _Encoding("utf-8", 0)
    utf8 = _read_lines(path, "utf-8")
    # Chinese in GB18030 is hardly ever sound UTF-8, but short UTF-8 may pass for GB18030: so a
    # few bad lines in UTF-8 are damage rather than another encoding.
    if utf8.bad < _BAD_SHARE * utf8.foreign:
        return _mended("utf-8", utf8)
    if _first_bad_byte(path, "gb18030") is None:
        return _Encoding("gb18030", 0, ("编码按 GB18030 读取。",))
    gb = _read_lines(path, "gb18030")
    return _checked(path, "gb18030", gb) if gb.bad < utf8.bad else _checked(path, "utf-8", utf8)


def _is_same(bom: str, given: str | None) -> bool:
    """Say whether the encoding that the byte order mark names may be read as the one that was given."""
    return not given or codecs.lookup(bom).name.startswith(_lookup(given).name[:6])


def _lookup(encoding: str) -> codecs.CodecInfo:
    try:
        b"a".decode(encoding, "ignore")  # refuses also what is no encoding of text, such as "hex"
        return codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise InputError(f"不认识编码“{encoding}”。可用的有 utf-8、gb18030、utf-16、big5。") from error


def _only(path: Path, encoding: str) -> _Encoding:
    name = _lookup(encoding).name
    if _first_bad_byte(path, name) is None:
        return _Encoding(name, 0)
    return _checked(path, name, _read_lines(path, name))


def _checked(path: Path, name: str, lines: _Lines) -> _Encoding:
    """Accept an encoding with a few bad lines, refuse one with many."""
    if lines.bad < _BAD_SHARE * lines.all:
        return _mended(name, lines)
    byte = _first_bad_byte(path, name)
    raise InputError(
        f"{path.name} 的编码无法识别：按 {_people(name)} 读取，{lines.all} 行中有 {lines.bad} 行不通，"
        f"最先是第 {lines.first_bad} 行（第 {byte} 字节）。请用 --encoding 指定编码，或另存为 UTF-8 后再试。"
    )


def _mended(name: str, lines: _Lines) -> _Encoding:
    note = (
        f"编码按 {_people(name)} 读取，其中 {lines.bad} 行有无法解码的字节（最先是第 {lines.first_bad} 行）。"
    )
    return _Encoding(name, lines.bad, (note,))


def _people(encoding: str) -> str:
    return encoding.upper().removesuffix("-SIG")


def _first_bad_byte(path: Path, encoding: str) -> int | None:
    """Give the offset of the first byte that is not of this encoding, decoding block by block."""
    # "utf-8-sig" would count from behind the mark, which is sound UTF-8 itself
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))()
    done = 0  # bytes before this block
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            kept = len(decoder.getstate()[0])  # bytes of a character cut in two by the last block's end
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return done - kept + error.start
            done += len(block)
            if not block:
                return None


def _read_lines(path: Path, encoding: str) -> _Lines:
    total = foreign = bad = first_bad = 0
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        for total, line in enumerate(file, 1):
            foreign += not line.isascii()
            if "\ufffd" in line:
                bad += 1
                first_bad = first_bad or total
    return _Lines(total, foreign, bad, first_bad)


def _find_delimiter(path: Path, encoding: str) -> tuple[list[_Row], str]:
    """Give the first records, and the delimiter by which their header tells the most columns."""

    def told(head: list[_Row]) -> tuple[int, int]:
        header = _header(head)
        fields = [] if header is None else head[header][1]
        return known_roles(fields), len(fields)

    heads = [(_head(path, encoding, delimiter), delimiter) for delimiter in _DELIMITERS]
    return max(heads, key=lambda pair: told(pair[0]))  # the first of equals: the comma


def _head(path: Path, encoding: str, delimiter: str) -> list[_Row]:
    """Read the first records, fewer when a quote fails: that may be because of a wrong delimiter."""
    head: list[_Row] = []
    with closing(_rows(path, encoding, delimiter)) as rows, suppress(InputError):
        for row in islice(rows, _HEADER_WITHIN):
            head.append(row)
    return head


def _header(head: list[_Row]) -> int | None:
    return find_header([fields for _, fields in head])


def _rows(path: Path, encoding: str, delimiter: str) -> Generator[_Row, None, None]:
    """Read the records that are not blank lines, each with the line that it begins on.

    Raises:
        InputError: a quote is not closed, or text follows where it is.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))  # the process's; never lowered
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines: list[str] = []  # of the record that is being read, to find the quote when it fails
        reader = csv.reader(_kept(file, lines.append), delimiter=delimiter, strict=True)
        before = 0
        try:
            for fields in reader:
                lines.clear()
                if fields:
                    yield before + 1, fields
                before = reader.line_num
        except csv.Error as error:
            line = before + _opening_line(lines, delimiter)
            raise InputError(
                f"{path.name} 第 {line} 行的引号没有正确配对，无法分清其后的各列。"
                "请检查该行：单元格内的引号应写成两个，或用 Excel 打开后另存为 .xlsx。"
            ) from error


def _kept(lines: Iterable[str], keep: Callable[[str], None]) -> Iterator[str]:
    for line in lines:
        keep(line)
        yield line


def _opening_line(lines: list[str], delimiter: str) -> int:
    """Give the line, from 1, of the last quote that opened a field in a record that failed."""
    opened, state = 1, "start"
    for number, line in enumerate(lines, 1):
        for char in line:
            if state == "quoted":
                state = "closed" if char == '"' else state
            elif char == delimiter:
                state = "start"
            elif char == '"' and state == "start":
                opened, state = number, "quoted"
            elif char == '"' and state == "closed":  # the second of two stands for one
                state = "quoted"
            elif state == "closed":  # text behind the closing quote: here it failed
                return opened
            else:
                state = "plain"
    return opened

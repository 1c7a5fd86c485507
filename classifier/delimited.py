"""Read csv, tsv and txt: encoding and delimiter are found, a stray quote is not let through.

The file is read twice before the first chunk: once for the encoding, once to count the rows and to
find a quote that is never closed. Both are quick beside tagging, and an error shows at once. The second
reading also cuts it in slices, each of which another process may read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from .columns import find_header, known_roles
from .encodings import find_encoding
from .errors import InputError
from .slices import Slice, find_slices
from .spans import Spans
from .table import Chunk, Piece, Records, check_rows, frame_of, name_columns, note_header

_LONGEST_CELL = 16_000_000  # characters
_HEADER_WITHIN = 20  # records
_Row: TypeAlias = tuple[int, list[str]]  # the line that a record begins on, and its fields
_DELIMITERS = {",": "逗号", "\t": "制表符", ";": "分号"}


class DelimitedRecords(Records):
    """The records of a csv: every cell a str."""

    def __init__(self, path: Path, encoding: str | None = None, notes: Sequence[str] = ()) -> None:
        found = find_encoding(path, encoding)
        head, delimiter = _find_delimiter(path, found.name)
        header = _header(head)
        if header is None:
            for _ in _rows(path, found.name, delimiter):
                pass  # a quote that is not closed is told rather than an empty file
            raise InputError(f"{path.name} 是空文件，没有表头和数据。")
        self._header = header
        remarks = [*notes, *found.notes, *note_header(head[header][0] - 1, header)]
        if delimiter != ",":
            remarks.append(f"各列以{_DELIMITERS[delimiter]}分隔。")
        super().__init__(path, name_columns(head[header][1]), remarks)
        self._layout = _Layout(path, found.name, delimiter, tuple(self.columns), bool(found.bad))
        sound = not found.bad
        self._slices = find_slices(path, found.name, delimiter, header, len(self.columns)) if sound else None
        if self._slices:
            self.total = self._slices[-1].start + self._slices[-1].rows
        else:
            self.total = self._count()
        check_rows(self.total, path)
        self.row_bytes = path.stat().st_size / self.total

    def pieces(self) -> Iterator[Piece]:
        """Slices that are not read yet, where the file is sound; see `Records.pieces`."""
        if not self._slices:
            return super().pieces()
        return (_Unread(self._layout, one) for one in self._slices)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Read the rows in order; see `Records.chunks`."""
        with closing(self._rows()) as rows:
            start = 0
            while batch := list(islice(rows, min(size, self.total - start))):
                yield self._layout.chunk(start, batch)
                start += len(batch)

    def _rows(self) -> Generator[_Row, None, None]:
        """Read line number and fields of every row below the header, empty ones at the end included."""
        with closing(_rows(self.path, self._layout.encoding, self._layout.delimiter)) as rows:
            yield from self._layout.filled(islice(rows, self._header + 1, None))

    def _count(self) -> int:
        """Count the rows up to the last that is not empty: Excel likes to export `,,,,` behind them."""
        total = 0
        with closing(self._rows()) as rows:
            for index, (_, fields) in enumerate(rows, 1):
                if any(fields) or len(self.columns) == 1:
                    total = index
        return total


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the lines of a csv are read."""

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    mended: bool  # bytes were replaced, so U+FFFD tells of a problem

    def filled(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """The rows but for blank lines."""
        wide = len(self.columns) > 1
        return (row for row in rows if len(row[1]) > 1 or not wide or row[1][0].strip())

    def read(self, one: Slice) -> Chunk:
        """Read a slice of the file."""
        block = one.read(self.path, self.encoding)
        if spans := Spans.find(block, self.delimiter, one.rows, self.columns):
            return Chunk(one.start, spans, (spans.places.lines + one.line + 1).tolist())
        lines = io.StringIO(block.decode(), newline="")
        rows = self.filled(_records(lines, self.delimiter, self.path, one.line))
        return self.chunk(one.start, list(islice(rows, one.rows)))

    def chunk(self, start: int, batch: list[_Row]) -> Chunk:
        width = len(self.columns)
        problems: dict[int, str] = {}
        for index, (_, fields) in enumerate(batch):
            if self.mended and any("\ufffd" in cell for cell in fields):
                problems[index] = "有无法解码的字节，已显示为 \ufffd"
            if len(fields) < width:
                fields.extend([""] * (width - len(fields)))
            elif len(fields) > width:
                if any(cell.strip() for cell in fields[width:]):
                    problems[index] = f"有 {len(fields)} 个字段，表头只有 {width} 列，多出的未读"
                del fields[width:]
        frame = frame_of([fields for _, fields in batch], self.columns)
        return Chunk(start, frame, [line for line, _ in batch], problems)


@dataclass(frozen=True, slots=True)
class _Unread:
    """A piece of a csv that is still to be read."""

    layout: _Layout
    slice: Slice

    @property
    def start(self) -> int:
        return self.slice.start

    def chunk(self) -> Chunk:
        return self.layout.read(self.slice)


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
    """Read the records of a file; see `_records`."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        yield from _records(file, delimiter, path)


def _records(text: Iterable[str], delimiter: str, path: Path, above: int = 0) -> Generator[_Row, None, None]:
    """The records that are not blank lines, each with the line that it begins on; `above` lines go before.

    Raises:
        InputError: a quote is not closed, or text follows where it is.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))  # the process's; never lowered
    lines: list[str] = []  # of the record that is being read, to find the quote when it fails
    reader = csv.reader(_kept(text, lines.append), delimiter=delimiter, strict=True)
    before = above
    try:
        for fields in reader:
            lines.clear()
            if fields:
                yield before + 1, fields
            before = above + reader.line_num
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

"""A csv in slices of whole records, found without reading its cells: each process reads its own.

The compiled kernel finds where records end. Where it cannot be sure there are no slices, and the file
is read from end to end by Python's own reader.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .csv_kernel import Extent, find_records
from .table import PIECE_BYTES, PIECE_ROWS

_PLAIN = {"utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "ascii"}  # see records.c
_UTF8 = {"utf-8", "utf-8-sig", "ascii"}
_LONGEST = 16 * PIECE_BYTES  # of a record, before csv.reader is asked whether it may be so long


@dataclass(frozen=True, slots=True)
class Slice:
    """Whole records of a csv: where they stand, and how many rows they are."""

    start: int  # 0-based index of the first row among the file's data rows
    rows: int
    line: int  # lines of the file before it
    offset: int  # bytes
    until: int

    def read(self, path: Path, encoding: str) -> bytes:
        """The records in UTF-8, whatever the file is in."""
        with path.open("rb") as file:
            file.seek(self.offset)
            block = file.read(self.until - self.offset)
        return block if encoding in _UTF8 else block.decode(encoding).encode()


def find_slices(path: Path, encoding: str, delimiter: str, header: int, width: int) -> list[Slice] | None:
    """The rows of a sound csv below its header, which is record `header` from 0; None if unsure.

    Rows behind the last one that is not empty are left out: Excel likes to export `,,,,` there.
    """
    if encoding not in _PLAIN or not delimiter.isascii():
        return None
    size = path.stat().st_size
    slices: list[Slice] = []
    with path.open("rb") as file:
        offset = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0
        line = start = filled = 0
        above = header + 1  # records that are no rows, still to be passed
        while offset < size:
            found = _next(file, offset, size, delimiter, above or PIECE_ROWS, wide=not above and width > 1)
            if found is None:
                return None
            if above:
                above -= found.rows
            else:
                slices.append(Slice(start, found.rows, line, offset, offset + found.used))
                filled = start + found.filled if found.filled else filled
                start += found.rows
            offset += found.used
            line += found.lines
    return _cut(slices, filled)


def _next(file: BinaryIO, offset: int, size: int, delimiter: str, most: int, *, wide: bool) -> Extent | None:
    """The records from `offset` on: about PIECE_BYTES of them, or one that is longer."""
    length = PIECE_BYTES
    while length <= _LONGEST:
        file.seek(offset)
        block = file.read(length)
        found = find_records(block, delimiter, most, final=offset + len(block) >= size, wide=wide)
        if found is None or found.used:
            return found
        length *= 2
    return None


def _cut(slices: Sequence[Slice], rows: int) -> list[Slice]:
    """The slices with the first `rows` rows."""
    return [
        Slice(one.start, min(one.rows, rows - one.start), one.line, one.offset, one.until)
        for one in slices
        if one.start < rows and one.rows
    ]

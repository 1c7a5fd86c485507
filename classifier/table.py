"""What reading a file gives: `Chunk`s of rows, out of `Records`; and a cell as text.

How the bytes become rows stands in `delimited` (csv), `sheets` (xlsx, xls) and `parquet`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .errors import InputError
from .spans import Spans
from .utf8 import Utf8

if TYPE_CHECKING:  # a csv needs none
    import pandas as pd

PIECE_BYTES = 2 << 20  # what one process reads, tags and writes at a time: bounds memory
PIECE_ROWS = 4000

_PANDAS_NONE = {"NaTType", "NAType"}


class Piece(Protocol):
    """Some rows of a file that are not read yet, or are: what one process is given to work on."""

    @property
    def start(self) -> int: ...

    def chunk(self) -> Chunk: ...


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file, in order, with every column that the file has."""

    start: int  # 0-based index of the first row among the file's data rows
    cells: pd.DataFrame | Spans  # RangeIndex from 0; sheets: cells as they stood; parquet: Arrow types
    sources: Sequence[int]  # for each row its number in the sheet, or the line it begins on
    problems: dict[int, str] = field(default_factory=dict)  # row of `frame` -> why it is not as it was meant

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The cells as a frame, those of a csv as strings."""
        return self.cells.frame() if isinstance(self.cells, Spans) else self.cells

    def texts(self, name: str) -> list[str]:
        """The cells of a column as texts."""
        if isinstance(self.cells, Spans):
            return self.cells.texts(name)
        return [as_text(cell) for cell in self.cells[name]]

    def utf8(self, name: str) -> Utf8:
        """The cells of a column as bytes; where quotes stand in those of a csv, as they stand there."""
        return self.cells.utf8(name) if isinstance(self.cells, Spans) else Utf8.of(self.texts(name))

    def chunk(self) -> Chunk:
        """Itself: a piece that is read already."""
        return self

    def row_number(self, i: int) -> int:
        """Give the number by which a person finds row `i`: the sheet's row, the csv's line, from 1."""
        return self.sources[i]


class Records(ABC):
    """A file of records, opened: its columns are known, its rows come in chunks.

    `total` is the number of rows, `row_bytes` about how much text one holds. `notes` are remarks for the
    user, in Chinese: what was not read, what was read otherwise than the name of the file says.
    """

    total: int
    row_bytes: float = PIECE_BYTES / PIECE_ROWS

    def __init__(self, path: Path, columns: Sequence[str], notes: Sequence[str]) -> None:
        self.path = path
        self.columns = list(columns)
        self.notes = list(notes)

    def pieces(self) -> Iterator[Piece]:
        """All rows, in order, in pieces of about the same size; the same ones at each call.

        Raises:
            InputError: the file is damaged further on; a piece's `chunk` may raise it, too.
        """
        return self.chunks(max(1, min(PIECE_ROWS, int(PIECE_BYTES / max(self.row_bytes, 1)))))

    @abstractmethod
    def chunks(self, size: int) -> Iterator[Chunk]:
        """Read the rows in order, `size` at a time, the last ones fewer; each call begins anew.

        Raises:
            InputError: the file is damaged further on.
        """


def name_columns(header: Sequence[str]) -> list[str]:
    """Name every column: an empty header is 列3 by its position, a second 标题 is 标题_2."""
    names: list[str] = []
    taken = {cell.strip() for cell in header}
    seen: set[str] = set()
    for position, cell in enumerate(header, 1):
        name = cell.strip() or f"列{position}"
        unique, number = name, 2
        while unique in seen or (unique != cell.strip() and unique in taken):
            unique, number = f"{name}_{number}", number + 1
        seen.add(unique)
        names.append(unique)
    return names


def frame_of(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> pd.DataFrame:
    """Put rows into a frame of plain Python objects.

    Not of the strings of pandas 3: those are Arrow's, which refuse what a csv may hold (lone
    surrogates) and are slow to take apart again.
    """
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def note_header(index: int, above: int) -> list[str]:
    """Remark where the header stands when it is not the first row; `index` from 0, `above` filled rows."""
    return [f"表头在第 {index + 1} 行，其上 {above} 行标题或说明未读。"] if above else []


def check_rows(rows: int, path: Path) -> None:
    """Refuse a file that has a header and nothing below."""
    if not rows:
        raise InputError(f"{path.name} 只有表头，没有数据行。请确认导出的是有记录的文件。")


def is_missing(cell: object) -> bool:
    """Say whether a cell holds no value: None, NaN, pandas' NA and NaT; an empty text is a value."""
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or type(cell).__name__ in _PANDAS_NONE


def as_text(cell: object) -> str:  # noqa: PLR0911 - a return for each type of cell
    """Write a cell as text, as a person reads it in the sheet: 3.0 is 3, no number has an exponent.

    >>> as_text(20240712000123.0), as_text(None), as_text(datetime(2024, 7, 12, 8, 30))
    ('20240712000123', '', '2024-07-12 08:30:00')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, np.generic):
        cell = float(str(cell)) if isinstance(cell, np.floating) else cell.item()
    if is_missing(cell):
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float | Decimal):
        return _number(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, timedelta):
        return _duration(cell)
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return str(cell)  # dates and times of day are ISO already


def _number(number: float | Decimal) -> str:
    if math.isinf(number):
        return str(number)
    whole = int(number)
    if whole == number and abs(whole) < 2**53:
        return str(whole)
    # By its shortest form: the digits of a float beyond its precision were never in the file.
    return format(Decimal(str(number)), "f")


def _duration(duration: timedelta) -> str:
    """Write what Excel shows for [h]:mm:ss."""
    seconds = round(duration.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

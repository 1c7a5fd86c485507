"""Rows of a csv as places in its bytes: a cell becomes a string when it is asked for.

Of a year's file most columns are only copied; what is read of it is the text and a few cells beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .codes import Codes, Places
from .csv_kernel import FieldPlaces, find_fields, requests_in
from .utf8 import Utf8

if TYPE_CHECKING:  # a csv that is only copied becomes no frame
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Spans:
    """Some records of a csv in UTF-8, each of which has all columns."""

    block: bytes
    delimiter: str
    columns: Sequence[str]
    places: FieldPlaces

    @classmethod
    def find(cls, block: bytes, delimiter: str, rows: int, columns: Sequence[str]) -> Spans | None:
        """The first `rows` records of sound bytes; None where one of them has fewer or more columns."""
        places = find_fields(block, delimiter, rows, len(columns))
        return cls(block, delimiter, columns, places) if places else None

    def __len__(self) -> int:
        return len(self.places.records)

    def texts(self, name: str, rows: Places | slice = slice(None)) -> list[str]:
        """The cells of a column, in all rows or in some."""
        column, block = self.columns.index(name), self.block
        starts, ends = self.places.starts[rows, column], self.places.ends[rows, column]
        texts = [block[start:end].decode() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        for row in np.flatnonzero(self.places.doubled[rows, column]).tolist():
            texts[row] = texts[row].replace('""', '"')
        return texts

    def frame(self, rows: Places | slice = slice(None)) -> pd.DataFrame:
        """All columns, in all rows or in some, as strings; the rows are numbered anew from 0."""
        import pandas as pd

        cells = zip(*(self.texts(name, rows) for name in self.columns), strict=True)
        return pd.DataFrame(list(cells), columns=list(self.columns), dtype=object)

    def requests(self, text: str, title: str | None) -> Codes:
        """The request of each row out of two columns; empty where there is no text."""
        column = None if title is None else self.columns.index(title)
        return requests_in(self.block, self.places, self.columns.index(text), column)

    def utf8(self, name: str) -> Utf8:
        """The cells of a column as they stand, quotes in them twice."""
        column = self.columns.index(name)
        starts, ends = self.places.starts[:, column], self.places.ends[:, column]
        return Utf8(np.frombuffer(self.block, dtype=np.uint8), starts, ends - starts)

    @property
    def records(self) -> Utf8:
        """The records as they stand, without their ends."""
        return Utf8(np.frombuffer(self.block, dtype=np.uint8), self.places.records, self.places.lengths)

    @property
    def odd(self) -> Places:
        """The rows that may not be written as they stand: a spreadsheet might compute one of their cells, or
        a quote stands in one where RFC 4180 has none.
        """
        return np.flatnonzero(self.places.odd)

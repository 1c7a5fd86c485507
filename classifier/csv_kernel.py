"""The bytes of a csv in the compiled kernel: checked, taken apart into records and fields, put together."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int64, c_void_p
from typing import Any

import numpy as np
import numpy.typing as npt

from .codes import Codes, Places
from .library import at, library
from .utf8 import Block, Fields, Utf8


class _Column(ctypes.Structure):
    """`column` in lines.c; keeps the arrays alive that it points to."""

    _fields_ = (
        ("block", c_void_p),
        ("starts", c_void_p),
        ("lengths", c_void_p),
        ("places", c_void_p),
    )

    def __init__(self, texts: Utf8, places: Places | None) -> None:
        self.kept = [np.ascontiguousarray(part) for part in (texts.block, texts.starts, texts.lengths)]
        self.kept += [] if places is None else [np.ascontiguousarray(places)]
        super().__init__(*map(at, self.kept))


class Extent(ctypes.Structure):
    """`extent` in records.c: complete records at the start of some bytes of a csv."""

    _fields_ = (
        ("used", c_int64),
        ("lines", c_int64),
        ("rows", c_int64),
        ("filled", c_int64),
    )

    used: int  # bytes
    lines: int
    rows: int  # but for blank lines
    filled: int  # rows up to the last that is not empty


class FieldPlaces(ctypes.Structure):
    """`found` in fields.c: where the fields of records stand in the bytes of a csv, rows x columns."""

    _fields_ = tuple(
        (name, c_void_p)
        for name in ("_starts", "_ends", "_doubled", "_records", "_lengths", "_lines", "_odd")
    )

    def __init__(self, rows: int, width: int) -> None:
        self.starts, self.ends = np.empty((2, rows, width), dtype=np.int64)  # within quotes
        self.doubled = np.empty((rows, width), dtype=np.bool_)  # whether it holds quotes, each written twice
        self.records, self.lengths, self.lines = np.empty((3, rows), dtype=np.int64)  # without their ends
        self.odd = np.empty(rows, dtype=np.bool_)  # whether a record may not be written as it stands
        super().__init__(
            *map(
                at,
                (self.starts, self.ends, self.doubled, self.records, self.lengths, self.lines, self.odd),
            )
        )


def utf8_prefix(block: bytes) -> int:
    """How many bytes from the start are whole characters of UTF-8."""
    return int(library().kernel_utf8(block, len(block)))


def find_records(block: bytes, delimiter: str, most: int, *, final: bool, wide: bool) -> Extent | None:
    """The complete records at the start of `block`, at most `most`; None where csv.reader has to tell."""
    found = Extent()
    plain = library().kernel_records(
        block, len(block), ord(delimiter), final, wide, most, ctypes.byref(found)
    )
    return found if plain == 0 else None


def find_fields(block: bytes, delimiter: str, rows: int, width: int) -> FieldPlaces | None:
    """The fields of the first `rows` records of sound bytes; None where one has not `width` of them."""
    found = FieldPlaces(rows, width)
    sound = library().kernel_fields(block, len(block), ord(delimiter), rows, width, ctypes.byref(found))
    return found if sound == 0 else None


def text_sums(texts: Utf8) -> npt.NDArray[np.uint64]:
    """A number for each text without the blanks about it, 0 for an empty one: equal texts have equal ones,
    in every process and on every machine, and of a million different ones hardly any two.
    """
    sums = np.empty(len(texts), dtype=np.uint64)
    given = _Column(texts, None)
    library().kernel_sums(ctypes.byref(given), len(texts), at(sums))
    return sums


class _Cells(ctypes.Structure):
    """`cells` in requests.c: a column of a csv; keeps the arrays alive that it points to."""

    _fields_ = (
        ("starts", c_void_p),
        ("ends", c_void_p),
        ("doubled", c_void_p),
    )

    def __init__(self, places: FieldPlaces, column: int) -> None:
        found: list[npt.NDArray[Any]] = [places.starts, places.ends, places.doubled]
        self.kept = [np.ascontiguousarray(part[:, column]) for part in found]
        super().__init__(*map(at, self.kept))
        self.size = int((self.kept[1] - self.kept[0]).sum())


def requests_in(block: bytes, places: FieldPlaces, text: int, title: int | None) -> Codes:
    """The request of each row, as `request_of` gives it; empty where there is no text."""
    texts, titles = _Cells(places, text), None if title is None else _Cells(places, title)
    rows = len(places.records)
    points = np.empty(rows + texts.size + (titles.size if titles else 0), dtype=np.uint32)
    starts, lengths = np.empty((2, rows), dtype=np.int64)
    used = library().kernel_requests(
        block,
        ctypes.byref(texts),
        ctypes.byref(titles) if titles else None,
        rows,
        at(points),
        at(starts),
        at(lengths),
    )
    return Codes(points[:used], starts, lengths)


def lines_with(lines: Utf8, columns: Sequence[Fields]) -> tuple[Block, Places]:
    """Lines with the fields of further columns and their ends, one behind the other; and where each ends."""
    parts = [(lines, None), *((column.values, column.places) for column in columns)]
    size = len(lines) * len("\r\n") + int(lines.lengths.sum())
    size += sum(
        len(column) * len(",") + int(column.values.lengths[column.places].sum()) for column in columns
    )
    block, ends = np.empty(size, dtype=np.uint8), np.empty(len(lines), dtype=np.int64)
    given = (_Column * len(parts))(*(_Column(*part) for part in parts))
    library().kernel_lines(given, len(parts), len(lines), at(block), at(ends))
    return block, ends

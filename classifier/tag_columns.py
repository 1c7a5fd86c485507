"""Tags as columns beside those of the input: their names and types, and how they become cells.

A label's column holds few different values and is kept as their places; a confidence's column is an
array. So a million rows are told as arrays, and an object is made of a cell only where a format wants
one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from .utf8 import Fields, Utf8
from .writers import csv_field

if TYPE_CHECKING:  # of a csv that becomes a csv no frame is made
    import pandas as pd

TAG_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "category_code": "string",
        "category_name": "string",
        "first_code": "string",
        "first_name": "string",
        "category_confidence": "float64",
        "scope": "string",
        "scope_detail": "string",
        "scope_confidence": "float64",
        "request_type": "string",
        "request_type_confidence": "float64",
        "urgent": "int8",
        "urgent_confidence": "float64",
        "decision": "string",
        "model_version": "string",
        "department": "string",
        "district_found": "string",
        "decision_level": "string",
        "also": "string",
        "error_reason": "string",
    }
)
"""The columns that tagging adds to those of the input, with Arrow's names of their types."""

DIGITS = 4  # of a confidence

Cells = npt.NDArray[np.object_]
_ONE = 10**DIGITS
_SHARE = "<u2"  # a share as it is packed


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of few different values: row `i` has `values[places[i]]`, or nothing where that is -1."""

    places: npt.NDArray[np.int64]
    values: Sequence[object]

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of(cls, cells: Sequence[object]) -> Self:
        """A column of plain cells; None stays nothing."""
        known: dict[object, int] = {}
        places = [-1 if cell is None else known.setdefault(cell, len(known)) for cell in cells]
        return cls(np.array(places, dtype=np.int64), list(known))

    @classmethod
    def at(cls, cells: Mapping[int, object], count: int) -> Self:
        """A column `count` rows long that has something in a few rows only."""
        some = cls.of(list(cells.values()))
        return some.spread(np.fromiter(cells, dtype=np.int64, count=len(cells)), count)

    def spread(self, rows: npt.NDArray[np.int64], count: int) -> Self:
        """The column `count` rows long, its cells at `rows` and nothing elsewhere."""
        places = np.full(count, -1, dtype=np.int64)
        places[rows] = self.places
        return type(self)(places, self.values)

    def packed(self) -> npt.NDArray[np.integer[Any]]:
        return self.places.astype(_place(self.values))

    def cells(self) -> Cells:
        return _array([*self.values, None])[self.places]

    def fields(self) -> Fields:
        texts = _texts(tuple(self.values))
        return Fields(self.places % len(texts), texts)


@dataclass(frozen=True, slots=True)
class Shares:
    """A column of confidences, rounded; nothing where it is NaN."""

    values: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def spread(self, rows: npt.NDArray[np.int64], count: int) -> Self:
        values = np.full(count, np.nan)
        values[rows] = self.values
        return type(self)(values)

    def packed(self) -> npt.NDArray[np.integer[Any]]:
        return self._steps().astype(_SHARE)

    @classmethod
    def unpacked(cls, steps: npt.NDArray[np.integer[Any]]) -> Self:
        return cls(np.where(steps > _ONE, np.nan, steps / _ONE))

    def _steps(self) -> npt.NDArray[np.float64]:
        """The shares in units of their last digit; one more than the largest stands for nothing."""
        steps: npt.NDArray[np.float64] = np.rint(np.nan_to_num(self.values, nan=1 + 1 / _ONE) * _ONE)
        return steps

    def cells(self) -> Cells:
        cells: Cells = self.values.astype(object)
        cells[np.isnan(self.values)] = None
        return cells

    def fields(self) -> Fields:
        return Fields(self._steps().astype(np.int64), _share_fields())


@dataclass(frozen=True, slots=True)
class TagColumns:
    """The added columns of some rows, by name, in the order of TAG_TYPES."""

    columns: Mapping[str, Coded | Shares]

    def __len__(self) -> int:
        return len(self.columns["decision"])

    def cells(self, name: str) -> list[Any]:
        """A column as plain objects, None where there is nothing."""
        return list(self.columns[name].cells())

    def frame(self) -> pd.DataFrame:
        """All columns as a frame of plain objects."""
        import pandas as pd

        cells = {name: column.cells() for name, column in self.columns.items()}
        return pd.DataFrame(cells, dtype=object)  # otherwise pandas turns None into NaN

    def fields(self) -> list[Fields]:
        """All columns as they stand in a csv."""
        return [column.fields() for column in self.columns.values()]

    def packed(self) -> bytes:
        """All columns as bytes: a line of JSON with the number of rows and the labels, then the arrays."""
        values = {name: column.values for name, column in self.columns.items() if isinstance(column, Coded)}
        facts = json.dumps({"rows": len(self), "values": values}, ensure_ascii=False)
        arrays = [column.packed() for column in self.columns.values()]
        return b"".join([facts.encode(), b"\n", *(array.tobytes() for array in arrays)])

    @classmethod
    def unpacked(cls, content: bytes) -> Self:
        """What `packed` gave.

        Raises:
            ValueError, LookupError: it is something else.
        """
        at = content.index(b"\n") + 1
        facts = json.loads(content[:at])
        columns: dict[str, Coded | Shares] = {}
        for name in TAG_TYPES:
            values = facts["values"].get(name)
            kind = _SHARE if values is None else _place(values)
            array = np.frombuffer(content, kind, facts["rows"], at)
            at += array.nbytes
            columns[name] = (
                Shares.unpacked(array) if values is None else Coded(array.astype(np.int64), values)
            )
        if at != len(content):
            raise ValueError("longer than it should be")
        return cls(columns)


@lru_cache(64)
def _texts(values: tuple[object, ...]) -> Utf8:
    """How each value stands in a csv; the last one is nothing."""
    return Utf8.of([*map(csv_field, values), ""])


@cache
def _share_fields() -> Utf8:
    """How each share stands in a csv; the last one is nothing."""
    return Utf8.of([*(csv_field(share / _ONE) for share in range(_ONE + 1)), ""])


def _place(values: Sequence[object]) -> str:
    """The type of the places of some values, as small as will do."""
    return "<i1" if len(values) < 1 << 7 else "<i2" if len(values) < 1 << 15 else "<i4"


def _array(values: Sequence[object]) -> Cells:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array

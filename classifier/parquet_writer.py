"""Write rows to parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import OutputError
from .output import Writer, sound
from .table import as_text, is_missing


class ParquetWriter(Writer):
    """Parquet with zstd, one row group for each write.

    A column has the type that `types` names; otherwise that of its values in the first frame
    when they are typed (numbers, booleans, Arrow's types), and text when they are plain objects.
    """

    def __init__(self, path: Path, columns: Sequence[str], types: Mapping[str, str | pa.DataType]) -> None:
        super().__init__(path, columns)
        self._given = {
            name: pa.type_for_alias(named) if isinstance(named, str) else named
            for name, named in types.items()
        }
        self._parquet: Any = None

    def _begin(self, file: BinaryIO) -> None:
        """Wait for the first frame: it tells the types."""

    def _append(self, frame: pd.DataFrame) -> None:
        if self._parquet is None:
            self._open([_type_of(frame.iloc[:, i]) for i in range(frame.shape[1])])
        schema: pa.Schema = self._parquet.schema
        arrays = [_arrow(frame.iloc[:, i], field, self.path) for i, field in enumerate(schema)]
        if len(frame):
            self._parquet.write_table(pa.Table.from_arrays(arrays, schema=schema))

    def _open(self, types: Sequence[pa.DataType]) -> None:
        pairs = zip(self.columns, types, strict=True)
        schema = pa.schema([(name, self._given.get(name, found)) for name, found in pairs])
        self._parquet = pq.ParquetWriter(self._file, schema, compression="zstd")

    def _finish(self) -> None:
        if self._parquet is None:
            self._open([pa.string()] * len(self.columns))
        self._parquet.close()

    def _abandon(self) -> None:
        if self._parquet is not None:
            self._parquet.close()


def _type_of(series: pd.Series[Any]) -> pa.DataType:
    if series.dtype == object:
        return pa.string()
    found = pa.array(series.iloc[:0], from_pandas=True).type
    return pa.string() if pa.types.is_large_string(found) else found


def _arrow(series: pd.Series[Any], field: pa.Field, path: Path) -> Any:
    """Turn a column into an Arrow array of the field's type.

    Raises:
        OutputError: a value is not of this type.
    """
    try:
        if series.dtype == object and (
            pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ):
            return pa.array([_sound_or_none(cell) for cell in series.tolist()], field.type)
        array = pa.array(series, type=None if series.dtype != object else field.type, from_pandas=True)
        return array if array.type == field.type else array.cast(field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Arrow's message quotes the value, which may be a citizen's text: so not `from error`.
        raise OutputError(f"{path.name} 的“{field.name}”列有的值不是 {field.type} 类型，没有写成。") from None


def _sound_or_none(cell: object) -> str | None:
    return None if is_missing(cell) else sound(as_text(cell))

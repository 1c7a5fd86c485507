"""Read parquet by pyarrow, a chunk at a time, so that types survive and no file is too large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import InputError
from .table import Chunk, Records, check_rows, name_columns


class ParquetRecords(Records):
    """The records of a parquet file: columns of Arrow's types."""

    def __init__(self, path: Path, notes: Sequence[str] = ()) -> None:
        try:
            with pq.ParquetFile(path) as file:
                self.schema: pa.Schema = file.schema_arrow.remove_metadata()
                self.total = file.metadata.num_rows
                groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are no UTF-8
            raise InputError(_damaged(path)) from error
        super().__init__(path, name_columns(self.schema.names), notes)
        check_rows(self.total, path)
        self.row_bytes = sum(group.total_byte_size for group in groups) / self.total  # uncompressed

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Read the rows in order; see `Records.chunks`."""
        start = 0
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=size):
                    batch.validate(full=True)  # texts that are no UTF-8, too
                    # pandas' metadata would turn columns into an index: every column is to stay one
                    table = pa.Table.from_batches([batch]).rename_columns(self.columns)
                    frame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
                    yield Chunk(start, frame, range(start + 1, start + 1 + len(frame)))
                    start += len(frame)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(_damaged(self.path)) from error
        if start != self.total:
            raise InputError(_damaged(self.path))


def _damaged(path: Path) -> str:
    return f"{path.name} 已损坏或不是 parquet 文件。请从来源系统重新导出，或改用 .xlsx、.csv。"

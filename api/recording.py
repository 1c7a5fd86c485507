"""A file's tagged rows into the ledger, chunk by chunk; rows that cannot be recorded are listed.

Recording again changes nothing, so a run that was killed is simply run again, or resumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from classifier.batch import ERROR_COLUMNS
from classifier.columns import Columns
from classifier.records import Chunk, as_text
from classifier.work_order import WorkOrder
from classifier.writers import open_writer

from .ledger.entry import Entry, Given, Refusal, own_id
from .ledger.ledger import Ledger
from .moments import read_moment

_HINTS = {
    "received_at": "改正受理时间后重新导入该行",
    "work_order_id": "改正工单编号后重新导入该行",
}


@dataclass(slots=True)
class RecordingReport:
    """What became of a file's rows in the ledger."""

    new: int = 0
    again: int = 0
    refused: int = 0
    untagged: int = 0  # rows without tags: nothing to record
    notes: list[str] = field(default_factory=list)
    unrecorded: Path | None = None  # the file that lists the refused rows

    @property
    def recorded(self) -> int:
        """Work orders of the file that are in the ledger."""
        return self.new + self.again


class FileRecording:
    """Records the chunks of one file, as a context manager; `TARGET.unrecorded.csv` lists what is refused."""

    def __init__(self, ledger: Ledger, target: Path, taxonomy_version: str) -> None:
        self.report = RecordingReport()
        self.ledger = ledger
        self._taxonomy_version = taxonomy_version
        self._path = target.with_name(f"{target.name}.unrecorded.csv")
        self._writer = open_writer(self._path, ERROR_COLUMNS)
        self._stack = ExitStack()
        self._same: Counter[str] = Counter()  # rows without an id by the one that they are given
        self._naive = False

    def __enter__(self) -> Self:
        self._stack.enter_context(self._writer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None:
            self._tell()

    def see(self, chunk: Chunk, tags: pd.DataFrame, columns: Columns) -> None:
        """Record a chunk's rows; `tags` has the columns that tagging adds."""
        columns_of = {role: _cells(chunk, columns, role) for role in _ROLES}
        entries, rows, refused = [], [], []
        for row, tag in enumerate(tags.to_dict("records")):
            if tag["decision"] == "error":
                self.report.untagged += 1
                continue
            cells = {role: texts[row] for role, texts in columns_of.items()}
            entry = self._entry(cells, tag)
            if isinstance(entry, str):
                refused.append((row, Refusal(row, "received_at", entry)))
            else:
                entries.append(entry)
                rows.append(row)
        done = self.ledger.record(entries)
        self.report.new += done.new
        self.report.again += done.again
        refused += [(rows[one.index], one) for one in done.refused]
        self._list(chunk, columns, sorted(refused, key=lambda pair: pair[0]))

    def _entry(self, cells: dict[str, str], tag: Mapping[Any, Any]) -> Entry | str:
        """The row as an entry, or why it cannot be one."""
        moment, naive = read_moment(cells["received_at"])
        if moment is None:
            return (
                f"受理时间是“{cells['received_at'][:20]}”，不是日期时间"
                if cells["received_at"]
                else "没有受理时间"
            )
        self._naive |= naive
        district = tag["district_found"] or cells["district"] or cells["town"]
        order = WorkOrder(
            cells["work_order_id"], cells["text"], cells["title"], moment, str(district), cells["channel"]
        )
        return Entry(
            order.work_order_id or self._own_id(order),
            moment,
            given_by_row(tag),
            tag["decision"],
            str(tag["model_version"]),
            self._taxonomy_version,
            order.title,
            order.text,
            order.district,
            order.channel,
            cells["department"] or tag["department"] or "",
        )

    def _own_id(self, order: WorkOrder) -> str:
        made = own_id(order)
        self._same[made] += 1
        return own_id(order, self._same[made])

    def _list(self, chunk: Chunk, columns: Columns, refused: list[tuple[int, Refusal]]) -> None:
        self.report.refused += len(refused)
        ids = _cells(chunk, columns, "work_order_id")
        listed = [
            (
                chunk.row_number(row),
                ids[row],
                columns.get(why.field) or why.field,
                why.reason,
                _HINTS[why.field],
            )
            for row, why in refused
        ]
        if listed:
            self._writer.write(pd.DataFrame(listed, columns=list(ERROR_COLUMNS), dtype=object))

    def _tell(self) -> None:
        if self._naive:
            self.report.notes.append("受理时间没有写时区，按北京时间（Asia/Shanghai）记录")
        if self._same:
            self.report.notes.append(
                f"{self._same.total():,} 行没有工单编号，按受理日期、区县、渠道和内容生成编号（auto-…）"
            )
        if self.report.refused:
            self.report.unrecorded = self._path
        else:
            self._path.unlink(missing_ok=True)


_ROLES = ("work_order_id", "text", "title", "received_at", "district", "town", "channel", "department")


def _cells(chunk: Chunk, columns: Columns, role: str) -> list[str]:
    name = columns.get(role)
    return [as_text(cell).strip() for cell in chunk.frame[name]] if name else [""] * len(chunk.frame)


def given_by_row(tag: Mapping[Any, Any]) -> dict[str, Given]:
    """The tags of one row of a tagged file, as the ledger takes them."""
    given = {"category": Given(tag["category_code"], tag["category_confidence"], tag["first_code"])}
    if tag["scope_detail"]:
        given["scope_detail"] = Given(tag["scope_detail"], tag["scope_confidence"], tag["scope"])
    if tag["request_type"]:
        given["request_type"] = Given(tag["request_type"], tag["request_type_confidence"])
    if tag["urgent"] is not None and tag["urgent"] != "":
        given["urgent"] = Given(str(tag["urgent"]).removesuffix(".0"), tag["urgent_confidence"])
    return given

"""What has changed in the counts, put down by whoever changes work orders, in the same transaction.

A few work orders are put down as differences, one more here and one less there, until the roll-ups take
them over; answers add them to what the roll-ups hold. Of many at once only the days are marked: they are
counted from the work orders, and their roll-ups are made again. Both are rows more, which lock nobody out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from .schema import COUNTED, pending_counts, stale_days

KEYS = ("received_on", *COUNTED)
"""The columns of a work order by which it is counted."""

AT_ONCE = 1_000  # differences of a transaction; of more, making their days again is less work

Cell = tuple[Any, ...]  # a day, and a label's number of each facet


def cell(row: Mapping[str, Any]) -> Cell:
    """Where a work order is counted."""
    return tuple(row[name] for name in KEYS)


def note(connection: Connection, differences: Counter[Cell]) -> None:
    """Put down by how much the number of work orders of each cell has changed."""
    changed = {where: volume for where, volume in differences.items() if volume}
    if len(changed) > AT_ONCE:
        mark_stale(connection, {where[0] for where in changed})
    elif changed:
        rows = [dict(zip(KEYS, where, strict=True), volume=volume) for where, volume in changed.items()]
        connection.execute(pending_counts.insert(), rows)


def mark_stale(connection: Connection, days: Collection[date]) -> None:
    """Have the days counted from the work orders, and their roll-ups made again."""
    connection.execute(stale_days.insert(), [{"received_on": day} for day in sorted(days)])

"""The feed: every work order and every correction in the order of their changes, each once.

A work order recorded again moves on to its newest change, so whoever reads from the beginning meets it
once, and whoever has read it already meets it again. It is shown as it is now, not as it once was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, exists, or_, select

from . import bulk
from .change_table import changes
from .record import standing_corrections
from .schema import corrections, tags, work_orders
from .work_orders import StoredCorrection, StoredWorkOrder, codes_of, label_numbers, stored


class FeedCursor(NamedTuple):
    """How far somebody has read: the position of a change, and the number of the row within it."""

    position: int
    number: int


START = FeedCursor(0, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """A work order that was tagged, or a correction of one; `order` as it is now, with its newest tags.

    `corrected` are the facets whose label is a person's.
    """

    cursor: FeedCursor
    order: StoredWorkOrder
    corrected: frozenset[str]
    correction: StoredCorrection | None = None


def events(
    connection: Connection,
    after: FeedCursor,
    most: int,
    since: datetime | None = None,
    last: int | None = None,
) -> list[Event]:
    """At most `most` events after a cursor; none: there are no more yet.

    Args:
        since: leaves out what was written before.
        last: the position of the last change to be told of.
    """
    found: list[_Found] = []
    begun = select(changes.c.change_id).where(changes.c.position == after.position)
    change = connection.execute(begun).scalar_one_or_none()
    if change is not None:
        found += _rows(connection, {change: after.position}, after.number, most, since)
    position = after.position
    while len(found) < most:
        group = _following(connection, position, most - len(found), since, last)
        if not group:
            break
        found += _rows(connection, group, 0, most - len(found), since)
        position = max(group.values())
    return _told(connection, found)


class _Found(NamedTuple):
    cursor: FeedCursor
    number: int  # of the work order
    correction: Row[Any] | None


def _following(
    connection: Connection, position: int, most: int, since: datetime | None, last: int | None
) -> dict[int, int]:
    """The next changes of which something is left, with their positions: so many as have `most` rows.

    One that has more is alone; its rows are then read from the index, no further than they are wanted.
    """
    c = changes.c
    left = or_(
        exists().where(work_orders.c.change_id == c.change_id),
        exists().where(corrections.c.change_id == c.change_id),
    )
    query = select(c.change_id, c.position, c.size).where(c.position > position, left)
    if since:
        query = query.where(c.changed_at >= since)
    if last is not None:
        query = query.where(c.position <= last)
    group: dict[int, int] = {}
    size = 0
    for row in connection.execute(query.order_by(c.position).limit(most)):
        size += row.size
        if group and size > most:
            break
        group[row.change_id] = row.position
    return group


def _rows(
    connection: Connection, group: Mapping[int, int], beyond: int, most: int, since: datetime | None
) -> list[_Found]:
    """The first `most` rows of some changes, in order; of a single one those beyond a number."""
    orders, c = work_orders.c, corrections.c
    queries: list[tuple[Select[Any], Any, Any, Any]] = [
        (select(orders.number, orders.change_id), orders.change_id, orders.number, orders.recorded_at),
        (select(corrections), c.change_id, c.correction_id, c.corrected_at),
    ]
    found = []
    for query, change, number, moment in queries:
        if len(group) == 1:
            wanted = query.where(change == next(iter(group)), number > beyond).order_by(number).limit(most)
        else:
            wanted = query.where(change.in_(list(group)))
        if since:
            wanted = wanted.where(moment >= since)
        for row in connection.execute(wanted):
            cursor = FeedCursor(group[row.change_id], row._mapping[number])
            found.append(_Found(cursor, row.number, row if query is queries[1][0] else None))
    return sorted(found, key=lambda one: one.cursor)[:most]


def _told(connection: Connection, found: Sequence[_Found]) -> list[Event]:
    numbers = sorted({one.number for one in found})
    rows: dict[int, Row[Any]] = {}
    newest: dict[int, Row[Any]] = {}
    for condition in bulk.among(connection, work_orders.c.number, numbers):
        rows |= {row.number: row for row in connection.execute(select(work_orders).where(condition))}
    for condition in bulk.among(connection, tags.c.number, numbers):
        for row in connection.execute(select(tags).where(condition)):
            known = newest.get(row.number)
            if known is None or known.tagged_at < row.tagged_at:
                newest[row.number] = row
    standing = standing_corrections(connection, numbers)
    codes = codes_of(connection, _labels((*rows.values(), *newest.values()), found))
    orders = {
        number: stored(row, codes, [newest[number]] if number in newest else [])
        for number, row in rows.items()
    }
    return [
        Event(
            one.cursor,
            orders[one.number],
            frozenset(standing.get(one.number, ())),
            _correction(one.correction, codes) if one.correction else None,
        )
        for one in found
    ]


def _labels(rows: Sequence[Row[Any]], found: Sequence[_Found]) -> Collection[int]:
    given = {number for row in rows for number in label_numbers(row)}
    return given | {one.correction.label for one in found if one.correction and one.correction.label}


def _correction(row: Row[Any], codes: Mapping[int, tuple[str, str | None]]) -> StoredCorrection:
    label = codes[row.label][0] if row.label else None
    return StoredCorrection(row.facet, label, row.corrected_by, row.corrected_at, row.reason)

"""Work orders by day and by month, kept beside the work orders so that counting is quick.

Counting two million rows takes SQLite over a second (docs/ledger.md has the figures); by day and pair of
facets there are far fewer numbers to add up, by month a few thousand, and by month and all facets still
only a quarter. A roll-up never adds to what it held:
who changes work orders marks their days as stale in the same transaction, and a stale day is counted from
the work orders themselves until it is made again from them, as a whole. So a roll-up cannot drift, and
recording waits for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, delete, func, insert, literal, select, union_all
from sqlalchemy.types import Date

from ..periods import Period, period_start
from . import bulk
from .engine import advisory_lock, reading, retried, writing
from .schema import COUNTED, daily, monthly, monthly_cells, stale_days, work_orders

MONTHS_AT_ONCE = 3  # of one transaction: other writers must not wait long


def refresh(engine: Engine) -> int:
    """Make the roll-ups of all stale days again; give the number of days."""
    made = 0
    while days := retried(lambda: _refresh_some(engine)):
        made += days
    return made


def stale(connection: Connection) -> list[date]:
    """The stale days, in order."""
    days = select(stale_days.c.received_on).distinct().order_by(stale_days.c.received_on)
    return list(connection.execute(days).scalars())


def _refresh_some(engine: Engine) -> int:
    with writing(engine) as connection:
        advisory_lock(connection, "hotline roll-ups")
        days = _run(stale(connection))
        if not days:
            return 0
        # Only the marks that are seen now are taken away: one that is set later stays for the next time.
        c = stale_days.c
        marks = select(c.mark).where(c.received_on.between(days[0], days[-1]))
        seen = list(connection.execute(marks).scalars())
        _remake(connection, days[0], days[-1])
        for condition in bulk.among(connection, c.mark, seen):
            connection.execute(delete(stale_days).where(condition))
    return len(days)


def _run(days: Sequence[date]) -> list[date]:
    """The first days, so many as lie in few months: from the first to the last they are read at once."""
    months = sorted({period_start(day, "month") for day in days})[:MONTHS_AT_ONCE]
    following = next(
        (place for place in range(1, len(months)) if months[place] > _after(months[place - 1])), None
    )
    return [day for day in days if months and day < _after(months[:following][-1])]


def _after(start: date) -> date:
    """The first day of the next month."""
    return Period(start, start, "month").whole.until


def _remake(connection: Connection, first: date, last: date) -> None:
    """Make the roll-ups of a range of days, and of their months."""
    starts = _months(first, last)
    for pair, table in daily.items():
        connection.execute(delete(table).where(table.c.received_on.between(first, last)))
        counted = _counted(table).where(work_orders.c.received_on.between(first, last))
        connection.execute(insert(table).from_select(list(table.c), counted))
        months = monthly[pair]
        connection.execute(delete(months).where(months.c.received_on.in_(starts)))
        for start in starts:
            connection.execute(insert(months).from_select(list(months.c), _month(table, start)))
    connection.execute(delete(monthly_cells).where(monthly_cells.c.received_on.in_(starts)))
    for start in starts:
        connection.execute(insert(monthly_cells).from_select(list(monthly_cells.c), _cells(start)))


def _months(first: date, last: date) -> list[date]:
    starts = [period_start(first, "month")]
    while _after(starts[-1]) <= last:
        starts.append(_after(starts[-1]))
    return starts


def _counted(table: Table) -> Select[Any]:
    keys = [work_orders.c[column.name] for column in table.c if column.name != "volume"]
    return select(*keys, func.count().label("volume")).group_by(*keys)


def _month(table: Table, start: date) -> Select[Any]:
    """A month of a roll-up by day."""
    keys = [column for column in table.c if column.name not in ("received_on", "volume")]
    whole = select(literal(start, Date), *keys, func.sum(table.c.volume)).group_by(*keys)
    return whole.where(table.c.received_on >= start, table.c.received_on < _after(start))


def _cells(start: date) -> Select[Any]:
    """A month of work orders by all facets."""
    c = work_orders.c
    keys = [c[name] for name in COUNTED]
    counted = select(literal(start, Date), *keys, func.count()).group_by(*keys)
    return counted.where(c.received_on >= start, c.received_on < _after(start))


def differences(engine: Engine) -> list[date]:
    """The days and months, stale ones apart, whose roll-up is not what the work orders give."""
    found: set[date] = set()
    with reading(engine) as connection:
        days = stale(connection)
        there = connection.execute(select(work_orders.c.received_on).distinct()).scalars()
        starts = sorted(
            {period_start(day, "month") for day in there} - {period_start(day, "month") for day in days}
        )
        for pair, table in daily.items():
            counted = _counted(table).where(work_orders.c.received_on.not_in(days))
            held = select(table).where(table.c.received_on.not_in(days))
            found |= _unlike(connection, held, counted)
            for start in starts:
                held = select(monthly[pair]).where(monthly[pair].c.received_on == start)
                found |= _unlike(connection, held, _month(table, start))
        for start in starts:
            held = select(monthly_cells).where(monthly_cells.c.received_on == start)
            found |= _unlike(connection, held, _cells(start))
    return sorted(found)


def _unlike(connection: Connection, held: Select[Any], counted: Select[Any]) -> set[date]:
    """The days on which two counts differ."""
    both = union_all(
        held.except_(counted).subquery().select(), counted.except_(held).subquery().select()
    ).subquery()
    return set(connection.execute(select(both.c.received_on).distinct()).scalars())

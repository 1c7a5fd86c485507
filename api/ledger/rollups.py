"""Work orders by day and by month, kept beside the work orders so that counting is quick.

Counting two million rows takes SQLite over a second (docs/ledger.md has the figures); by day and pair of
facets there are far fewer numbers to add up, by month a few thousand, and by month and all facets still
only a quarter. Whoever changes work orders touches no roll-up, and waits for none: in the same transaction
it puts down by how much the counts change, or of many work orders the days alone (see `pending`). An answer
adds the differences, and counts stale days from the work orders themselves. Now and then the roll-ups take
over the differences and are made again for the stale days, at one moment: what is seen of the work orders is
what is seen of the differences, so none counts twice or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy.types import Date

from ..periods import Period, period_start
from . import bulk
from .engine import reading, retried, writing
from .period_sql import first_day
from .schema import COUNTED, daily, monthly, monthly_cells, pending_counts, stale_days, work_orders

MONTHS_AT_ONCE = 3  # of one transaction: other writers must not wait long
STALE, PENDING = 7, 2_000  # days and differences that answers cope with


def outdated(connection: Connection) -> bool:
    """Whether so much has changed that answers are quicker after a refreshing."""
    some = select(pending_counts.c.pending_id).limit(PENDING + 1).subquery()
    pending = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return pending > PENDING or len(stale(connection)) > STALE


@contextmanager
def remaking(engine: Engine) -> Iterator[Connection]:
    """A transaction in which roll-ups are changed, by nobody else meanwhile, and all is of one moment."""
    with writing(engine, alone_on=monthly_cells) as connection:
        yield connection


def refresh(engine: Engine) -> int:
    """Take over all differences, and make the roll-ups of all stale days again; give the number of days."""
    made = 0
    while days := retried(lambda: _refresh_some(engine)):
        made += days
    return made


def stale(connection: Connection) -> list[date]:
    """The stale days, in order."""
    days = select(stale_days.c.received_on).distinct().order_by(stale_days.c.received_on)
    return list(connection.execute(days).scalars())


def _refresh_some(engine: Engine) -> int:
    with remaking(engine) as connection:
        _take_over(connection)
        days = _run(stale(connection))
        if days:
            _remake(connection, days[0], days[-1])
            marked = stale_days.c.received_on.between(days[0], days[-1])
            connection.execute(delete(stale_days).where(marked))
    return len(days)


def _take_over(connection: Connection) -> None:
    """Add the differences to the roll-ups; to those of stale days it is in vain, but does no harm."""
    c = pending_counts.c
    if not connection.execute(select(exists().where(c.volume != 0))).scalar_one():
        return
    month = first_day(connection, c.received_on, "month")
    by_table: list[tuple[Table, ColumnElement[Any]]] = [(table, c.received_on) for table in daily.values()]
    by_table += [(table, month) for table in (*monthly.values(), monthly_cells)]
    fewer = connection.execute(select(exists().where(c.volume < 0))).scalar_one()
    for table, day in by_table:
        bulk.add(connection, table, _differences(table, day), "volume")
        if fewer:
            there = table.c.received_on.in_(select(day).distinct())
            connection.execute(delete(table).where(there, table.c.volume == 0))
    connection.execute(delete(pending_counts))


def _differences(table: Table, day: ColumnElement[Any]) -> Select[Any]:
    """The differences by a roll-up's keys."""
    c = pending_counts.c
    keys = [c[column.name] for column in table.c if column.name not in ("received_on", "volume")]
    summed = select(day.label("received_on"), *keys, func.sum(c.volume).label("volume"))
    return summed.where(c.volume != 0).group_by(day, *keys)  # SQLite wants a WHERE before ON CONFLICT


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
            held = _held(table, table.c.received_on.not_in(days), pending_counts.c.received_on.not_in(days))
            found |= _unlike(connection, held, counted)
            for start in starts:
                held = select(monthly[pair]).where(monthly[pair].c.received_on == start)
                found |= _unlike(connection, held, _month(table, start))
        month = first_day(connection, pending_counts.c.received_on, "month")
        for start in starts:
            held = _held(monthly_cells, monthly_cells.c.received_on == start, month == start, start)
            found |= _unlike(connection, held, _cells(start))
    return sorted(found)


def _held(
    table: Table, wanted: ColumnElement[bool], pending: ColumnElement[bool], start: date | None = None
) -> Select[Any]:
    """What a roll-up holds together with the differences, those of a month under its first day `start`."""
    c = pending_counts.c
    keys = [column.name for column in table.c if column.name not in ("received_on", "volume")]
    day = c.received_on if start is None else literal(start, Date)
    changed = select(day.label("received_on"), *(c[name] for name in keys), c.volume).where(pending)
    both = union_all(select(table).where(wanted), changed).subquery()
    volume = func.sum(both.c.volume)
    grouped = [both.c.received_on, *(both.c[name] for name in keys)]
    return select(*grouped, volume.label("volume")).group_by(*grouped).having(volume != 0)


def _unlike(connection: Connection, held: Select[Any], counted: Select[Any]) -> set[date]:
    """The days on which two counts differ."""
    both = union_all(
        held.except_(counted).subquery().select(), counted.except_(held).subquery().select()
    ).subquery()
    return set(connection.execute(select(both.c.received_on).distinct()).scalars())

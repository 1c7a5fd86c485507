"""Work orders by day and two facets, kept beside the work orders so that counting is quick.

Counting two million rows takes SQLite over a second (docs/ledger.md has the figures); counted by day and
pair of facets there is a tenth of the rows to add up. A roll-up never adds to what it held: who changes
work orders marks their days as stale in the same transaction, and a stale day is counted from the work
orders themselves until it is made again from them, as a whole. So a roll-up cannot drift, and recording
waits for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, delete, func, insert, select, union_all

from .engine import advisory_lock, reading, retried, writing
from .schema import pair_tables, stale_days, work_orders

DAYS_AT_ONCE = 60  # of one transaction: other writers must not wait long


def refresh(engine: Engine) -> int:
    """Make the roll-ups of all stale days again; give the number of days."""
    made = 0
    while days := retried(lambda: _refresh_some(engine)):
        made += days
    return made


def stale(connection: Connection) -> int:
    """How many days are stale."""
    return connection.execute(select(func.count(stale_days.c.received_on.distinct()))).scalar_one()


def _refresh_some(engine: Engine) -> int:
    with writing(engine) as connection:
        advisory_lock(connection, "hotline roll-ups")
        chosen = select(stale_days.c.received_on).distinct().order_by(stale_days.c.received_on)
        days = list(connection.execute(chosen.limit(DAYS_AT_ONCE)).scalars())
        # Only the marks that are seen now are taken away: one that is set later stays for the next time.
        marks = list(
            connection.execute(select(stale_days.c.mark).where(stale_days.c.received_on.in_(days))).scalars()
        )
        for table in pair_tables.values():
            connection.execute(delete(table).where(table.c.received_on.in_(days)))
            counted = _counted(table).where(work_orders.c.received_on.in_(days))
            connection.execute(insert(table).from_select(list(table.c), counted))
        for start in range(0, len(marks), 10_000):
            connection.execute(delete(stale_days).where(stale_days.c.mark.in_(marks[start : start + 10_000])))
    return len(days)


def _counted(table: Table) -> Select[Any]:
    keys = [work_orders.c[column.name] for column in table.c if column.name != "volume"]
    return select(*keys, func.count().label("volume")).group_by(*keys)


def differences(engine: Engine, tables: Sequence[Table] = tuple(pair_tables.values())) -> list[date]:
    """The days, stale ones apart, on which a roll-up is not what the work orders give."""
    found: set[date] = set()
    with reading(engine) as connection:
        fresh = ~work_orders.c.received_on.in_(select(stale_days.c.received_on))
        for table in tables:
            held = select(table).where(~table.c.received_on.in_(select(stale_days.c.received_on)))
            counted = _counted(table).where(fresh)
            both = union_all(
                held.except_(counted).subquery().select(), counted.except_(held).subquery().select()
            ).subquery()
            found.update(connection.execute(select(both.c.received_on).distinct()).scalars())
    return sorted(found)

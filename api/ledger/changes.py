"""Changes: what was written together, and in which order the feed tells of it.

A sequence gives out its numbers in another order than PostgreSQL makes the rows visible in: a reader who
has seen 8 never looks for the 7 that is committed a moment later. So a change's number says nothing of the
order. Its *position* does, and that is given after its end: whoever reads the feed first numbers, behind a
lock, the changes that are visible by now and have no position yet. A position that can be seen is thus
final, and whatever comes later has a higher one. No writer waits for that, nor for another one; and unlike
PostgreSQL's transaction ids, positions outlive a dump and its restoring elsewhere. SQLite's only writer
gives the position at once.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine, ScalarSelect, exists, func, select, update

from .change_table import changes
from .engine import advisory_lock, reading, retried, writing


def _last() -> ScalarSelect[int]:
    every = changes.alias("every")
    return select(func.coalesce(func.max(every.c.position), 0)).scalar_subquery()


# Made once: making them takes as long as doing them, where work orders come one by one.
_INSERTED = changes.insert().returning(changes.c.change_id)
_PLACED = changes.insert().values(position=_last() + 1).returning(changes.c.change_id)


def begin_change(connection: Connection, size: int, now: datetime) -> int:
    """Put down a change of this transaction, and give its number for the rows that it writes."""
    statement = _PLACED if connection.dialect.name == "sqlite" else _INSERTED
    change: int = connection.execute(statement, {"size": size, "changed_at": now}).scalar_one()
    return change


def place_changes(engine: Engine) -> None:
    """Give positions to the changes that were finished since somebody did this last."""
    if engine.dialect.name == "sqlite":
        return
    with reading(engine) as connection:
        some = connection.execute(select(exists().where(changes.c.position.is_(None)))).scalar_one()
    if some:
        retried(lambda: _place(engine))


def _place(engine: Engine) -> None:
    with writing(engine) as connection:
        # The statement after the lock sees what the lock's holder before has committed.
        advisory_lock(connection, "hotline feed")
        c = changes.c
        order = func.row_number().over(order_by=c.change_id)
        new = select(c.change_id, (_last() + order).label("position")).where(c.position.is_(None)).subquery()
        connection.execute(
            update(changes).where(c.change_id == new.c.change_id).values(position=new.c.position)
        )


def last_position(connection: Connection) -> int:
    """The position of the newest change that has one."""
    return connection.execute(select(_last())).scalar_one()

"""Keeping the ledger: what is in it, whether it agrees with itself, and what is taken away."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, and_, delete, func, insert, or_, select

from . import counts, rollups
from .change_table import changes
from .engine import reading, writing
from .imports import list_imports
from .pending import mark_stale
from .schema import (
    LABELLED,
    corrections,
    daily,
    monthly,
    monthly_cells,
    pending_counts,
    stale_days,
    tags,
    work_orders,
)


def facts(engine: Engine) -> dict[str, Any]:
    """What the ledger holds, in numbers."""
    with reading(engine) as connection:
        bounds = counts.bounds(connection)
        held = {
            "work_orders": _count(connection, select(work_orders.c.number)),
            "corrections": _count(connection, select(corrections.c.correction_id)),
            "stale_days": len(rollups.stale(connection)),
            "since": bounds[0].isoformat() if bounds else None,
            "until": bounds[1].isoformat() if bounds else None,
        }
    files = [
        {**asdict(done), "imported_at": moment.isoformat(timespec="seconds")}
        for done, moment in list_imports(engine)
    ]
    return held | {"imports": files}


def purge(engine: Engine, before: date, *, whole: bool, dry_run: bool) -> int:
    """Take away titles and texts of work orders received before a day, or the work orders as a `whole`."""
    c = work_orders.c
    old = c.received_on < before
    if not whole:
        old = and_(old, or_(c.title.is_not(None), c.text.is_not(None)))
    with writing(engine) as connection:
        found = _count(connection, select(c.number).where(old))
        if not dry_run and whole:
            days = set(connection.execute(select(c.received_on).where(old).distinct()).scalars())
            connection.execute(delete(work_orders).where(old))
            if days:
                mark_stale(connection, days)
        elif not dry_run:
            connection.execute(work_orders.update().where(old).values(title=None, text=None))
    return found


def rebuild(engine: Engine) -> int:
    """Make every roll-up again; give the number of days."""
    with rollups.remaking(engine) as connection:
        for table in (*daily.values(), *monthly.values(), monthly_cells, pending_counts):
            connection.execute(delete(table))
        days = select(work_orders.c.received_on).distinct()
        connection.execute(insert(stale_days).from_select(["received_on"], days))
    return rollups.refresh(engine)


def check(engine: Engine) -> list[str]:
    """What does not agree: roll-ups with work orders, effective labels with tags and corrections."""
    found = []
    days = rollups.differences(engine)
    if days:
        found.append(f"{len(days)} 天的汇总与逐条计数不同（{days[0].isoformat()} 起）")
    with reading(engine) as connection:
        untagged = _count(
            connection,
            select(work_orders.c.number).where(~select(tags.c.number).where(_same_order()).exists()),
        )
        odd = sum(_count(connection, _odd(facet)) for facet in LABELLED)
        lost = sum(_count(connection, _outside_the_feed(table)) for table in (work_orders, corrections))
    if untagged:
        found.append(f"{untagged} 条工单没有标签")
    if odd:
        found.append(f"{odd} 处有效标签既不是更正，也不是模型的标签")
    if lost:
        found.append(f"{lost} 条工单或更正不属于任何变动，不会出现在变动流里")
    return found


def _outside_the_feed(table: Table) -> Select[Any]:
    """Rows whose change is not there."""
    there = select(changes.c.change_id).where(changes.c.change_id == table.c.change_id)
    return select(table.c.number).where(~there.exists())


def _same_order() -> Any:
    return tags.c.number == work_orders.c.number


def _odd(facet: str) -> Select[Any]:
    """Work orders whose effective label nobody gave: no model, and no person whose correction stands."""
    effective = work_orders.c[facet]
    by_model = select(tags.c.number).where(_same_order(), tags.c[facet] == effective)
    every = corrections.alias("every")
    last = (
        select(func.max(every.c.correction_id))
        .where(every.c.number == work_orders.c.number, every.c.facet == facet)
        .correlate(work_orders)
        .scalar_subquery()
    )
    of_person = select(corrections.c.label).where(corrections.c.correction_id == last)
    standing = of_person.correlate(work_orders).scalar_subquery()
    return select(work_orders.c.number).where(
        or_(and_(standing.is_(None), ~by_model.exists()), and_(standing.is_not(None), standing != effective))
    )


def _count(connection: Connection, of: Select[Any]) -> int:
    return connection.execute(select(func.count()).select_from(of.subquery())).scalar_one()

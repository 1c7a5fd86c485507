"""Counting: questions as SQL. No work order comes into Python for it.

A question about at most two facets is answered from their roll-up, stale days from the work orders; one
about more from the work orders' covering index. Days become periods and numbers codes only after the
first sum, when there are few rows left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Integer,
    Select,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from ..periods import By
from .labels import numbers_of
from .schema import DERIVED, labels, pair_tables, stale_days, work_orders

_PARTNERS = ("urgent", "scope_detail", "channel", "request_type")  # few labels each: their roll-ups are small


@dataclass(frozen=True)
class Question:
    """What is to be counted, from `since` to the day before `until`.

    `facets` are at most two, by whose labels it is counted; `where` are the codes of which a facet must
    have one; `private` asks for the private-interest requests among them, too.
    """

    since: date
    until: date
    by: By | None = None
    facets: tuple[str, ...] = ()
    where: Mapping[str, Collection[str]] = field(default_factory=dict)
    private: bool = False

    @property
    def columns(self) -> list[str]:
        """The facets that work orders have columns for, of which the answer depends."""
        named = [*self.facets, *self.where, *(["scope"] if self.private else [])]
        return list(dict.fromkeys(DERIVED.get(name, name) for name in named))


class Count(NamedTuple):
    """Work orders of one period and one label of each facet, in the question's order."""

    start: date | None  # of the whole period; None where the question has no periods
    codes: tuple[str, ...]
    volume: int
    private: int


def count(connection: Connection, question: Question) -> list[Count]:
    """The work orders by period and label, without those of which there are none."""
    rows = connection.execute(_statement(connection, question))
    places = len(question.facets)
    return [Count(_day(row[0]), tuple(row[1 : 1 + places]), row[-2], row[-1] or 0) for row in rows if row[-2]]


def bounds(connection: Connection) -> tuple[date, date] | None:
    """The first and the last day with a work order."""
    day = work_orders.c.received_on
    first = connection.execute(select(func.min(day))).scalar_one()
    last = connection.execute(select(func.max(day))).scalar_one()
    return (first, last) if first else None


def _statement(connection: Connection, question: Question) -> Select[Any]:
    summed = _summed(question).subquery("summed")
    period = _period_start(connection, summed.c.received_on, question.by) if question.by else None
    codes: list[ColumnElement[Any]] = []
    joined: FromClause = summed
    for place, facet in enumerate(question.facets):
        label = labels.alias(f"label_{place}")
        joined = joined.join(label, label.c.label_id == summed.c[DERIVED.get(facet, facet)])
        if facet in DERIVED:
            parent = labels.alias(f"parent_{place}")
            joined = joined.join(parent, parent.c.label_id == label.c.parent)
            label = parent
        codes.append(label.c.code)
    keys = ([period] if period is not None else []) + codes
    first = period if period is not None else null()
    totals = (func.sum(summed.c.volume), func.sum(summed.c.private))
    return (
        select(first, *codes, *(cast(total, Integer) for total in totals)).select_from(joined).group_by(*keys)
    )


def _summed(question: Question) -> Select[Any]:
    """By day (where periods are asked for) and number of each facet."""
    counted = _counted(question).subquery("counted")
    facets = dict.fromkeys(DERIVED.get(facet, facet) for facet in question.facets)
    keys = [counted.c[facet] for facet in facets]
    if question.by:
        keys.append(counted.c.received_on)
    volume = func.sum(counted.c.volume).label("volume")
    private: ColumnElement[Any] = literal(0)
    if question.private:
        is_private = counted.c.scope_detail.in_(numbers_of("scope", ["private"]))
        private = func.sum(case((is_private, counted.c.volume), else_=0))
    return select(*keys, volume, private.label("private")).group_by(*keys)


def _counted(question: Question) -> Any:
    columns = question.columns
    if len(columns) > 2:
        return _rows(question, work_orders, literal(1))
    pair = (columns + [name for name in _PARTNERS if name not in columns])[:2]
    table = pair_tables[frozenset(pair)]
    is_stale = select(stale_days.c.received_on)
    rolled = _rows(question, table, table.c.volume).where(~table.c.received_on.in_(is_stale))
    raw = _rows(question, work_orders, literal(1)).where(work_orders.c.received_on.in_(is_stale))
    return union_all(rolled, raw)


def _rows(question: Question, table: Any, volume: ColumnElement[Any]) -> Select[Any]:
    c = table.c
    wanted = [c.received_on >= question.since, c.received_on < question.until]
    for facet, codes in question.where.items():
        wanted.append(c[DERIVED.get(facet, facet)].in_(numbers_of(facet, codes)))
    return select(c.received_on, *(c[name] for name in question.columns), volume.label("volume")).where(
        *wanted
    )


def _period_start(connection: Connection, day: ColumnElement[Any], by: By) -> ColumnElement[Any]:
    if by == "day":
        return day
    if connection.dialect.name == "postgresql":
        return cast(func.date_trunc(by, day), Date)  # its weeks are ISO's
    if by == "week":
        return func.date(day, "-6 days", "weekday 1")
    if by == "month":
        return func.substr(day, 1, 7).concat("-01")
    if by == "year":
        return func.substr(day, 1, 4).concat("-01-01")
    month = func.substr(day, 6, 2)
    quarter = case(
        (month <= "03", "-01-01"), (month <= "06", "-04-01"), (month <= "09", "-07-01"), else_="-10-01"
    )
    return func.substr(day, 1, 4).concat(quarter)


def _day(value: date | str | None) -> date | None:
    """A period's first day; SQLite's functions give it as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value

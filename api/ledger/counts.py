"""Counting: questions as SQL. No work order comes into Python for it.

An answer is added up from roll-ups: whole months, the days at the ends of the range (all days, where days
or weeks are asked for), what has changed since they were made, and stale days from the work orders' covering
index. By day there are roll-ups of
two facets each; of a question about more, days are counted from the work orders. Days become periods and
numbers codes after the sums, when there are few rows left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from ..periods import By, Period, period_start
from .labels import numbers_of
from .period_sql import first_day
from .rollups import stale
from .schema import DERIVED, daily, labels, monthly, monthly_cells, pending_counts, work_orders

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
        """The facets that work orders have columns for, on which the answer depends."""
        named = [*self.facets, *self.where, *(["scope"] if self.private else [])]
        return list(dict.fromkeys(DERIVED.get(name, name) for name in named))


class Count(NamedTuple):
    """Work orders of one period and one label of each facet, in the question's order."""

    start: date | None  # of the whole period; None where the question has no periods
    codes: tuple[str, ...]
    volume: int
    private: int


@dataclass(frozen=True)
class _Numbers:
    """What a question names, as the tables hold it."""

    where: Mapping[str, Sequence[int]]  # column -> labels, one of which it must have
    private: Sequence[int]


def count(connection: Connection, question: Question) -> list[Count]:
    """The work orders by period and label, without those of which there are none."""
    where: dict[str, Sequence[int]] = {}
    for facet, codes in question.where.items():
        found: list[int] = list(connection.scalars(numbers_of(facet, codes)))
        column = DERIVED.get(facet, facet)
        where[column] = [number for number in found if number in where.get(column, found)]
    private: list[int] = list(connection.scalars(numbers_of("scope", ["private"])))
    pieces = _pieces(question, _Numbers(where, private), stale(connection))
    # Past SQLAlchemy's own rows: three years by day have a hundred thousand.
    rows = connection.execute(_named(connection, question, union_all(*pieces))).cursor.fetchall()
    days = _Known(_day)
    named = {row.label_id: row.code for row in connection.execute(select(labels.c.label_id, labels.c.code))}
    codes = _Known(lambda numbers: tuple(named[number] for number in numbers))
    made = tuple.__new__  # of so many, in half the time of the class's own way
    return [made(Count, (days[row[0]], codes[row[1:-2]], row[-2], row[-1])) for row in rows]


class _Known(dict[Any, Any]):
    """What a function makes of each value, made once: equal ones become one object."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        made = self[value] = self._make(value)
        return made


def bounds(connection: Connection) -> tuple[date, date] | None:
    """The first and the last day with a work order."""
    day = work_orders.c.received_on
    first = connection.execute(select(func.min(day))).scalar_one()
    last = connection.execute(select(func.max(day))).scalar_one()
    return (first, last) if first else None


def _named(connection: Connection, question: Question, sums: CompoundSelect[Any]) -> Select[Any]:
    """Sums by period and the facets' own numbers, of sums by day (or month) and the columns' numbers."""
    summed = sums.subquery("summed")
    period = first_day(connection, summed.c.received_on, question.by) if question.by else None
    numbers: list[ColumnElement[Any]] = []
    joined: FromClause = summed
    for place, facet in enumerate(question.facets):
        number = summed.c[DERIVED.get(facet, facet)]
        if facet in DERIVED:
            label = labels.alias(f"label_{place}")
            joined = joined.join(label, label.c.label_id == number)
            number = label.c.parent
        numbers.append(number)
    keys = ([period] if period is not None else []) + numbers
    first = period if period is not None else null()
    volume, private = (cast(func.sum(summed.c[name]), Integer) for name in ("volume", "private"))
    return select(first, *numbers, volume, private).select_from(joined).group_by(*keys).having(volume > 0)


def _pieces(question: Question, numbers: _Numbers, days: Sequence[date]) -> Iterator[Select[Any]]:
    """What is to be added up: whole months, days, differences to these, and the work orders of stale days."""
    columns = question.columns
    since, until = question.since, question.until
    few = len(columns) <= 2
    pair = frozenset((columns + [name for name in _PARTNERS if name not in columns])[:2])
    ranges = [(since, until)]
    rolled: list[ColumnElement[bool]] = []  # which of the differences belong to the roll-ups that are read
    if question.by not in ("day", "week"):
        months, ranges = _split(since, until, days)
        table = monthly[pair] if few else monthly_cells
        if months:
            yield _rows(question, numbers, table, [_between(table, *months), _not_of(table, _starts(days))])
            cut = [_between(pending_counts, *one) for one in ranges]
            rolled.append(and_(_between(pending_counts, *months), *(~one for one in cut)))
    table = daily[pair] if few else work_orders
    if ranges:
        inside = or_(*(_between(table, *one) for one in ranges))
        yield _rows(question, numbers, table, [inside, _not_of(table, days)])
        if few:
            rolled += [_between(pending_counts, *one) for one in ranges]
    if rolled:
        yield _rows(question, numbers, pending_counts, [or_(*rolled), _not_of(pending_counts, days)])
    raw = [day for day in days if since <= day < until]
    if raw or not ranges:
        yield _rows(question, numbers, work_orders, [work_orders.c.received_on.in_(raw)])


def _split(
    since: date, until: date, days: Sequence[date]
) -> tuple[tuple[date, date] | None, list[tuple[date, date]]]:
    """The whole months of a range, and what is not of a whole month without a stale day."""
    first = period_start(since, "month")
    first = first if first == since else Period(first, first, "month").whole.until
    last = period_start(until, "month")
    if first >= last:
        return None, [(since, until)]
    ends = [(since, first), (last, until)]
    of_stale = [Period(start, start, "month").whole for start in _starts(days) if first <= start < last]
    ranges = [*ends, *((month.start, month.until) for month in of_stale)]
    return (first, last), [one for one in ranges if one[0] < one[1]]


def _starts(days: Sequence[date]) -> list[date]:
    return sorted({period_start(day, "month") for day in days})


def _between(table: Table, since: date, until: date) -> ColumnElement[bool]:
    return and_(table.c.received_on >= since, table.c.received_on < until)


def _not_of(table: Table, days: Sequence[date]) -> ColumnElement[bool]:
    return table.c.received_on.not_in(days)


def _rows(
    question: Question, numbers: _Numbers, table: Table, wanted: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    c = table.c
    labelled = [
        c[name] == found[0] if len(found) == 1 else c[name].in_(found)
        for name, found in numbers.where.items()
    ]
    keys = [
        c.received_on,
        *(c[name] for name in dict.fromkeys(DERIVED.get(one, one) for one in question.facets)),
    ]
    many = c.volume if "volume" in c else literal(1)
    private: ColumnElement[Any] = literal(0)
    if question.private:
        private = func.sum(case((c.scope_detail.in_(numbers.private), many), else_=0))
    # Each piece is summed by itself: in the order of its key, without sorting.
    summed = select(*keys, func.sum(many).label("volume"), private.label("private")).group_by(*keys)
    return summed.where(*wanted, *labelled)


def _day(value: date | str | None) -> date | None:
    """A period's first day; SQLite's functions give it as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value

"""Days, ISO weeks, months, quarters and years, as statistics are cut: in Asia/Shanghai, ends exclusive.

A period may be clipped, at its start by where the question begins and at its end by today; it is
compared with the same part of its base.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Literal, get_args

By = Literal["day", "week", "month", "quarter", "year"]
Compare = Literal["year", "period"]
BYS: tuple[By, ...] = get_args(By)

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1992

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From `start` to the day before `until`; `by` says what it is a whole or a part of."""

    start: date
    until: date
    by: By | None = None

    @property
    def whole(self) -> Period:
        """The whole day, week, month, quarter or year that this is a part of."""
        if self.by is None:
            return self
        start = period_start(self.start, self.by)
        return Period(start, _next(start, self.by), self.by)

    @property
    def is_partial(self) -> bool:
        """Whether a part of it is missing."""
        return self != self.whole

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until - _DAY

    @property
    def label(self) -> str:
        """What people read: `2024年第28周 7月8日—7月14日`."""
        name = self._name()
        if self.by == "day":
            return name
        return f"{name} {self._dates()}" if self.by == "week" or self.is_partial or not self.by else name

    def _name(self) -> str:
        start = self.whole.start
        if self.by == "day":
            return start.isoformat()
        if self.by == "week":
            iso = start.isocalendar()
            return f"{iso.year}年第{iso.week}周"
        if self.by == "month":
            return f"{start.year}年{start.month}月"
        if self.by == "quarter":
            return f"{start.year}年第{(start.month + 2) // 3}季度"
        return f"{start.year}年" if self.by == "year" else ""

    def _dates(self) -> str:
        first, last = self.start, self.last
        if self.by in ("week", "month", "quarter", "year") and first.year == last.year:
            return f"{first.month}月{first.day}日—{last.month}月{last.day}日"
        return f"{first.isoformat()}—{last.isoformat()}"


def today() -> date:
    """The day that it is in Guangdong."""
    return datetime.now(SHANGHAI).date()


def period_start(day: date, by: By) -> date:
    """The first day of the period that holds a day."""
    if by == "day":
        return day
    if by == "week":
        return day - timedelta(days=day.weekday())
    if by == "month":
        return day.replace(day=1)
    if by == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def _next(start: date, by: By) -> date:
    if by in ("day", "week"):
        return start + timedelta(days=1 if by == "day" else 7)
    months = {"month": 1, "quarter": 3, "year": 12}[by]
    return _months_later(start, months)


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    return date(day.year + month // 12, month % 12 + 1, 1)


def periods(since: date, until: date, by: By | None) -> Iterator[Period]:
    """All periods between two days, none left out, the first and last clipped to them."""
    if by is None:
        yield Period(since, until)
        return
    start = period_start(since, by)
    while start < until:
        after = _next(start, by)
        yield Period(max(start, since), min(after, until), by)
        start = after


def base_of(period: Period, compare: Compare) -> Period | None:
    """The period to compare with, cut where `period` is; None where the calendar has none.

    `year`: the same day, ISO week, month, quarter a year before (29 February and some 53rd weeks have
    none). `period`: the one directly before.
    """
    if period.by is None:
        return _range_before(period, compare)
    whole = period.whole
    if compare == "period":
        before = Period(period_start(whole.start - _DAY, period.by), whole.start, period.by)
    else:
        start = _year_before(whole.start, period.by)
        if start is None:
            return None
        before = Period(start, _next(start, period.by), period.by)
    return _cut_alike(period, whole, before, compare)


def _cut_alike(period: Period, whole: Period, before: Period, compare: Compare) -> Period:
    """The part of `before` that `period` is of `whole`: by the calendar's day, else by the days passed."""
    start = before.start + (period.start - whole.start)
    until = before.start + (period.until - whole.start)
    if compare == "year" and period.by in ("month", "quarter", "year"):
        start, until = _same_day(period.start, -1), _same_day(period.until, -1)
    if period.until == whole.until:
        until = before.until
    if period.start == whole.start:
        start = before.start
    return Period(min(start, before.until), min(until, before.until), before.by)


def _range_before(period: Period, compare: Compare) -> Period:
    if compare == "year":
        return Period(_same_day(period.start, -1), _same_day(period.until, -1))
    return Period(period.start - (period.until - period.start), period.start)


def _year_before(start: date, by: By) -> date | None:
    if by == "week":
        iso = start.isocalendar()
        try:
            return date.fromisocalendar(iso.year - 1, iso.week, 1)
        except ValueError:
            return None
    if by == "day" and (start.month, start.day) == (2, 29):
        return None
    return start.replace(year=start.year - 1)


def _same_day(day: date, years: int) -> date:
    """The same day of another year; of 29 February, the day after 28 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def parse_day(written: str, *, last: bool = False) -> date | None:
    """The first, or last, day of `2026`, `2026-07` or `2026-07-08`; None if it is no date."""
    parts = written.strip().split("-")
    try:
        numbers = [int(part) for part in parts]
        if len(numbers) == 1 and len(parts[0]) == 4:
            period = Period(date(numbers[0], 1, 1), date(numbers[0] + 1, 1, 1))
        elif len(numbers) == 2:
            start = date(numbers[0], numbers[1], 1)
            period = Period(start, _next(start, "month"))
        else:
            day = date(*numbers)
            period = Period(day, day + _DAY)
    except (ValueError, TypeError, OverflowError):
        return None
    return period.last if last else period.start


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Guangdong."""
    return datetime.combine(day, datetime.min.time(), SHANGHAI)

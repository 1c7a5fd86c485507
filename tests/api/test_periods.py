from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.periods import BYS, Period, base_of, parse_day, period_start, periods

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def whole(day, by):
    return Period(day, day, by).whole


@settings(deadline=None)
@given(since=DAYS, length=st.integers(1, 800), by=st.sampled_from(BYS))
def test_periods_cover_every_day_once_and_in_order(since, length, by):
    until = date.fromordinal(since.toordinal() + length)
    found = list(periods(since, until, by))
    assert found[0].start == since
    assert found[-1].until == until
    assert all(one.until == other.start for one, other in pairwise(found))
    assert all(not one.is_partial for one in found[1:-1])


@settings(deadline=None)
@given(day=DAYS)
def test_weeks_begin_on_monday_and_agree_with_iso(day):
    start = period_start(day, "week")
    assert start.weekday() == 0
    assert start.isocalendar()[:2] == day.isocalendar()[:2]


@pytest.mark.parametrize(
    ("period", "label"),
    [
        (Period(date(2024, 7, 8), date(2024, 7, 15), "week"), "2024年第28周 7月8日—7月14日"),
        (Period(date(2024, 12, 30), date(2025, 1, 6), "week"), "2025年第1周 2024-12-30—2025-01-05"),
        (Period(date(2024, 7, 8), date(2024, 7, 9), "day"), "2024-07-08"),
        (Period(date(2024, 7, 1), date(2024, 8, 1), "month"), "2024年7月"),
        (Period(date(2024, 7, 1), date(2024, 7, 20), "month"), "2024年7月 7月1日—7月19日"),
        (Period(date(2024, 4, 1), date(2024, 7, 1), "quarter"), "2024年第2季度"),
        (Period(date(2024, 1, 1), date(2025, 1, 1), "year"), "2024年"),
    ],
)
def test_a_label_says_what_it_is_and_both_dates_where_they_are_not_plain(period, label):
    assert period.label == label


@pytest.mark.parametrize(
    ("day", "by", "compare", "base"),
    [
        (date(2025, 3, 5), "month", "year", Period(date(2024, 3, 1), date(2024, 4, 1), "month")),
        (date(2025, 3, 5), "month", "period", Period(date(2025, 2, 1), date(2025, 3, 1), "month")),
        (date(2025, 1, 5), "quarter", "period", Period(date(2024, 10, 1), date(2025, 1, 1), "quarter")),
        (date(2025, 1, 5), "year", "period", Period(date(2024, 1, 1), date(2025, 1, 1), "year")),
        (date(2024, 2, 29), "day", "year", None),
        (date(2024, 3, 1), "day", "year", Period(date(2023, 3, 1), date(2023, 3, 2), "day")),
        (date(2024, 7, 8), "week", "year", Period(date(2023, 7, 10), date(2023, 7, 17), "week")),
        (date(2020, 12, 31), "week", "year", None),  # the 53rd week of 2020; 2019 has 52
        (date(2021, 1, 4), "week", "period", Period(date(2020, 12, 28), date(2021, 1, 4), "week")),
    ],
)
def test_the_base_is_the_same_a_year_before_or_the_one_before(day, by, compare, base):
    assert base_of(whole(day, by), compare) == base


@pytest.mark.parametrize(
    ("period", "compare", "base"),
    [
        # a month that has come to the 26th against the first 26 days
        ((date(2026, 11, 1), date(2026, 11, 27), "month"), "year", (date(2025, 11, 1), date(2025, 11, 27))),
        ((date(2026, 11, 1), date(2026, 11, 27), "month"), "period", (date(2026, 10, 1), date(2026, 10, 27))),
        # the 31st of March has no counterpart in February
        ((date(2026, 3, 1), date(2026, 3, 31), "month"), "period", (date(2026, 2, 1), date(2026, 3, 1))),
        # a year that has come to the 29th of February against the year before, up to the 28th
        ((date(2024, 1, 1), date(2024, 3, 1), "year"), "year", (date(2023, 1, 1), date(2023, 3, 1))),
        ((date(2024, 1, 1), date(2024, 2, 29), "year"), "year", (date(2023, 1, 1), date(2023, 3, 1))),
        # a week's first three days
        ((date(2024, 7, 8), date(2024, 7, 11), "week"), "year", (date(2023, 7, 10), date(2023, 7, 13))),
        # no periods: the range itself
        ((date(2025, 1, 1), date(2026, 1, 1), None), "year", (date(2024, 1, 1), date(2025, 1, 1))),
        ((date(2025, 1, 11), date(2025, 1, 21), None), "period", (date(2025, 1, 1), date(2025, 1, 11))),
    ],
)
def test_a_part_is_compared_with_the_same_part(period, compare, base):
    found = base_of(Period(*period), compare)
    assert (found.start, found.until) == base


@settings(deadline=None)
@given(
    start=DAYS,
    length=st.integers(1, 400),
    by=st.sampled_from((*BYS, None)),
    compare=st.sampled_from(("year", "period")),
)
def test_a_base_lies_before_and_is_no_longer_than_its_kind(start, length, by, compare):
    for period in periods(start, date.fromordinal(start.toordinal() + length), by):
        base = base_of(period, compare)
        if base is not None:
            assert base.start < period.start
            assert base.start <= base.until
            assert base.whole.start <= base.start
            assert base.until <= base.whole.until


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-07-08", date(2024, 7, 8), date(2024, 7, 8)),
        (" 2024-7-8 ", date(2024, 7, 8), date(2024, 7, 8)),
    ],
)
def test_a_day_a_month_and_a_year_may_be_written(written, first, last):
    assert parse_day(written) == first
    assert parse_day(written, last=True) == last


@pytest.mark.parametrize(
    "written", ["", "24", "2024-13", "2024-02-30", "2024-07-08-09", "昨天", "2024/07/08", "99999-01"]
)
def test_what_is_no_day_is_none(written):
    assert parse_day(written) is None

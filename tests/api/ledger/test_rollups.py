from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from api.ledger import rollups
from api.ledger.counts import Question
from api.ledger.engine import reading, writing
from api.ledger.schema import daily, monthly, monthly_cells, work_orders
from tests.api.conftest import entry

PAIR = frozenset(("category", "district"))
YEAR = Question(date(2025, 1, 1), date(2026, 1, 1), "month", ("category",))


def stale(ledger):
    with reading(ledger.engine) as connection:
        return rollups.stale(connection)


def volumes(ledger):
    (counts,) = ledger.count(YEAR)
    return {(count.start, *count.codes): count.volume for count in counts}


def test_recording_makes_days_stale_and_refreshing_fresh(ledger):
    ledger.record([entry("A1", "2025-03-10"), entry("A2", "2025-03-12"), entry("A3", "2025-03-10")])
    assert stale(ledger) == [date(2025, 3, 10), date(2025, 3, 12)]
    assert rollups.refresh(ledger.engine) == 2
    assert stale(ledger) == []
    assert rollups.refresh(ledger.engine) == 0
    assert rollups.differences(ledger.engine) == []


def test_counts_are_the_same_before_and_after_refreshing(ledger):
    ledger.record([entry(f"A{day}", f"2025-03-{day:02}") for day in range(1, 6)])
    before = volumes(ledger)
    ledger.settle()
    assert volumes(ledger) == before == {(date(2025, 3, 1), "environment.air"): 5}


def test_a_stale_day_in_a_fresh_month_is_counted_once(ledger):
    ledger.record([entry(f"A{day}", f"2025-03-{day:02}") for day in range(1, 29)])
    ledger.settle()
    ledger.record([entry("B1", "2025-03-10"), entry("A10", "2025-03-10", category="municipal.road")])
    assert volumes(ledger) == {
        (date(2025, 3, 1), "environment.air"): 28,
        (date(2025, 3, 1), "municipal.road"): 1,
    }


def test_the_roll_up_is_what_is_read_and_not_the_work_orders(ledger):
    ledger.record([entry("A1", "2025-03-10")])
    ledger.settle()
    with writing(ledger.engine) as connection:
        for table in monthly.values():
            connection.execute(update(table).values(volume=41))
    assert volumes(ledger) == {(date(2025, 3, 1), "environment.air"): 41}


@pytest.mark.parametrize("table", [daily[PAIR], monthly[PAIR], monthly_cells], ids=str)
@pytest.mark.parametrize("harm", ["more", "less"])
def test_a_roll_up_that_is_wrong_is_found_and_can_be_made_again(ledger, table, harm):
    ledger.record([entry("A1", "2025-03-10"), entry("A2", "2025-04-11")])
    ledger.settle()
    assert ledger.check() == []
    with writing(ledger.engine) as connection:
        change = delete(table) if harm == "less" else update(table).values(volume=2)
        connection.execute(change.where(table.c.received_on < date(2025, 4, 1)))
    (found,) = ledger.check()
    assert "2025-03" in found
    assert ledger.rebuild() == 2
    assert ledger.check() == []


def test_a_mark_that_is_set_while_others_are_worked_off_stays(ledger):
    ledger.record([entry("A1", "2025-03-10")])
    with writing(ledger.engine) as connection:
        assert rollups.stale(connection) == [date(2025, 3, 10)]
    ledger.record([entry("A2", "2025-05-10")])
    assert rollups._refresh_some(ledger.engine) == 1
    assert stale(ledger) == [date(2025, 5, 10)]


def test_recording_what_is_there_already_makes_no_day_stale(ledger):
    ledger.record([entry("A1", "2025-03-10"), entry("A2", "2025-03-12")])
    ledger.settle()
    ledger.record([entry("A1", "2025-03-10"), entry("A2", "2025-03-12", urgent="1")])
    assert stale(ledger) == [date(2025, 3, 12)]


def test_more_days_than_one_transaction_takes_are_refreshed(ledger):
    days = [date.fromordinal(date(2025, 1, 1).toordinal() + number) for number in range(150)]
    ledger.record([entry(f"A{number}", day.isoformat()) for number, day in enumerate(days)])
    assert rollups.refresh(ledger.engine) == 150
    assert rollups.differences(ledger.engine) == []
    assert sum(volumes(ledger).values()) == 150


ORDERS = st.lists(
    st.tuples(
        st.integers(0, 15),  # id
        st.dates(date(2024, 12, 20), date(2025, 2, 10)),
        st.sampled_from(["environment.air", "environment.water", "municipal.road"]),
        st.sampled_from(["蓬江区", "新会区", ""]),
        st.booleans(),  # whether the roll-ups are refreshed afterwards
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=ORDERS, since=st.dates(date(2024, 12, 1), date(2025, 2, 10)), days=st.integers(1, 60))
def test_whatever_is_recorded_and_refreshed_counts_are_those_of_the_work_orders(ledger, orders, since, days):
    with writing(ledger.engine) as connection:
        connection.execute(delete(work_orders))
        for table in (*daily.values(), *monthly.values(), monthly_cells):
            connection.execute(delete(table))
    for number, day, category, district, refreshed in orders:
        ledger.record([entry(f"A{number}", day.isoformat(), category=category, district=district)])
        if refreshed:
            rollups.refresh(ledger.engine)
    until = date.fromordinal(since.toordinal() + days)
    last = {number: (day, category, district) for number, day, category, district, _ in orders}
    inside = [one for one in last.values() if since <= one[0] < until]
    for by, where in (
        (None, {}),
        ("month", {}),
        ("week", {}),
        (None, {"urgent": ["0"]}),
        ("week", {"urgent": ["0"]}),
    ):
        (counts,) = ledger.count(Question(since, until, by, ("category", "district"), where))
        found = {}
        for count in counts:
            found[count.codes] = found.get(count.codes, 0) + count.volume
        expected = {}
        for _, category, district in inside:
            expected[category, district] = expected.get((category, district), 0) + 1
        assert found == expected
    assert rollups.differences(ledger.engine) == []
    with reading(ledger.engine) as connection:
        assert len(connection.execute(select(work_orders.c.number)).all()) == len(last)

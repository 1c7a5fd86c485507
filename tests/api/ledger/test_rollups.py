import threading
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from api.ledger import pending, rollups
from api.ledger.corrections import Correction
from api.ledger.counts import Question
from api.ledger.engine import reading, writing
from api.ledger.schema import daily, monthly, monthly_cells, pending_counts, stale_days, work_orders
from tests.api.conftest import entry

PAIR = frozenset(("category", "district"))
YEAR = Question(date(2025, 1, 1), date(2026, 1, 1), "month", ("category",))


def only(way):
    """For tests of one way alone."""
    return pytest.mark.parametrize("put_down", [way], indirect=True)


@pytest.fixture(params=["differences", "days"], autouse=True)
def put_down(request, monkeypatch):
    """How changes are put down: as differences, or by marking days."""
    monkeypatch.setattr(pending, "AT_ONCE", {"differences": 1_000, "days": 0}[request.param])
    return request.param


def stale(ledger):
    with reading(ledger.engine) as connection:
        return rollups.stale(connection)


def volumes(ledger):
    (counts,) = ledger.count(YEAR)
    return {(count.start, *count.codes): count.volume for count in counts}


def differences(ledger):
    """The volumes that are put down as differences."""
    with reading(ledger.engine) as connection:
        return list(connection.scalars(select(pending_counts.c.volume).order_by(pending_counts.c.volume)))


@only("differences")
def test_recording_puts_down_differences_and_refreshing_takes_them_over(ledger):
    ledger.record([entry("A1", "2025-03-10"), entry("A2", "2025-03-12"), entry("A3", "2025-03-10")])
    assert differences(ledger) == [1, 2]
    assert stale(ledger) == []
    assert rollups.refresh(ledger.engine) == 0
    assert differences(ledger) == []
    ledger.record([entry("A1", "2025-03-11", urgent="1"), entry("A2", "2025-03-12")])
    assert differences(ledger) == [-1, 1]
    assert rollups.differences(ledger.engine) == []
    assert rollups.refresh(ledger.engine) == 0
    assert rollups.differences(ledger.engine) == []
    assert sum(volumes(ledger).values()) == 3


@only("differences")
def test_cells_that_have_become_empty_are_taken_away(ledger):
    ledger.record([entry("A1", "2025-03-10")])
    ledger.settle()
    ledger.record([entry("A1", "2025-04-10", category="municipal.road")])
    ledger.settle()
    with reading(ledger.engine) as connection:
        for table in (*daily.values(), *monthly.values(), monthly_cells):
            (only,) = connection.execute(select(table.c.received_on, table.c.volume))
            assert only.received_on.month == 4
            assert only.volume == 1


@only("differences")
def test_a_correction_puts_down_a_difference(ledger):
    ledger.record([entry("A1", "2025-03-10")])
    ledger.settle()
    ledger.correct("A1", {"category": Correction("municipal.road", "municipal")}, "王审核", "")
    assert differences(ledger) == [-1, 1]
    assert volumes(ledger) == {(date(2025, 3, 1), "municipal.road"): 1}
    ledger.correct("A1", {"category": Correction("")}, "王审核", "")
    assert volumes(ledger) == {(date(2025, 3, 1), "environment.air"): 1}
    assert ledger.check() == []


@only("differences")
def test_of_many_only_the_days_are_marked(ledger, monkeypatch):
    monkeypatch.setattr(pending, "AT_ONCE", 2)
    ledger.record([entry(f"A{day}", f"2025-03-{day:02}") for day in (1, 2, 2)])
    assert (len(differences(ledger)), stale(ledger)) == (2, [])
    ledger.record([entry(f"B{day}", f"2025-03-{day:02}") for day in (1, 2, 3)])
    assert (len(differences(ledger)), len(stale(ledger))) == (2, 3)
    assert volumes(ledger) == {(date(2025, 3, 1), "environment.air"): 5}
    ledger.settle()
    assert (len(differences(ledger)), stale(ledger)) == (0, [])
    assert volumes(ledger) == {(date(2025, 3, 1), "environment.air"): 5}


def test_nothing_counts_twice_or_not_at_all_while_others_record_and_refresh(ledger):
    """Counts only grow meanwhile, and in the end they are those of the work orders."""
    done, seen, errors = threading.Event(), [0], []

    def recording(desk):
        try:
            for number in range(60):
                ledger.record([entry(f"{desk}-{number}", f"2025-03-{number % 28 + 1:02}")])
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    def refreshing():
        while not done.is_set():
            rollups.refresh(ledger.engine)

    desks = [threading.Thread(target=recording, args=(desk,)) for desk in "ABC"]
    refreshers = [threading.Thread(target=refreshing) for _ in range(2)]
    for one in (*desks, *refreshers):
        one.start()
    while any(one.is_alive() for one in desks):
        seen.append(sum(volumes(ledger).values()))
    done.set()
    for one in (*desks, *refreshers):
        one.join()
    assert not errors
    assert seen == sorted(seen)
    assert sum(volumes(ledger).values()) == 180
    assert ledger.check() == []
    ledger.settle()
    assert ledger.check() == []


@only("days")
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


@only("days")
def test_a_mark_that_is_set_while_others_are_worked_off_stays(ledger):
    ledger.record([entry("A1", "2025-03-10")])
    with writing(ledger.engine) as connection:
        assert rollups.stale(connection) == [date(2025, 3, 10)]
    ledger.record([entry("A2", "2025-05-10")])
    assert rollups._refresh_some(ledger.engine) == 1
    assert stale(ledger) == [date(2025, 5, 10)]


@only("days")
def test_recording_what_is_there_already_makes_no_day_stale(ledger):
    ledger.record([entry("A1", "2025-03-10"), entry("A2", "2025-03-12")])
    ledger.settle()
    ledger.record([entry("A1", "2025-03-10"), entry("A2", "2025-03-12", urgent="1")])
    assert stale(ledger) == [date(2025, 3, 12)]


@only("days")
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
        for table in (*daily.values(), *monthly.values(), monthly_cells, pending_counts, stale_days):
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

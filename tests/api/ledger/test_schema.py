from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, insert, select, text, update

from api.ledger.engine import reading, writing
from api.ledger.schema import corrections, tags, work_orders
from api.periods import SHANGHAI
from classifier.errors import LedgerError
from tests.api.conftest import entry


def change(ledger, **values):
    with writing(ledger.engine) as connection:
        connection.execute(update(work_orders).values(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"work_order_id": ""},
        {"category": 0},
        {"received_on": date(1970, 1, 1)},
        {"received_on": date(2025, 3, 11)},  # not the day of received_at in Guangdong
        {"decision": "maybe"},
        {"district": None},
    ],
)
def test_a_bad_work_order_is_refused_by_the_database_itself(ledger, values):
    ledger.record([entry()])
    with pytest.raises(LedgerError, match=r"约束|出错"):
        change(ledger, **values)


@pytest.mark.parametrize("values", [{"category_confidence": 1.5}, {"decision": "error"}])
def test_bad_tags_are_refused_by_the_database_itself(ledger, values):
    ledger.record([entry()])
    with pytest.raises(LedgerError, match="约束"), writing(ledger.engine) as connection:
        connection.execute(update(tags).values(**values))


def test_a_correction_of_nobody_or_of_no_work_order_is_refused(ledger):
    row = {"number": 1, "facet": "category", "label": 1, "corrected_by": "李", "reason": ""}
    row["corrected_at"] = datetime.now(SHANGHAI)
    ledger.record([entry()])
    for wrong in ({"number": 99}, {"corrected_by": ""}, {"facet": "channel"}, {"label": 9999}):
        with pytest.raises(LedgerError, match="约束"), writing(ledger.engine) as connection:
            connection.execute(insert(corrections).values(**(row | wrong)))


def test_two_work_orders_of_one_id_are_refused_by_the_database_itself(ledger):
    ledger.record([entry("A1"), entry("A2")])
    with pytest.raises(LedgerError, match="约束"):
        change(ledger, work_order_id="A1")


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Tokyo"])
def test_half_past_midnight_on_new_year_belongs_to_the_new_year_in_every_client_zone(
    ledger, zone, monkeypatch
):
    monkeypatch.setenv("TZ", zone)
    monkeypatch.setenv("PGTZ", zone)
    moment = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)  # 2026-01-01 00:30 in Guangdong
    same = moment.astimezone(timezone(timedelta(hours=-8)))
    ledger.record([entry("A1", moment.isoformat()), entry("A2", same.isoformat())])
    with reading(ledger.engine) as connection:
        days = connection.execute(select(work_orders.c.received_on)).scalars().all()
        moments = connection.execute(select(work_orders.c.received_at)).scalars().all()
    assert days == [date(2026, 1, 1)] * 2
    assert moments == [moment] * 2
    assert {one.isoformat() for one in moments} == {"2026-01-01T00:30:00+08:00"}


def test_the_server_s_own_zone_does_not_move_a_day(ledger):
    if ledger.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no zone of its own")
    with writing(ledger.engine) as connection:
        connection.execute(text("ALTER ROLE postgres SET timezone TO 'Pacific/Kiritimati'"))
    ledger.close()
    try:
        ledger.record([entry("A1", "2026-01-01T00:30:00+08:00")])
        with reading(ledger.engine) as connection:
            day = func.to_char(work_orders.c.received_on, "YYYY-MM-DD")
            assert connection.execute(select(day)).scalar_one() == "2026-01-01"
    finally:
        with writing(ledger.engine) as connection:
            connection.execute(text("ALTER ROLE postgres RESET timezone"))

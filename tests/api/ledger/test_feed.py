from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from api.ledger.change_table import changes
from api.ledger.changes import begin_change, place_changes
from api.ledger.corrections import Correction
from api.ledger.engine import reading, writing
from api.ledger.feed import START
from api.ledger.ledger import Ledger
from api.ledger.schema import work_orders
from api.periods import SHANGHAI
from api.settings import Settings
from tests.api.conftest import entry


def read_all(ledger, most=3, after=START, **more):
    """Every event, read a few at a time, and where the next ones begin."""
    found = []
    while events := ledger.feed(after, most, **more):
        assert len(events) <= most
        found += events
        after = events[-1].cursor
    return found, after


def ids(events):
    return [one.order.work_order_id for one in events]


def test_every_work_order_comes_once_in_the_order_of_recording(ledger):
    for start in range(0, 20, 4):
        ledger.record([entry(f"A{number:02}") for number in range(start, start + 4)])
    found, after = read_all(ledger)
    assert ids(found) == [f"A{number:02}" for number in range(20)]
    assert [one.cursor for one in found] == sorted(one.cursor for one in found)
    assert ledger.feed(after, 3) == []
    ledger.record([entry("B")])
    assert ids(ledger.feed(after, 3)) == ["B"]


def test_pages_of_any_size_tell_the_same(ledger):
    for start in range(0, 12, 3):
        ledger.record([entry(f"A{number:02}") for number in range(start, start + 3)])
    ledger.correct("A03", {"urgent": Correction("1")}, "李", "")
    whole, _ = read_all(ledger, 1000)
    assert len(whole) == 13
    for most in (1, 2, 4, 5, 12):
        assert read_all(ledger, most)[0] == whole


def test_an_event_has_the_effective_labels_and_the_newest_tags(ledger):
    ledger.record([entry("A1")])
    ledger.record([entry("A1", category="environment.water", model_version="m2")])
    ledger.correct("A1", {"request_type": Correction("help")}, "李", "")
    tagged, corrected = ledger.feed(START, 10)
    assert tagged.correction is None
    assert tagged.order.labels["category"] == "environment.water"
    assert tagged.order.labels["first"] == "environment"
    assert tagged.order.labels["request_type"] == "help"
    assert tagged.corrected == {"request_type"}
    assert [one.model_version for one in tagged.order.tags] == ["m2"]
    assert tagged.order.tags[0].confidences["category"] == pytest.approx(0.9)
    assert corrected.correction.label == "help"
    assert corrected.correction.corrected_by == "李"


def test_a_withdrawn_correction_is_told_with_the_model_s_label(ledger):
    ledger.record([entry("A1")])
    for label in ("help", ""):
        ledger.correct("A1", {"request_type": Correction(label)}, "李", "")
    *_, withdrawn = ledger.feed(START, 10)
    assert withdrawn.correction.label is None
    assert withdrawn.order.labels["request_type"] == "complaint"
    assert withdrawn.corrected == frozenset()


def test_a_work_order_recorded_again_comes_again_to_who_read_it_and_once_to_who_did_not(ledger):
    ledger.record([entry("A1"), entry("A2"), entry("A3")])
    early, after = read_all(ledger)
    ledger.record([entry("A2", category="environment.water")])
    assert ids(ledger.feed(after, 10)) == ["A2"]
    assert ids(read_all(ledger)[0]) == ["A1", "A3", "A2"]
    half = early[0].cursor  # somebody who was between A1 and A2
    assert ids(read_all(ledger, after=half)[0]) == ["A3", "A2"]


def test_a_cursor_goes_on_where_its_change_is_gone(ledger):
    ledger.record([entry("A1"), entry("A2")])
    _, after = read_all(ledger)
    ledger.record([entry("A1"), entry("A2"), entry("A3")])
    assert ids(ledger.feed(after, 10)) == ["A1", "A2", "A3"]


def test_since_and_last_bound_what_is_told(ledger):
    ledger.record([entry("A1")])
    end = ledger.feed_end()
    ledger.record([entry("A2")])
    assert ids(read_all(ledger, last=end)[0]) == ["A1"]
    now = datetime.now(SHANGHAI)
    with writing(ledger.engine) as connection:
        old = now - timedelta(days=3)
        connection.execute(
            update(work_orders).where(work_orders.c.work_order_id == "A1").values(recorded_at=old)
        )
    assert ids(read_all(ledger, since=now - timedelta(days=1))[0]) == ["A2"]
    assert ids(read_all(ledger, since=now - timedelta(days=9))[0]) == ["A1", "A2"]


def test_what_is_committed_late_comes_late_but_comes(ledger):
    """The trap: a lower number that becomes visible after a higher one was read."""
    if ledger.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    ledger.record([entry("A1"), entry("A2")])
    _, after = read_all(ledger)
    with writing(ledger.engine) as slow:
        number = begin_change(slow, 1, datetime.now(SHANGHAI))
        slow.execute(update(work_orders).where(work_orders.c.work_order_id == "A1").values(change_id=number))
        ledger.record([entry("B")])  # a higher number, committed before
        found, after = read_all(ledger, after=after)
        assert ids(found) == ["B"]
    assert ids(read_all(ledger, after=after)[0]) == ["A1"]
    with reading(ledger.engine) as connection:
        late, early = connection.execute(
            select(changes.c.position).order_by(changes.c.change_id.desc()).limit(2)
        ).scalars()
        assert early > late
        gapless = connection.execute(select(changes.c.position).order_by(changes.c.position)).scalars().all()
    assert gapless == list(range(1, len(gapless) + 1))


def test_reading_waits_for_no_writer(ledger):
    if ledger.engine.dialect.name != "postgresql":
        pytest.skip("SQLite's readers wait for no writer anyway")
    with writing(ledger.engine) as slow:
        begin_change(slow, 1, datetime.now(SHANGHAI))
        ledger.record([entry("B")])
        with writing(ledger.engine) as bounded:
            bounded.execute(text("SET LOCAL statement_timeout = '2s'"))
            place_changes(ledger.engine)
        assert ids(ledger.feed(START, 10)) == ["B"]


def test_what_was_recorded_before_there_was_a_feed_is_in_it(postgresql, tmp_path, monkeypatch):
    from alembic import command

    real = command.upgrade
    for number, url in enumerate(
        (f"sqlite:///{tmp_path / 'old.db'}", postgresql.new_database("before_the_feed"))
    ):
        ledger = Ledger(Settings(database_url=url))
        monkeypatch.setattr(command, "upgrade", lambda config, _head: real(config, "0001"))
        ledger.upgrade()
        with writing(ledger.engine) as connection:
            for statement in OLD:
                connection.execute(text(statement.replace(":moment", f"'{_MOMENT}'")))
        monkeypatch.setattr(command, "upgrade", real)
        assert ledger.upgrade() is True
        found, after = read_all(ledger, 2)
        assert ids(found) == ["A1", "A2", "A3", "A1"], number
        assert [one.correction is not None for one in found] == [False, False, False, True]
        ledger.record([entry("B")])
        assert ids(ledger.feed(after, 10)) == ["B"]
        assert ledger.check() == []
        ledger.close()


_MOMENT = "2025-03-10T09:30:00.000000+08:00"
OLD = (
    "INSERT INTO labels (facet, code) VALUES ('category', 'environment.air'), ('scope_detail', 'public'), "
    "('request_type', 'complaint'), ('urgent', '0'), ('district', ''), ('channel', ''), ('department', ''), "
    "('urgent', '1')",
    "INSERT INTO work_orders (work_order_id, received_at, received_on, category, scope_detail, request_type, "
    "urgent, district, channel, department, decision, recorded_at) VALUES "
    "('A1', :moment, '2025-03-10', 1, 2, 3, 8, 5, 6, 7, 'auto', :moment), "
    "('A2', :moment, '2025-03-10', 1, 2, 3, 4, 5, 6, 7, 'auto', :moment), "
    "('A3', :moment, '2025-03-10', 1, 2, 3, 4, 5, 6, 7, 'auto', :moment)",
    "INSERT INTO tags (number, model_version, taxonomy_version, category, scope_detail, request_type, "
    "urgent, decision, tagged_at) "
    "SELECT number, 'm1', 't1', 1, 2, 3, 4, 'auto', recorded_at FROM work_orders",
    "INSERT INTO corrections (number, facet, label, corrected_by, corrected_at, reason) "
    "SELECT number, 'urgent', 8, '李', recorded_at, '' FROM work_orders WHERE work_order_id = 'A1'",
    "INSERT INTO stale_days (received_on) VALUES ('2025-03-10')",
)
"""A ledger of three work orders and a correction, before there was a feed."""

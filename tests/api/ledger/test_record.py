import multiprocessing
from datetime import date

import pytest
from sqlalchemy import func, select

from api.ledger.counts import Question
from api.ledger.engine import reading
from api.ledger.entry import Given
from api.ledger.ledger import Ledger
from api.ledger.schema import tags, work_orders
from api.settings import Settings
from tests.api.conftest import entry

SINCE, UNTIL = date(2025, 1, 1), date(2026, 1, 1)
PHONE = "13800138000"
PROCESSES = 8


def volume(ledger, *facets, **where):
    (counts,) = ledger.count(Question(SINCE, UNTIL, None, facets, where))
    return {count.codes: count.volume for count in counts}


def rows(ledger, table):
    with reading(ledger.engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def stored_text(ledger):
    return ledger.find("A1").text


def test_recording_twice_in_two_calls_counts_once(ledger):
    first, second = ledger.record([entry("A1")]), ledger.record([entry("A1")])
    assert (first.new, first.again) == (1, 0)
    assert (second.new, second.again) == (0, 1)
    assert volume(ledger) == {(): 1}
    assert rows(ledger, work_orders) == rows(ledger, tags) == 1


def test_recording_twice_in_one_call_counts_once_and_the_last_one_counts(ledger):
    done = ledger.record([entry("A1"), entry("A2"), entry("A1", category="municipal.road")])
    assert (done.new, done.again) == (2, 0)
    assert volume(ledger, "category") == {("environment.air",): 1, ("municipal.road",): 1}


def test_many_thousand_are_recorded_in_several_transactions(ledger):
    entries = [entry(f"A{number:05}") for number in range(10_050)]
    assert ledger.record(entries).new == 10_050
    again = ledger.record(entries[::-1])
    assert (again.new, again.again) == (0, 10_050)
    assert volume(ledger) == {(): 10_050}


def test_tagging_again_replaces_the_tags_that_are_counted(ledger):
    ledger.record([entry("A1"), entry("A2")])
    ledger.record([entry("A1", category="municipal.road", model_version="m2", decision="review")])
    assert volume(ledger, "category") == {("environment.air",): 1, ("municipal.road",): 1}
    found = ledger.find("A1")
    assert found.decision == "review"
    assert [(one.model_version, one.labels["category"]) for one in found.tags] == [
        ("m2", "municipal.road"),
        ("m1", "environment.air"),
    ]


def test_tagging_again_with_the_same_model_keeps_one_set_of_tags(ledger):
    ledger.record([entry("A1")])
    ledger.record([entry("A1", category="municipal.road")])
    (only,) = ledger.find("A1").tags
    assert only.labels["category"] == "municipal.road"


def test_a_work_order_that_moves_to_another_day_is_counted_there_alone(ledger):
    ledger.record([entry("A1", "2025-03-10")])
    ledger.settle()
    ledger.record([entry("A1", "2025-07-01")])
    (counts,) = ledger.count(Question(SINCE, UNTIL, "month"))
    assert [(count.start, count.volume) for count in counts] == [(date(2025, 7, 1), 1)]


def test_the_impossible_is_refused_with_its_place_and_the_rest_recorded(ledger):
    entries = [entry("A1"), entry("A2", "2999-01-01"), entry("", "2025-01-01"), entry("A4")]
    done = ledger.record(entries)
    assert done.recorded == 2
    assert [(one.index, one.field) for one in done.refused] == [(1, "received_at"), (2, "work_order_id")]
    assert volume(ledger) == {(): 2}


def test_nothing_to_record_is_no_mistake(ledger):
    assert ledger.record([]).recorded == 0


@pytest.mark.parametrize(
    ("store_text", "kept"),
    [("none", None), ("masked", "请打138****8000"), ("full", f"请打{PHONE}")],
)
def test_texts_are_kept_as_the_setting_says(database_url, store_text, kept):
    ledger = Ledger(Settings(database_url=database_url, store_text=store_text))
    ledger.record([entry("A1", title=f"电话{PHONE}", text=f"请打{PHONE}")])
    assert stored_text(ledger) == kept
    assert (ledger.find("A1").title or "").startswith("电话" if kept else "")
    ledger.close()


def test_texts_are_masked_unless_something_else_is_set():
    assert Settings().store_text == "masked"


def test_any_text_can_be_stored(ledger):
    ledger.record([entry("A1", text="零\x00字\ud800，'; DROP TABLE work_orders; --")])
    assert stored_text(ledger) == "零字?，'; DROP TABLE work_orders; --"


def test_a_model_of_one_facet_leaves_the_others_empty(ledger):
    ledger.record([entry("A1")])
    one = entry("A2")
    ledger.record([type(one)(**{**_fields(one), "given": {"category": Given("a.b", 0.5, "a")}})])
    assert volume(ledger, "request_type") == {("complaint",): 1, ("",): 1}
    assert volume(ledger, "scope") == {("public",): 1, ("",): 1}


def _fields(one):
    return {name: getattr(one, name) for name in type(one).__dataclass_fields__}


def _record_in_process(database_url, barrier):
    ledger = Ledger(Settings(database_url=database_url))
    entries = [entry(f"A{number:04}", f"2025-03-{1 + number % 28:02}") for number in range(600)]
    barrier.wait()
    for start in range(0, 600, 150):
        ledger.record(entries[start : start + 150])
    ledger.record(entries[::-1])
    ledger.close()


def test_eight_processes_that_record_the_same_work_orders_count_them_once(ledger, database_url):
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(PROCESSES)
    processes = [
        spawning.Process(target=_record_in_process, args=(database_url, barrier)) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert volume(ledger) == {(): 600}
    assert rows(ledger, work_orders) == rows(ledger, tags) == 600
    assert ledger.check() == []

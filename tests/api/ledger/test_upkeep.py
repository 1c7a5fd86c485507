from datetime import date

import pytest
from sqlalchemy import delete, update

from api.ledger.engine import writing
from api.ledger.imports import Import
from api.ledger.schema import tags, work_orders
from api.ledger.upgrade import revision
from tests.api.conftest import entry

BEFORE = date(2025, 1, 1)


@pytest.fixture
def filled(ledger):
    ledger.record(
        [
            entry("A1", "2024-12-31", text="旧"),
            entry("A2", "2025-01-01", text="新"),
            entry("A3", "2024-06-01"),
        ]
    )
    ledger.settle()
    return ledger


def test_a_dry_run_tells_and_changes_nothing(filled):
    assert filled.purge(BEFORE, dry_run=True) == 1  # A3 has no text
    assert filled.purge(BEFORE, whole=True, dry_run=True) == 2
    assert filled.find("A1").text == "旧"


def test_texts_received_before_a_day_are_taken_away(filled):
    assert filled.purge(BEFORE) == 1
    assert (filled.find("A1").text, filled.find("A2").text) == (None, "新")
    assert filled.facts()["stale_days"] == 0


def test_whole_work_orders_take_their_tags_with_them(filled):
    assert filled.purge(BEFORE, whole=True) == 2
    facts = filled.facts()
    assert (facts["work_orders"], facts["since"]) == (1, "2025-01-01")
    filled.settle()
    assert filled.check() == []


def test_a_work_order_without_tags_is_found(filled):
    with writing(filled.engine) as connection:
        connection.execute(delete(tags).where(tags.c.number == 1))
    assert any("没有标签" in one for one in filled.check())


def test_a_work_order_that_the_feed_would_never_tell_of_is_found(filled):
    with writing(filled.engine) as connection:
        connection.execute(
            update(work_orders).where(work_orders.c.work_order_id == "A1").values(change_id=999)
        )
    assert any("不会出现在变动流里" in one for one in filled.check())


def test_a_file_that_is_recorded_again_stands_there_once(filled):
    for rows in (3, 4):
        filled.note_import(Import("年.xlsx", "0" * 64, "m1", rows, rows, 0))
    filled.note_import(Import("年.xlsx", "0" * 64, "m2", 4, 4, 0))
    found = filled.facts()["imports"]
    assert sorted((one["model_version"], one["rows"]) for one in found) == [("m1", 4), ("m2", 4)]
    assert filled.facts()["revision"] == revision(filled.engine)[1]

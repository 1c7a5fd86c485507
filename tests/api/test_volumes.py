from datetime import date

import pytest

from api import volumes as module
from api.ledger.corrections import Correction
from api.periods import Period
from api.volumes import OTHERS, Asked, volumes
from tests.api.conftest import entry

TODAY = date(2026, 2, 10)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(module, "today", lambda: TODAY)


@pytest.fixture
def filled(ledger):
    """Two years: a work order on each 5th, more of them in 2025, half of those private."""
    entries = [entry(f"A24{month:02}", f"2024-{month:02}-05") for month in range(1, 13)]
    for month in range(1, 13):
        entries.append(entry(f"A25{month:02}", f"2025-{month:02}-05", category="municipal.road"))
        entries.append(entry(f"B25{month:02}", f"2025-{month:02}-20", scope="private_affair"))
    entries.append(entry("A26", "2026-02-05"))
    ledger.record(entries)
    return ledger


def table(found):
    return {(row.period.start, *row.codes): row.volume for row in found.rows}


def test_without_a_facet_the_total_is_counted_from_the_first_day_to_today(filled):
    found = volumes(filled, Asked())
    assert (found.since, found.until, found.total) == (date(2024, 1, 5), date(2026, 2, 11), 37)
    assert [row.volume for row in found.rows] == [37]


def test_periods_without_work_orders_are_zeros(filled):
    found = volumes(filled, Asked("category", by="month", since=date(2024, 11, 1), last=date(2025, 2, 28)))
    assert [row.volume for row in found.rows if row.codes == ("municipal.road",)] == [0, 0, 1, 1]
    assert len(found.rows) == 8
    assert found.total == 6


def test_shares_are_of_all_labels_of_the_period_also_of_those_not_asked_for(filled):
    asked = Asked(
        "category", since=date(2025, 1, 1), last=date(2025, 12, 31), where={"category": ("municipal.road",)}
    )
    (row,) = volumes(filled, asked).rows
    assert (row.volume, row.share) == (12, 0.5)
    within = volumes(filled, Asked("category", where={"first": ("municipal",)})).rows
    assert [row.share for row in within] == [1.0]


def test_an_empty_period_has_no_share_rather_than_a_division_by_zero(filled):
    asked = Asked("category", by="month", since=date(2023, 1, 1), last=date(2024, 1, 31), private=True)
    first = volumes(filled, asked).rows[0]
    assert (first.volume, first.share, first.private_share) == (0, None, None)


def test_the_share_of_private_requests(filled):
    found = volumes(
        filled, Asked("category", by="year", private=True, since=date(2025, 1, 1), last=date(2025, 12, 31))
    )
    assert {row.codes: row.private_share for row in found.rows} == {
        ("environment.air",): 1.0,
        ("municipal.road",): 0.0,
    }


def test_year_on_year_is_the_same_months_a_year_before(filled):
    asked = Asked(by="quarter", compare="year", since=date(2025, 1, 1), last=date(2025, 6, 30))
    for row in volumes(filled, asked).rows:
        assert (row.volume, row.against.volume, row.against.difference, row.against.change) == (6, 3, 3, 1.0)


def test_period_on_period_is_the_one_directly_before(filled):
    asked = Asked(by="year", compare="period", since=date(2024, 1, 1), last=date(2025, 12, 31))
    first, second = volumes(filled, asked).rows
    assert first.against.note == "台账中没有基期的数据"
    assert first.against.volume is None
    assert (second.against.volume, second.against.difference, second.against.change) == (12, 12, 1.0)


def test_a_base_of_zero_says_so(filled):
    asked = Asked("category", by="year", compare="year", since=date(2025, 1, 1), last=date(2025, 12, 31))
    rows = {row.codes[0]: row.against for row in volumes(filled, asked).rows}
    assert (rows["municipal.road"].volume, rows["municipal.road"].change) == (0, None)
    assert rows["municipal.road"].difference == 12
    assert rows["municipal.road"].note.startswith("基期数据不全")  # the ledger begins on 5 January 2024


def test_the_current_month_is_compared_with_the_same_part_and_says_so(filled):
    asked = Asked(by="month", compare="year", since=date(2026, 1, 1))
    january, february = volumes(filled, asked).rows
    assert january.against.period == Period(date(2025, 1, 1), date(2025, 2, 1), "month")
    assert january.against.volume == 2
    assert february.against.period == Period(date(2025, 2, 1), date(2025, 2, 11), "month")
    assert (february.volume, february.against.volume) == (1, 1)  # the one of 20 February is beyond
    (note,) = volumes(filled, asked).notes
    assert "2026年2月 2月1日—2月10日 不是完整的周期" in note
    assert "2025年2月 2月1日—2月10日" in note


def test_the_future_is_not_counted(filled):
    found = volumes(filled, Asked(by="month", since=date(2026, 1, 1), last=date(2026, 12, 31)))
    assert len(found.rows) == 2
    assert any("还没有发生" in note for note in found.notes)


def test_the_top_ones_are_kept_and_the_others_added_up(ledger):
    ledger.record(
        [
            entry(f"{name}{number}", category=f"{name}.x")
            for name, many in zip("abcd", (4, 3, 2, 1), strict=True)
            for number in range(many)
        ]
    )
    found = volumes(ledger, Asked("category", top=2, since=date(2025, 1, 1)))
    assert [(row.codes, row.volume) for row in found.rows] == [(("a.x",), 4), (("b.x",), 3), ((OTHERS,), 3)]
    assert (found.merged, found.total) == (2, 10)
    crossed = volumes(ledger, Asked("category", "district", top=2, since=date(2025, 1, 1)))
    assert [(row.codes, row.volume) for row in crossed.rows][-1] == ((OTHERS, "蓬江区"), 3)
    assert sum(row.share for row in crossed.rows) == pytest.approx(1)


def test_two_facets_are_crossed(filled):
    found = volumes(filled, Asked("category", "scope", since=date(2025, 1, 1), last=date(2025, 12, 31)))
    assert table(found) == {
        (date(2025, 1, 1), "environment.air", "private"): 12,
        (date(2025, 1, 1), "municipal.road", "public"): 12,
    }


def test_a_label_that_is_asked_for_is_there_also_where_it_is_zero(filled):
    found = volumes(filled, Asked("first", where={"first": ("planning", "municipal")}))
    assert {row.codes[0]: row.volume for row in found.rows} == {"municipal": 12, "planning": 0}


def test_a_correction_moves_the_volume_and_withdrawing_it_moves_it_back(filled):
    filled.correct("A26", {"category": Correction("planning.land", "planning")}, "李", "")
    since = {"since": date(2026, 1, 1)}
    assert [row.codes for row in volumes(filled, Asked("first", **since)).rows] == [("planning",)]
    filled.correct("A26", {"category": Correction("")}, "李", "")
    assert [row.codes for row in volumes(filled, Asked("first", **since)).rows] == [("environment",)]


def test_an_empty_ledger_says_so(ledger):
    found = volumes(ledger, Asked("category", by="month", since=date(2026, 1, 1)))
    assert found.total == 0
    assert "台账中还没有工单" in found.notes
    assert volumes(ledger, Asked()).rows[0].volume == 0

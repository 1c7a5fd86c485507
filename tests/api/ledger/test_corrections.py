import pytest

from api.ledger.corrections import Correction
from classifier.errors import NoWorkOrder
from tests.api.conftest import entry

ROAD, LAND = Correction("municipal.road", "municipal"), Correction("planning.land", "planning")


def effective(ledger):
    return ledger.find("A1").labels["category"]


def test_the_last_correction_stands_and_all_are_kept_with_who_when_and_why(ledger):
    ledger.record([entry("A1")])
    ledger.correct("A1", {"category": ROAD}, "李", "说的是道路")
    ledger.correct("A1", {"category": LAND}, "王", "")
    assert effective(ledger) == "planning.land"
    newest, oldest = ledger.find("A1").corrections
    assert (newest.label, newest.corrected_by, newest.reason) == ("planning.land", "王", "")
    assert (oldest.label, oldest.corrected_by, oldest.reason) == ("municipal.road", "李", "说的是道路")
    assert newest.corrected_at >= oldest.corrected_at
    assert newest.corrected_at.utcoffset().total_seconds() == 8 * 3600


def test_withdrawing_brings_back_what_the_newest_model_said(ledger):
    ledger.record([entry("A1")])
    ledger.correct("A1", {"category": ROAD}, "李", "")
    ledger.record([entry("A1", category="environment.water", model_version="m2")])
    assert effective(ledger) == "municipal.road"
    ledger.correct("A1", {"category": Correction("")}, "李", "")
    assert effective(ledger) == "environment.water"
    ledger.record([entry("A1", category="environment.air", model_version="m3")])
    assert effective(ledger) == "environment.air"
    assert ledger.check() == []


def test_several_facets_are_corrected_at_once_and_each_by_itself(ledger):
    ledger.record([entry("A1")])
    ledger.correct(
        "A1", {"urgent": Correction("1"), "scope_detail": Correction("private_affair", "private")}, "李", ""
    )
    ledger.correct("A1", {"urgent": Correction("")}, "李", "")
    labels = ledger.find("A1").labels
    assert (labels["urgent"], labels["scope_detail"], labels["scope"]) == ("0", "private_affair", "private")


def test_an_unknown_work_order_is_not_corrected(ledger):
    with pytest.raises(NoWorkOrder, match="核对"):
        ledger.correct("A9", {"category": ROAD}, "李", "")
    assert ledger.facts()["corrections"] == 0


def test_an_effective_label_that_nobody_gave_is_found(ledger):
    from sqlalchemy import update

    from api.ledger.engine import writing
    from api.ledger.schema import work_orders

    ledger.record([entry("A1"), entry("A2", category="municipal.road")])
    ledger.correct("A1", {"category": LAND}, "李", "")
    assert ledger.check() == []
    with writing(ledger.engine) as connection:
        connection.execute(update(work_orders).values(urgent=1))
    assert any("有效标签" in one for one in ledger.check())

from datetime import datetime

import pytest

from api.entering import Arrival, enter
from api.ledger.ledger import Ledger
from api.periods import SHANGHAI
from classifier.dispatch import Dispatch
from classifier.work_order import WorkOrder

ORDER = WorkOrder("A1", "路灯不亮", "路灯", district="蓬江", channel="网站")


def test_an_order_without_a_moment_arrives_now():
    arrival = Arrival.of(ORDER, None)
    assert abs((arrival.order.received_at - datetime.now(SHANGHAI)).total_seconds()) < 60
    assert (arrival.order.work_order_id, arrival.id_generated, arrival.problem, arrival.notes) == (
        "A1",
        False,
        "",
        [],
    )


def test_a_moment_without_a_zone_is_remarked_on_and_one_that_is_none_is_a_problem():
    assert Arrival.of(ORDER, "2025-01-01 08:00").notes == [
        "received_at 没有时区，按北京时间（Asia/Shanghai）记录"
    ]
    assert Arrival.of(ORDER, "2025-01-01T08:00+08:00").notes == []
    assert "不是日期时间" in Arrival.of(ORDER, "昨天").problem


def test_an_order_without_an_id_gets_one_by_its_day():
    order = WorkOrder("", "路灯不亮")
    first, later, other = (
        Arrival.of(order, moment) for moment in ("2025-01-01 08:00", "2025-01-01 09:00", "2025-01-02")
    )
    assert first.id_generated
    assert first.order.work_order_id == later.order.work_order_id != other.order.work_order_id


@pytest.mark.parametrize(("given", "stored"), [("城管局", "城管局"), ("", "建议单位")])
def test_a_unit_that_is_given_goes_before_the_suggested_one(settings, model, given, stored):
    ledger = Ledger(settings).open(create=True)
    arrivals = [Arrival.of(ORDER, "2025-01-01", given), Arrival.of(ORDER, "2999-01-01")]
    tags = model.tag(["路灯不亮"] * 2)
    enter(ledger, arrivals, tags, model, [Dispatch("建议单位", "蓬江区")] * 2)
    assert "在将来" in arrivals[1].problem
    found = ledger.find("A1")
    assert (found.labels["department"], found.labels["district"], found.labels["channel"]) == (
        stored,
        "蓬江区",
        "网站",
    )
    assert found.tags[0].model_version == model.version
    ledger.close()

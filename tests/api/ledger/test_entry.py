from datetime import UTC, datetime, timedelta

import pytest

from api.ledger.entry import given_by, localised, own_id, refusal
from api.periods import SHANGHAI
from classifier.work_order import WorkOrder

NOW = datetime(2026, 1, 1, 12, tzinfo=SHANGHAI)


def test_a_moment_without_a_zone_is_meant_in_shanghai():
    assert localised(datetime(2026, 1, 1, 0, 30)) == datetime(2025, 12, 31, 16, 30, tzinfo=UTC)  # noqa: DTZ001
    assert localised(datetime(2025, 12, 31, 16, 30, tzinfo=UTC)).isoformat() == "2026-01-01T00:30:00+08:00"


@pytest.mark.parametrize(
    ("work_order_id", "moment", "field", "said"),
    [
        ("", NOW, "work_order_id", "1 至 200 字，这里是 0 字"),
        ("1" * 201, NOW, "work_order_id", "201"),
        ("A\x00", NOW, "work_order_id", "空字符"),
        ("A1", None, "received_at", "没有受理时间"),
        ("A1", NOW + timedelta(hours=1), "received_at", "2026-01-01 13:00 在将来"),
        ("A1", NOW.replace(year=1979), "received_at", "早于 1980 年"),
    ],
)
def test_the_impossible_is_refused_with_its_field_and_reason(work_order_id, moment, field, said):
    refused = refusal(7, work_order_id, moment, NOW)
    assert refused is not None
    assert (refused.index, refused.field) == (7, field)
    assert said in refused.reason


@pytest.mark.parametrize("moment", [NOW, NOW + timedelta(minutes=5), NOW.replace(year=1980)])
def test_what_is_possible_is_not_refused(moment):
    assert refusal(0, "A1", moment, NOW) is None


def test_an_id_of_the_program_s_own_is_the_same_for_the_same_work_order():
    order = WorkOrder("", "路灯不亮", "路灯", NOW, "蓬江区", "网站")
    assert own_id(order) == own_id(WorkOrder("", "路灯不亮", "路灯", NOW.replace(hour=1), "蓬江区", "网站"))
    others = [
        WorkOrder("", "路灯不亮了", "路灯", NOW, "蓬江区", "网站"),
        WorkOrder("", "路灯不亮", "", NOW, "蓬江区", "网站"),
        WorkOrder("", "路灯不亮", "路灯", NOW + timedelta(days=1), "蓬江区", "网站"),
        WorkOrder("", "路灯不亮", "路灯", NOW, "江海区", "网站"),
        WorkOrder("", "路灯不亮", "路灯", NOW, "蓬江区", "电话"),
    ]
    assert len({own_id(order), own_id(order, 2), *map(own_id, others)}) == 7
    assert own_id(order).startswith("auto-")


def test_a_model_s_tags_keep_the_first_level_s_confidence_of_the_scope(model):
    (tags,) = model.tag(["路灯不亮"])
    given = given_by(tags)
    assert set(given) == {"category", "scope_detail", "request_type", "urgent"}
    assert given["category"].label == tags["category"].label
    assert given["category"].first == tags["category"].first
    assert given["scope_detail"].confidence == tags["scope"].first_confidence
    assert given["category"].confidence == tags["category"].confidence

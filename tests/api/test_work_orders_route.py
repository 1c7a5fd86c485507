from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.periods import SHANGHAI
from api.problems import MEDIA_TYPE
from classifier.store import ModelStore
from tests.api.conftest import entry

LIGHT = "迎宾大道的路灯不亮，请致电13800138000"


@pytest.fixture
def client(models_dir, settings, database_url):
    changed = settings.model_copy(update={"database_url": database_url})
    with TestClient(create_app(ModelStore(models_dir), changed)) as client:
        yield client


@pytest.fixture
def held(client):
    """The ledger behind the service."""
    return client.app.state.ledger


def tag(client, *orders):
    answer = client.post("/v1/tags", json={"work_orders": list(orders)})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def problem_of(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    return answer.json()


def test_a_tagged_work_order_is_in_the_ledger_with_what_was_answered(client):
    order = {"work_order_id": "A/1?", "text": LIGHT, "title": "路灯", "district": "蓬江", "channel": "网站",
             "received_at": "2025-12-31T16:30:00Z"}  # fmt: skip
    (result,) = tag(client, order)
    assert result["recorded"] is True
    assert "id_generated" not in result
    found = client.get("/v1/work-orders/A%2F1%3F").json()
    assert found["received_at"] == "2026-01-01T00:30:00+08:00"
    assert found["labels"]["category"]["code"] == result["facets"]["category"]["code"]
    assert found["labels"]["scope"]["code"] == result["facets"]["scope"]["first"]["code"]
    assert found["labels"]["district"]["code"] == result["district_found"] == "蓬江区"
    assert found["labels"]["channel"]["name"] == "网站"
    assert found["labels"]["department"]["code"] == result["department"]
    assert found["text"] == LIGHT.replace("13800138000", "138****8000")
    (tags,) = found["tags"]
    assert tags["model_version"] == "small"
    assert tags["labels"]["category"]["confidence"] == pytest.approx(
        result["facets"]["category"]["confidence"], abs=1e-4
    )
    assert found["corrections"] == []


def test_sent_twice_in_one_request_or_in_two_it_counts_once(client):
    order = {"work_order_id": "A1", "text": LIGHT}
    tag(client, order, order)
    tag(client, order)
    assert client.get("/v1/volumes").json()["total"] == 1


def test_without_an_id_one_is_made_that_is_the_same_for_the_same_work_order(client):
    first, second, other = tag(client, {"text": LIGHT}, {"text": LIGHT}, {"text": "别的"})
    assert first["id_generated"] is True
    assert first["work_order_id"] == second["work_order_id"] != other["work_order_id"]
    assert client.get("/v1/volumes").json()["total"] == 2
    assert client.get(f"/v1/work-orders/{first['work_order_id']}").status_code == 200


def test_impossible_moments_are_refused_one_by_one_and_naive_ones_taken_with_a_remark(client):
    future = (datetime.now(SHANGHAI) + timedelta(days=1)).isoformat()
    moments = [future, "昨天", "2025-01-01 08:00", "1900-01-01"]
    results = tag(
        client,
        *({"work_order_id": f"A{n}", "text": "路灯", "received_at": one} for n, one in enumerate(moments)),
    )
    assert [one["recorded"] for one in results] == [False, False, True, False]
    said = [" ".join(one["warnings"]) for one in results]
    assert "在将来" in said[0]
    assert "不是日期时间" in said[1]
    assert "Asia/Shanghai" in said[2]
    assert "早于 1980 年" in said[3]
    assert client.get("/v1/volumes").json()["total"] == 1


def test_recording_can_be_switched_off(models_dir, settings, tmp_path):
    off = settings.model_copy(update={"record": False, "database_url": f"sqlite:///{tmp_path}/gone/no.db"})
    with TestClient(create_app(ModelStore(models_dir), off)) as client:
        (result,) = tag(client, {"text": LIGHT})
        assert "recorded" not in result
        assert "work_order_id" not in result
        assert client.get("/readyz").json()["recording"] == "off"


def test_without_its_ledger_the_service_answers_503_and_when_to_come_again(models_dir, settings):
    gone = settings.model_copy(update={"database_url": "postgresql://nobody:secret@127.0.0.1:1/none"})
    with TestClient(create_app(ModelStore(models_dir), gone)) as client:
        answers = [
            client.post("/v1/tags", json={"work_orders": [{"text": LIGHT}]}),
            client.get("/v1/volumes"),
            client.get("/v1/work-orders/A1"),
            client.get("/readyz"),
        ]
        for answer in answers:
            assert problem_of(answer, 503)["title"] == "台账暂不可用"
            assert int(answer.headers["retry-after"]) > 0
            assert "secret" not in answer.text
        assert client.get("/livez").status_code == 200


def test_a_correction_is_kept_beside_the_model_s_tag_and_moves_the_volume(client, held):
    held.record([entry("A1"), entry("A2")])
    body = {
        "corrected_by": "李审核",
        "reason": "说的是道路",
        "labels": {"category": "市容市政/道路设施", "scope": "民事纠纷", "urgent": "是"},
    }
    answer = client.patch("/v1/work-orders/A1", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["labels"]["category"] == {
        "code": "municipal.road",
        "name": "市容市政/道路设施",
        "confidence": None,
    }
    assert found["labels"]["first"]["code"] == "municipal"
    assert found["labels"]["scope"]["code"] == "private"
    assert found["tags"][0]["labels"]["category"]["code"] == "environment.air"
    assert {one["facet"] for one in found["corrections"]} == {"category", "scope_detail", "urgent"}
    assert {one["corrected_by"] for one in found["corrections"]} == {"李审核"}
    rows = client.get("/v1/volumes", params={"facet": "category"}).json()["rows"]
    assert {row["label"]["code"]: row["volume"] for row in rows} == {
        "municipal.road": 1,
        "environment.air": 1,
    }
    assert held.check() == []


def test_corrections_survive_tagging_again_and_can_be_withdrawn(client, held):
    held.record([entry("A1")])
    body = {"corrected_by": "李", "labels": {"category": "municipal.road"}}
    client.patch("/v1/work-orders/A1", json=body)
    held.record([entry("A1", category="environment.water", model_version="m2")])
    found = client.get("/v1/work-orders/A1").json()
    assert found["labels"]["category"]["code"] == "municipal.road"
    assert [one["model_version"] for one in found["tags"]] == ["m2", "m1"]
    client.patch("/v1/work-orders/A1", json=body | {"labels": {"category": None}})
    found = client.get("/v1/work-orders/A1").json()
    assert found["labels"]["category"]["code"] == "environment.water"
    assert [one["label"] and one["label"]["code"] for one in found["corrections"]] == [None, "municipal.road"]
    assert held.check() == []


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"corrected_by": "李", "labels": {"category": "没有的"}}, 422, "labels.category"),
        ({"corrected_by": "李", "labels": {}}, 422, "不能为空"),
        ({"corrected_by": " ", "labels": {"urgent": "1"}}, 422, "corrected_by"),
        ({"labels": {"urgent": "1"}}, 422, "corrected_by"),
        ({"corrected_by": "李", "labels": {"district": "蓬江区"}}, 422, "labels"),
    ],
)
def test_a_wrong_correction_changes_nothing(client, held, body, status, said):
    held.record([entry("A1")])
    assert said in problem_of(client.patch("/v1/work-orders/A1", json=body), status)["detail"]
    assert held.find("A1").corrections == ()


def test_an_unknown_work_order_is_not_found(client):
    assert "核对" in problem_of(client.get("/v1/work-orders/none"), 404)["detail"]
    body = {"corrected_by": "李", "labels": {"urgent": "1"}}
    assert problem_of(client.patch("/v1/work-orders/none", json=body), 404)["title"] == "没有这个工单或任务"


def test_pages_go_through_all_work_orders_once_the_newest_first(client, held):
    held.record([entry(f"A{number}", f"2025-03-{1 + number % 9:02}") for number in range(23)])
    seen, cursor = [], None
    while True:
        page = client.get(
            "/v1/work-orders", params={"limit": 5} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += page["work_orders"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len({one["work_order_id"] for one in seen}) == 23
    assert [one["received_at"] for one in seen] == sorted((one["received_at"] for one in seen), reverse=True)
    assert problem_of(client.get("/v1/work-orders?cursor=x"), 422)["detail"].startswith("cursor")


def test_work_orders_are_filtered(client, held):
    held.record([entry("A1"), entry("A2", "2025-04-01", decision="review"), entry("A3", district="新会区")])
    client.patch("/v1/work-orders/A3", json={"corrected_by": "李", "labels": {"urgent": "1"}})

    def ids(**params):
        answer = client.get("/v1/work-orders", params=params)
        assert answer.status_code == 200, answer.text
        return sorted(one["work_order_id"] for one in answer.json()["work_orders"])

    assert ids() == ["A1", "A2", "A3"]
    assert ids(since="2025-04") == ["A2"]
    assert ids(until="2025-03") == ["A1", "A3"]
    assert ids(decision="review") == ["A2"]
    assert ids(corrected="true") == ["A3"]
    assert ids(corrected="false", where="district=蓬江区") == ["A1", "A2"]
    assert ids(where="urgent=紧急") == ["A3"]


def test_volumes_take_the_command_s_parameters(client, held):
    held.record(
        [entry("A1", "2024-03-01"), entry("A2", "2025-03-01"), entry("A3", "2025-03-02", district="新会区")]
    )
    params = {"facet": "first", "by": "month", "since": "2025-03", "until": "2025-03", "compare": "year",
              "where": ["district=蓬江区", "district=新会区"], "private_share": "true"}  # fmt: skip
    found = client.get("/v1/volumes", params=params).json()
    (row,) = found["rows"]
    assert row["label"] == {"code": "environment", "name": "环境保护"}
    assert (row["volume"], row["private_share"]) == (2, 0)
    assert row["period"] == {
        "label": "2025年3月",
        "since": "2025-03-01",
        "until": "2025-03-31",
        "partial": False,
    }
    assert (row["against"]["volume"], row["against"]["change"]) == (1, 1.0)
    assert problem_of(client.get("/v1/volumes?facet=x"), 422)["detail"].startswith("没有这个维度")
    problem_of(client.get("/v1/volumes?by=decade"), 422)

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.problems import MEDIA_TYPE
from api.schemas import TagResponse
from classifier import bundle
from classifier.store import ModelStore

TEXTS = ["迎宾大道的路灯不亮，夜里看不清路", "邻居半夜唱歌，吵得睡不着", "请问社保卡怎么补办？"]
PHONE = "13800138000"


@pytest.fixture
def client(models_dir, settings):
    with TestClient(create_app(ModelStore(models_dir), settings)) as client:
        yield client


def post(client, *orders, **more):
    return client.post("/v1/tags", json={"work_orders": list(orders), **more})


def results(answer):
    assert answer.status_code == 200, answer.text
    TagResponse.model_validate(answer.json(), extra="forbid")  # what OpenAPI promises
    return answer.json()["results"]


def problem_of(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == MEDIA_TYPE
    return answer.json()


def test_one_work_order_is_tagged(client, model):
    (result,) = results(post(client, {"work_order_id": "A1", "text": TEXTS[0]}))
    (tags,) = model.tag([TEXTS[0]])
    assert result["work_order_id"] == "A1"
    assert result["facets"]["category"]["code"] == tags["category"].label
    assert result["facets"]["category"]["first"]["code"] == tags["category"].first
    assert result["decision"] == tags.decision
    assert result["model_version"] == "small"
    assert result["warnings"] == []


def test_a_unit_is_suggested_by_the_order_s_district_or_else_by_its_text(client):
    text = "台山市斗山镇人民路路灯不亮"
    first, second, third = results(
        post(client, {"text": text, "district": "新会"}, {"text": text}, {"text": "路灯不亮"})
    )
    assert (first["district_found"], second["district_found"]) == ("新会区", "台山市")
    assert first["department"].startswith("新会区") or "新会" in first["department"]
    assert first["department"] != second["department"]
    assert "district_found" not in third
    assert third["department"]


def test_many_are_tagged_in_order(client, model):
    orders = [{"work_order_id": str(number), "text": TEXTS[number % 3]} for number in range(1000)]
    found = results(post(client, *orders))
    expected = [tags["category"].label for tags in model.tag(TEXTS)]
    assert [one["work_order_id"] for one in found] == [str(number) for number in range(1000)]
    assert [one["facets"]["category"]["code"] for one in found] == [expected[n % 3] for n in range(1000)]


def test_a_title_is_read_too(client, model):
    (result,) = results(post(client, {"title": "路灯不亮", "text": "请处理"}))
    (tags,) = model.tag(["路灯不亮。请处理"])
    assert result["facets"]["category"]["confidence"] == round(tags["category"].confidence, 4)


def test_evidence_lies_in_the_text_and_is_masked(client):
    text = f"路灯不亮，请打电话{PHONE}找我，{PHONE}"
    (result,) = results(post(client, {"text": text}, explain=True))
    for facet in result["facets"].values():
        assert facet["evidence"]
        for one in facet["evidence"]:
            assert 0 <= one["start"] < one["until"] <= len(text)
            assert len(one["text"]) == one["until"] - one["start"]
            assert one["text"] == text[one["start"] : one["until"]] or "*" in one["text"]
    assert PHONE not in json.dumps(result)


def test_more_than_a_hundred_are_not_explained(client):
    found = problem_of(post(client, *[{"text": "路灯"}] * 101, explain=True), 422)
    assert "最多 100 条" in found["errors"][0]["detail"]


def test_without_explain_there_is_no_evidence(client):
    (result,) = results(post(client, {"text": TEXTS[0]}))
    assert all("evidence" not in facet for facet in result["facets"].values())


def test_a_text_beyond_what_is_read_is_answered_with_a_warning(client):
    fits, too_long = results(post(client, {"text": "路灯不亮" * 2000}, {"text": "路灯不亮" * 2000 + "啊"}))
    assert fits["warnings"] == []
    assert ["8000" in warning for warning in too_long["warnings"]] == [True]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_text_is_pointed_at(client, text):
    answer = post(client, {"text": text, "title": "我的秘密标题"})
    found = problem_of(answer, 422)
    assert [one["pointer"] for one in found["errors"]] == ["#/work_orders/0/text"]
    assert "秘密" not in answer.text


def test_what_was_sent_is_not_repeated(client):
    home = "我家住在迎宾大道三十号"
    answer = post(client, {"text": home * 10_000, "work_order_id": 7, "title": [home]})
    found = problem_of(answer, 422)
    assert len(found["errors"]) == 3
    assert home not in answer.text


def test_more_than_a_thousand_are_refused(client):
    found = problem_of(post(client, *({"text": "路灯"} for _ in range(1001))), 422)
    assert found["errors"] == [{"pointer": "#/work_orders", "detail": "太多，最多 1000 条"}]


def test_an_unknown_field_is_refused(client):
    found = problem_of(post(client, {"text": "路灯", "content": "x"}), 422)
    assert found["errors"][0]["pointer"] == "#/work_orders/0"


def test_invalid_json_is_a_bad_request(client):
    answer = client.post(
        "/v1/tags", content=b'{"work_orders": [', headers={"content-type": "application/json"}
    )
    assert problem_of(answer, 400)["title"] == "请求不是正确的 JSON"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/tags", 405), ("DELETE", "/v1/tags", 405), ("POST", "/tags", 404), ("GET", "/v2/tags", 404)],
)
def test_a_wrong_method_or_path_is_a_problem(client, method, path, status):
    problem_of(client.request(method, path), status)


def test_it_lives_and_is_ready(client):
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "model_version": "small", "recording": "on"}


def test_without_a_model_it_lives_but_is_not_ready(tmp_path, settings):
    with TestClient(create_app(ModelStore(tmp_path / "none"), settings)) as client:
        assert client.get("/livez").status_code == 200
        assert "没有当前模型" in problem_of(client.get("/readyz"), 503)["detail"]
        assert "没有当前模型" in problem_of(post(client, {"text": TEXTS[0]}), 503)["detail"]


def test_a_damaged_model_is_not_ready(store, settings):
    arrays = store.path("small") / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)
    with TestClient(create_app(ModelStore(store.folder), settings)) as client:
        assert "arrays.npz" in problem_of(client.get("/readyz"), 503)["detail"]
        problem_of(post(client, {"text": TEXTS[0]}), 503)
        assert client.get("/livez").status_code == 200


def test_a_model_folder_that_is_emptied_is_noticed(store, settings):
    with TestClient(create_app(store, settings)) as client:
        assert client.get("/readyz").status_code == 200
        shutil.rmtree(store.folder)
        assert "没有当前模型" in problem_of(client.get("/readyz"), 503)["detail"]
        problem_of(post(client, {"text": TEXTS[0]}), 503)


def test_a_promoted_model_answers_without_a_restart(store, model, settings):
    again = model.variant("again")
    with TestClient(create_app(ModelStore(store.folder), settings)) as client:
        assert results(post(client, {"text": TEXTS[0]}))[0]["model_version"] == "small"
        bundle.save(again, store.folder / "again", {}, "")
        assert results(post(client, {"text": TEXTS[0]}))[0]["model_version"] == "small"
        store.promote("again")
        assert results(post(client, {"text": TEXTS[0]}))[0]["model_version"] == "again"
        assert client.get("/readyz").json()["model_version"] == "again"
        store.rollback()
        assert results(post(client, {"text": TEXTS[0]}))[0]["model_version"] == "small"


def test_no_page_loads_anything_from_elsewhere(client):
    assert client.get("/redoc").status_code == 404
    assert client.get("/openapi.json").json()["info"]["title"] == "hotline"


def test_openapi_holds_every_schema_that_it_refers_to(client):
    described = client.get("/openapi.json")
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', described.text))
    assert (
        {"TagRequest", "WorkOrderIn", "TagResponse"}
        <= referred
        <= {*described.json()["components"]["schemas"]}
    )


def test_requests_that_arrive_together_are_answered_each_by_its_own(client, model):
    """Sixteen callers at once, one of them with a moment that cannot be recorded."""
    texts = [f"{TEXTS[number % 3]}{number}" for number in range(64)]
    orders = [{"work_order_id": f"G{number}", "text": text} for number, text in enumerate(texts)]
    orders[40]["received_at"] = "昨天"
    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda order: results(post(client, order)), orders))
    expected = model.tag(texts)
    for number, ((result,), tags) in enumerate(zip(answers, expected, strict=True)):
        assert result["work_order_id"] == f"G{number}"
        assert result["facets"]["category"]["code"] == tags["category"].label
        assert result["recorded"] == (number != 40)
    listed = client.get("/v1/work-orders", params={"limit": 1000}).json()["work_orders"]
    assert {one["work_order_id"] for one in listed} == {f"G{number}" for number in range(64) if number != 40}

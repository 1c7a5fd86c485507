import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from classifier.store import ModelStore

LIGHT = "迎宾大道的路灯不亮，夜里看不清路，请致电13800138000"
INFER = "/v2/models/hotline/infer"


@pytest.fixture
def client(models_dir, settings):
    switched_on = settings.model_copy(update={"kserve": True})
    with TestClient(create_app(ModelStore(models_dir), switched_on)) as client:
        yield client


def tensor(*texts, name="text", **more):
    return {"name": name, "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)} | more


def test_it_is_off_unless_switched_on(models_dir, settings):
    with TestClient(create_app(ModelStore(models_dir), settings)) as client:
        assert client.get("/v2/health/live").status_code == 404


def test_health_and_metadata_have_the_fields_that_the_specification_requires(client):
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 200
    server = client.get("/v2").json()
    assert {"name", "version", "extensions"} <= set(server)
    model = client.get("/v2/models/hotline").json()
    assert {"name", "platform"} <= set(model)
    assert model["versions"] == ["small"]
    for one in (*model["inputs"], *model["outputs"]):
        assert {"name", "datatype", "shape"} == set(one)
    assert client.get("/v2/models/hotline/versions/small").json() == model
    for path in ("/v2/models/hotline/ready", "/v2/models/hotline/versions/small/ready"):
        assert client.get(path).json() == {"name": "hotline", "ready": True}


def test_an_inference_says_what_tagging_says(client):
    body = {"id": "42", "inputs": [tensor(LIGHT, "厂区废气异味扰民")]}
    answer = client.post(INFER, json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("hotline", "small", "42")
    tagged = client.post(
        "/v1/tags", json={"work_orders": [{"text": text} for text in body["inputs"][0]["data"]]}
    ).json()["results"]
    outputs = {one["name"]: one for one in found["outputs"]}
    described = client.get("/v2/models/hotline").json()["outputs"]
    assert [(one["name"], one["datatype"]) for one in found["outputs"]] == [
        (one["name"], one["datatype"]) for one in described
    ]
    for one in found["outputs"]:
        assert {"name", "shape", "datatype", "data"} <= set(one)
        assert one["shape"] == [len(one["data"])] == [2]
    facets = [one["facets"] for one in tagged]
    assert outputs["category"]["data"] == [one["category"]["code"] for one in facets]
    assert outputs["category_name"]["data"] == [one["category"]["path"] for one in facets]
    assert outputs["category_confidence"]["data"] == [one["category"]["confidence"] for one in facets]
    assert outputs["scope"]["data"] == [one["scope"]["first"]["code"] for one in facets]
    assert outputs["scope_detail"]["data"] == [one["scope"]["code"] for one in facets]
    assert outputs["request_type"]["data"] == [one["request_type"]["code"] for one in facets]
    assert outputs["urgent"]["data"] == [one["urgent"]["code"] == "1" for one in facets]
    assert outputs["decision"]["data"] == [one["decision"] for one in tagged]


def test_nothing_is_recorded(client):
    client.post(INFER, json={"inputs": [tensor(LIGHT)]})
    assert client.get("/v1/work-orders").json()["work_orders"] == []


def test_titles_nested_data_chosen_outputs_and_versions_are_understood(client):
    flat = {"inputs": [tensor("夜里看不清"), tensor("路灯不亮", name="title")]}
    nested = {
        "inputs": [tensor(["夜里看不清"], shape=[1, 1]), tensor("路灯不亮", name="title")],
        "outputs": [{"name": "category_confidence"}],
    }
    whole = client.post(INFER, json=flat).json()["outputs"]
    (chosen,) = client.post("/v2/models/hotline/versions/small/infer", json=nested).json()["outputs"]
    assert chosen in whole
    alone = client.post(INFER, json={"inputs": [tensor("夜里看不清")]}).json()["outputs"]
    assert alone != whole


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        {},
        {"inputs": []},
        {"inputs": [tensor(LIGHT, datatype="FP32")]},
        {"inputs": [tensor(LIGHT, shape=[2])]},
        {"inputs": [tensor(LIGHT, shape=[-1])]},
        {"inputs": [tensor(LIGHT, shape=[])]},
        {"inputs": [tensor(1)]},
        {"inputs": [tensor(LIGHT, name="x")]},
        {"inputs": [tensor(LIGHT), tensor(LIGHT)]},
        {"inputs": [tensor(LIGHT), tensor(LIGHT, LIGHT, name="title")]},
        {"inputs": [tensor(LIGHT)], "outputs": [{"name": "x"}]},
        {"inputs": [tensor(*[LIGHT] * 1001)]},
        {"inputs": [tensor([LIGHT] * 1001, shape=[1001])]},
        {"inputs": [tensor([[[LIGHT]]], shape=[1, 1])]},
        b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ' + b"[" * 10_000,
    ],
)
def test_a_wrong_request_is_an_error_object_that_repeats_nothing(client, body):
    given = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = client.post(INFER, headers={"content-type": "application/json"}, **given)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"error"}
    assert "迎宾大道" not in answer.text
    assert "13800138000" not in answer.text


def test_another_version_is_not_found(client):
    for path in ("", "/ready"):
        answer = client.get(f"/v2/models/hotline/versions/other{path}")
        assert answer.status_code == 404
        assert set(answer.json()) == {"error"}


def test_without_a_model_it_is_not_ready(settings, tmp_path):
    switched_on = settings.model_copy(update={"kserve": True})
    with TestClient(create_app(ModelStore(tmp_path), switched_on)) as client:
        assert client.get("/v2/health/live").status_code == 200
        for path in ("/v2/health/ready", "/v2/models/hotline", "/v2/models/hotline/ready"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert set(answer.json()) == {"error"}

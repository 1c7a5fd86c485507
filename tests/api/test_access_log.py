import json

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from classifier.store import ModelStore

TEXT = "迎宾大道的路灯不亮，夜里看不清路"
PHONE, IDENTITY = "13800138000", "44070219900307123X"


@pytest.fixture
def client(models_dir, settings, log):
    app = create_app(ModelStore(models_dir), settings)

    @app.get("/break/{secret}")
    def break_it(secret: str) -> None:
        raise ValueError(f"{PHONE} {secret}")

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def access(lines):
    return [line for line in lines if line["event"] == "request"]


def test_a_request_is_one_line_with_its_route_and_numbers(client, log):
    order = {"work_order_id": "GD1", "text": TEXT}
    assert client.post("/v1/tags?note=x", json={"work_orders": [order, order]}).status_code == 200
    (line,) = access(log())
    assert line["ms"] > 0
    assert line["time"].endswith("+08:00")
    shown = {name: line[name] for name in ("level", "method", "route", "status", "work_orders")}
    assert shown == {"level": "info", "method": "POST", "route": "/v1/tags", "status": 200, "work_orders": 2}


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", f"/v1/work-orders/{PHONE}", "/v1/work-orders/{work_order_id:path}", 404),
        ("GET", f"/{PHONE}", "unknown", 404),
        ("GET", f"/v1/volumes?since={PHONE}", "/v1/volumes", 422),
        ("GET", "/openapi.json", "other", 200),
        (PHONE, "/livez", "/livez", 405),
    ],
)
def test_a_request_is_named_by_its_route_never_by_what_was_asked(client, log, method, path, route, status):
    client.request(method, path)
    lines = log()
    (line,) = access(lines)
    assert (line["route"], line["status"]) == (route, status)
    assert PHONE not in json.dumps(lines)


def test_an_unforeseen_error_is_told_by_kind_and_place_without_its_message(client, log):
    answer = client.get(f"/break/{IDENTITY}")
    assert answer.status_code == 500
    (line,) = access(log())
    assert (line["level"], line["status"], line["error"]) == ("error", 500, "ValueError")
    assert PHONE not in answer.text + json.dumps(line)
    assert IDENTITY not in answer.text + json.dumps(line)


def test_a_personal_number_as_request_id_is_not_written_down(models_dir, settings, log):
    app = create_app(ModelStore(models_dir), settings)

    @app.get("/echo")
    def echo() -> None:
        from fastapi import HTTPException

        raise HTTPException(418, headers={"X-Request-ID": next(ids)})

    ids = iter(["abc-1", PHONE, "x" * 100])
    with TestClient(app) as client:
        for _ in range(3):
            client.get("/echo")
    assert [line["request_id"] for line in access(log())] == ["abc-1", "(masked)", "(masked)"]

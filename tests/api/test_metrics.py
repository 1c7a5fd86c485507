import re

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from classifier.errors import LedgerUnavailable
from classifier.store import ModelStore

TEXT = "迎宾大道的路灯不亮，夜里看不清路"


@pytest.fixture
def app(models_dir, settings):
    return create_app(ModelStore(models_dir), settings)


@pytest.fixture
def client(app):
    with TestClient(app) as client:
        yield client


def values(client):
    """Each sample by its name and labels, as it is written."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    pairs = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_requests_are_counted_by_route_method_and_status(client):
    for path in ("/livez", "/livez", "/13800138000", "/another"):
        client.get(path)
    client.post("/v1/tags", json={"work_orders": []})
    found = values(client)
    assert found['hotline_requests_total{method="GET",route="/livez",status="200"}'] == 2
    assert found['hotline_requests_total{method="GET",route="unknown",status="404"}'] == 2
    assert found['hotline_requests_total{method="POST",route="/v1/tags",status="422"}'] == 1
    assert found['hotline_request_seconds_count{method="GET",route="/livez"}'] == 2
    assert found["hotline_requests_in_flight"] == 1  # the one that asks


def test_work_orders_are_counted_by_category_and_decision_and_the_model_is_named(client, model):
    orders = [{"text": TEXT}] * 3
    assert client.post("/v1/tags", json={"work_orders": orders}).status_code == 200
    found = values(client)
    (tags,) = model.tag([TEXT])
    label = f'decision="{tags.decision}",first="{tags["category"].first}"'
    assert found[f"hotline_work_orders_tagged_total{{{label}}}"] == 3
    assert found["hotline_tagging_seconds_count"] == 1
    assert found['hotline_model_info{version="small"}'] == 1


def test_what_the_ledger_could_not_do_is_counted_by_kind(app, client, monkeypatch):
    def unavailable(*_args, **_more):
        raise LedgerUnavailable("连不上")

    assert client.get("/v1/work-orders/none").status_code == 404
    monkeypatch.setattr(app.state.ledger, "find", unavailable)
    assert client.get("/v1/work-orders/none").status_code == 503
    found = {name: value for name, value in values(client).items() if "ledger_errors_total" in name}
    assert found == {'hotline_ledger_errors_total{kind="LedgerUnavailable"}': 1}


def test_no_label_is_taken_from_what_was_sent(client):
    client.request("BREW", "/livez")
    client.get("/v1/work-orders/GD-13800138000")
    text = client.get("/metrics").text
    assert "13800138000" not in text
    assert "BREW" not in text
    assert set(re.findall(r'method="(\w+)"', text)) == {"GET", "OTHER"}

from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.ledger.corrections import Correction
from api.periods import SHANGHAI
from classifier.store import ModelStore
from classifier.taxonomy import Taxonomy
from tests.api.conftest import entry

V2 = "/open311/v2"
PHONE = "13800138000"
SERVICE = {"service_code", "service_name", "description", "metadata", "type", "keywords", "group"}
REQUEST = {
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime",
    "address", "address_id", "zipcode", "lat", "long", "media_url",
}  # fmt: skip
"""The fields of the specification's tables."""


@pytest.fixture
def client(models_dir, settings):
    switched_on = settings.model_copy(update={"open311": True, "store_text": "full"})
    with TestClient(create_app(ModelStore(models_dir), switched_on)) as client:
        yield client


def ago(**span):
    return (datetime.now(SHANGHAI) - timedelta(**span)).isoformat(timespec="seconds")


@pytest.fixture
def held(client):
    ledger = client.app.state.ledger
    ledger.upgrade()
    ledger.record(
        [
            entry("A/1.x", ago(days=1), text=f"请致电{PHONE}", title="路灯"),
            entry("A2", ago(days=2), category="municipal.lighting"),
            entry("A3", ago(days=200)),
        ]
    )
    return ledger


def errors_of(answer, status):
    assert answer.status_code == status, answer.text
    (error,) = answer.json()
    assert set(error) == {"code", "description"}
    assert error["code"] == status
    return error["description"]


def test_it_is_off_unless_switched_on(models_dir, settings):
    with TestClient(create_app(ModelStore(models_dir), settings)) as client:
        assert client.get(f"{V2}/services.json").status_code == 404


def test_services_are_the_categories_in_json_and_xml(client):
    services = client.get(f"{V2}/services.json", params={"jurisdiction_id": "jiangmen.gov.cn"}).json()
    assert all(set(one) == SERVICE for one in services)
    by_code = {one["service_code"]: one for one in services}
    assert set(by_code) <= set(Taxonomy.load().facets["category"].codes)
    light = by_code["municipal.lighting"]
    assert (light["service_name"], light["group"]) == ("路灯照明", "市容市政")
    assert light["metadata"] is False
    answer = client.get(f"{V2}/services.xml")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    assert root.tag == "services"
    assert [one.findtext("service_code") for one in root.iter("service")] == list(by_code)
    assert root[0].findtext("metadata") == "false"


def test_discovery_says_where_the_endpoint_is(client):
    found = client.get("/open311/discovery.json").json()
    assert {"changeset", "contact", "key_service", "endpoints"} == set(found)
    (endpoint,) = found["endpoints"]
    assert {"specification", "url", "changeset", "type", "formats"} == set(endpoint)
    assert client.get(f"{endpoint['url']}/services.json").status_code == 200
    root = ElementTree.fromstring(client.get("/open311/discovery.xml").content)  # noqa: S314 - our own
    assert root.findtext("endpoints/endpoint/url") == endpoint["url"]
    assert [one.text for one in root.iter("format")] == endpoint["formats"]


def test_a_service_definition_asks_for_nothing(client):
    assert client.get(f"{V2}/services/environment.air.json").json() == {
        "service_code": "environment.air",
        "attributes": [],
    }
    root = ElementTree.fromstring(client.get(f"{V2}/services/environment.air.xml").content)  # noqa: S314
    assert root.tag == "service_definition"
    assert "services" in errors_of(client.get(f"{V2}/services/none.json"), 404)


def test_requests_are_the_work_orders_of_ninety_days_without_a_citizen_s_words(client, held):
    answer = client.get(f"{V2}/requests.json")
    found = answer.json()
    assert [one["service_request_id"] for one in found] == ["A/1.x", "A2"]
    assert all(set(one) == REQUEST for one in found)
    first = found[0]
    assert first["status"] == "open"
    assert first["description"] == "环境保护/大气污染"
    assert (first["service_code"], first["service_name"]) == ("environment.air", "大气污染")
    assert first["agency_responsible"] == "生态环境局"
    assert first["address"] == "蓬江区"
    assert datetime.fromisoformat(first["requested_datetime"]).tzinfo is not None
    assert "路灯不" not in answer.text
    assert PHONE not in answer.text
    held.correct("A2", {"category": Correction("environment.water", "environment")}, "李", "")
    assert client.get(f"{V2}/requests.json").json()[1]["service_code"] == "environment.water"


def test_one_request_is_a_list_of_one_also_with_an_odd_id(client, held):
    (found,) = client.get(f"{V2}/requests/A%2F1.x.json").json()
    assert found["service_request_id"] == "A/1.x"
    root = ElementTree.fromstring(client.get(f"{V2}/requests/A%2F1.x.xml").content)  # noqa: S314
    assert root.tag == "service_requests"
    assert root.find("request").findtext("service_request_id") == "A/1.x"
    assert root.find("request").findtext("lat") == ""
    assert "工单编号" in errors_of(client.get(f"{V2}/requests/none.json"), 404)


def test_questions_by_id_code_status_and_dates(client, held):
    def asked(**query):
        answer = client.get(f"{V2}/requests.json", params=query)
        assert answer.status_code == 200, answer.text
        return [one["service_request_id"] for one in answer.json()]

    assert asked(service_request_id="A3,none,A2") == ["A3", "A2"]
    assert asked(service_code="municipal.lighting,municipal.road") == ["A2"]
    assert asked(status="closed") == []
    assert asked(status="open,closed") == ["A/1.x", "A2"]
    assert asked(start_date=ago(days=210), end_date=ago(days=190)) == ["A3"]
    assert asked(start_date=ago(days=210)) == ["A3"]
    assert asked(start_date=ago(hours=36)) == ["A/1.x"]
    assert asked(end_date=ago(hours=36)) == ["A2"]


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "昨天"},
        {"start_date": "0001-01-01T00:00:00Z"},
        {"end_date": "9999-12-31T00:00:00Z"},
        {"start_date": "2025-01-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"service_code": "none"},
        {"service_request_id": ",".join(map(str, range(101)))},
    ],
)
def test_a_wrong_question_is_a_list_of_errors(client, held, query):
    errors_of(client.get(f"{V2}/requests.json", params=query), 400)
    answer = client.get(f"{V2}/requests.xml", params=query)
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    assert (answer.status_code, root.tag, root[0].findtext("code")) == (400, "errors", "400")


def test_texts_are_shown_masked_where_that_is_switched_on(models_dir, settings):
    changed = settings.model_copy(update={"open311": True, "open311_text": True, "store_text": "full"})
    with TestClient(create_app(ModelStore(models_dir), changed)) as client:
        ledger = client.app.state.ledger
        ledger.upgrade()
        ledger.record([entry("A1", ago(days=1), text=f"请\x01致电{PHONE}"), entry("A2", ago(days=2))])
        first, second = client.get(f"{V2}/requests.json").json()
        assert first["description"] == "请\x01致电138****8000"
        assert second["description"] == "环境保护/大气污染"
        root = ElementTree.fromstring(client.get(f"{V2}/requests.xml").content)  # noqa: S314 - our own
        assert root[0].findtext("description") == "请致电138****8000"
        ledger.close()

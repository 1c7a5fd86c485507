import json

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.feed_schemas import EventOut
from api.ledger.corrections import Correction
from api.problems import MEDIA_TYPE
from classifier.store import ModelStore
from tests.api.conftest import entry

PHONE = "13800138000"


@pytest.fixture
def client(models_dir, settings, database_url):
    changed = settings.model_copy(update={"database_url": database_url, "store_text": "full"})
    with TestClient(create_app(ModelStore(models_dir), changed)) as client:
        yield client


@pytest.fixture
def held(client):
    return client.app.state.ledger


def lines(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_an_empty_feed_gives_a_cursor_to_ask_with_again(client, held):
    answer = client.get("/v1/feed")
    assert lines(answer) == []
    held.record([entry("A1")])
    (event,) = lines(client.get("/v1/feed", params={"after": answer.headers["x-next-cursor"]}))
    assert event["work_order_id"] == "A1"


def test_following_next_links_tells_every_event_once(client, held):
    held.record([entry(f"A{number}") for number in range(5)])
    held.correct("A3", {"urgent": Correction("1")}, "李", "")
    url, told = "/v1/feed?limit=2", []
    while url:
        answer = client.get(url)
        told += lines(answer)
        url = answer.links.get("next", {}).get("url")
    assert [(one["event"], one["work_order_id"]) for one in told] == [
        *(("tagged", f"A{number}") for number in range(5)),
        ("corrected", "A3"),
    ]
    assert answer.headers["x-next-cursor"] == told[-1]["cursor"]


def test_each_line_s_cursor_goes_on_behind_that_line(client, held):
    held.record([entry(f"A{number}") for number in range(4)])
    told = lines(client.get("/v1/feed"))
    rest = lines(client.get("/v1/feed", params={"after": told[1]["cursor"]}))
    assert rest == told[2:]


def test_an_event_says_what_counts_and_who_said_it(client, held):
    held.record([entry("A1", category="municipal.lighting", scope="private_affair")])
    held.correct("A1", {"category": Correction("environment.air", "environment")}, "李", "看错")
    tagged, corrected = lines(client.get("/v1/feed"))
    assert tagged["labels"]["category"] == {
        "code": "environment.air", "name": "环境保护/大气污染", "corrected": True,
    }  # fmt: skip
    assert tagged["labels"]["first"]["name"] == "环境保护"
    assert tagged["labels"]["scope_detail"]["confidence"] == pytest.approx(0.8)
    assert tagged["labels"]["scope_detail"]["corrected"] is False
    assert (tagged["district"], tagged["channel"], tagged["department"]) == (
        "蓬江区", "12345电话", "生态环境局",
    )  # fmt: skip
    assert (tagged["model_version"], tagged["taxonomy_version"]) == ("m1", "t1")
    assert tagged["received_at"] == "2025-03-10T09:30:00+08:00"
    assert corrected["facet"] == "category"
    assert corrected["label"]["code"] == "environment.air"
    assert corrected["corrected_by"] == "李"
    assert corrected["labels"] == tagged["labels"]


def test_texts_are_told_only_when_asked_for_and_masked_even_if_stored_in_full(client, held):
    held.record([entry("A1", title=f"路灯{PHONE}", text=f"请致电{PHONE}")])
    held.correct("A1", {"urgent": Correction("1")}, "李", f"回电{PHONE}")
    plain = client.get("/v1/feed").text
    assert PHONE not in plain
    assert "路灯" not in plain
    answer = client.get("/v1/feed", params={"text": "masked"})
    assert PHONE not in answer.text
    tagged, corrected = lines(answer)
    assert tagged["text"] == "请致电138****8000"
    assert corrected["reason"] == "回电138****8000"


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"after": "1-"}, {"after": "9" * 30 + "-1"}, {"limit": "0"}, {"text": "full"}]
)
def test_a_wrong_question_is_a_problem(client, query):
    answer = client.get("/v1/feed", params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == MEDIA_TYPE


def test_a_cursor_of_a_ledger_that_was_restored_is_refused_rather_than_waiting_for_ever(client, held):
    held.record([entry("A1")])
    problem = client.get("/v1/feed", params={"after": "999-1"}).json()
    assert "从头读取" in problem["detail"]


def test_the_description_shows_what_a_line_is(client):
    described = client.get("/openapi.json").json()
    (kind,) = described["paths"]["/v1/feed"]["get"]["responses"]["200"]["content"].items()
    assert kind[0] == "application/x-ndjson"
    assert kind[1]["schema"] == {"type": "string"}
    assert EventOut.model_validate_json(kind[1]["example"]).event == "tagged"

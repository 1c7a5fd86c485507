"""Request ids, compression, idempotency, lines, and the smaller routes, as a client meets them."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.desk import Desk
from api.ledger import idempotency
from api.ledger.ledger import Ledger
from api.problems import MEDIA_TYPE
from api.routes.tag_lines import LONGEST
from api.settings import Settings
from classifier.errors import LedgerUnavailable
from classifier.store import ModelStore

TEXT = "迎宾大道的路灯不亮，夜里看不清路"
BODY = {"work_orders": [{"work_order_id": "A1", "text": TEXT}]}
JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}
PHONE = "13800138000"


@pytest.fixture
def client(models_dir, settings):
    with TestClient(create_app(ModelStore(models_dir), settings)) as client:
        yield client


@pytest.fixture
def on_each_engine(models_dir, database_url):
    with TestClient(create_app(ModelStore(models_dir), Settings(database_url=database_url))) as client:
        yield client


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    return answer.json()


# Request ids


def test_a_request_id_is_given_back_or_made(client):
    assert client.get("/livez", headers={"X-Request-ID": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    made = {client.get("/livez").headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    assert len(client.get("/nothing").headers["x-request-id"]) == 32


@pytest.mark.parametrize("given", [PHONE, "a" * 65, "a b", "", "a\tb", "-a"])
def test_an_id_that_is_none_or_a_number_of_somebody_is_replaced(client, given):
    assert len(client.get("/livez", headers={"X-Request-ID": given}).headers["x-request-id"]) == 32


# Compression


def test_long_answers_are_compressed_for_who_asks(client):
    plain = client.post("/v1/tags", json=BODY, headers={"Accept-Encoding": "identity"})
    packed = client.post("/v1/tags", json=BODY, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["results"][0]["facets"] == plain.json()["results"][0]["facets"]


def test_a_compressed_body_is_read(client):
    body = gzip.compress(json.dumps(BODY).encode())
    answer = client.post("/v1/tags", content=body, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status_code == 200


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}])
@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b"x" * 50_000_000), "gzip", 413),
        (gzip.compress(json.dumps(BODY).encode())[:-9], "gzip", 400),
        (gzip.compress(json.dumps(BODY).encode()) + b"more", "gzip", 400),
        (b"no gzip", "gzip", 400),
        (b"x", "br", 415),
        (b"x", "gzip, gzip", 415),
    ],
)
def test_a_bomb_and_what_is_no_gzip_are_refused(client, body, encoding, status, key):
    answer = client.post("/v1/tags", content=body, headers={**JSON, **key, "Content-Encoding": encoding})
    is_problem(answer, status)


# Idempotency


def keyed(client, key, body=BODY, **more):
    return client.post("/v1/tags", json=body, headers={"Idempotency-Key": key, **more})


def test_the_same_request_again_gets_the_same_answer(on_each_engine, monkeypatch):
    client = on_each_engine
    asked = []
    results = Desk._results
    monkeypatch.setattr(Desk, "_results", lambda self, waiting: asked.append(1) or results(self, waiting))
    first = keyed(client, "k1")
    again = keyed(client, "k1")
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(asked) == 1
    assert keyed(client, "k2").status_code == 200
    assert len(asked) == 2


def test_the_same_key_with_another_body_is_refused(on_each_engine):
    keyed(on_each_engine, "k1")
    other = keyed(on_each_engine, "k1", {"work_orders": [{"text": "别的"}]})
    assert "请换一个" in is_problem(other, 422)["detail"]


def test_while_the_first_is_in_flight_the_second_is_told_to_wait(on_each_engine, monkeypatch):
    client = on_each_engine
    begun, free = threading.Event(), threading.Event()
    results = Desk._results

    def slow(self, waiting):
        begun.set()
        assert free.wait(10)
        return results(self, waiting)

    monkeypatch.setattr(Desk, "_results", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(keyed, client, "k1")
        assert begun.wait(10)
        second = keyed(client, "k1")
        free.set()
        assert first.result(10).status_code == 200
    is_problem(second, 409)
    assert int(second.headers["retry-after"]) >= 1
    assert keyed(client, "k1").headers["idempotent-replayed"] == "true"


def test_an_error_of_ours_is_not_kept(client, monkeypatch):
    def fails(self, waiting):
        raise LedgerUnavailable("连不上")

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "_results", fails)
        is_problem(keyed(client, "k1"), 503)
    assert keyed(client, "k1").status_code == 200


def test_what_a_client_did_wrong_is_kept(client):
    bad = {"work_orders": []}
    assert keyed(client, "k1", bad).status_code == 422
    again = keyed(client, "k1", bad)
    assert again.status_code == 422
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == MEDIA_TYPE


def test_a_claim_of_a_process_that_was_killed_is_taken_over(ledger, monkeypatch):
    answers = idempotency.Answers(ledger.engine)
    lost = answers.claim("k" * 64, "b" * 64)
    assert (lost.state, answers.claim("k" * 64, "b" * 64).state) == ("mine", "in flight")
    monkeypatch.setattr(idempotency, "LOST", -idempotency.LOST)
    taken = answers.claim("k" * 64, "b" * 64)
    assert taken.state == "mine"
    answers.settle("k" * 64, lost, idempotency.Answer(500, "", b"late"))  # it was not dead after all
    answers.settle("k" * 64, taken, idempotency.Answer(200, "text/plain", b"good"))
    assert answers.claim("k" * 64, "b" * 64).answer == idempotency.Answer(200, "text/plain", b"good")


def test_answers_are_kept_for_a_day(ledger, monkeypatch):
    answers = idempotency.Answers(ledger.engine)
    answers.settle("k" * 64, answers.claim("k" * 64, "b" * 64), idempotency.Answer(200, "", b"x"))
    monkeypatch.setattr(idempotency, "KEPT", -idempotency.KEPT)
    assert answers.claim("k" * 64, "other").state == "mine"


@pytest.mark.parametrize("key", ["", "a" * 201, "a\x7fb"])
def test_a_key_that_is_none_is_refused(client, key):
    is_problem(keyed(client, key), 400)


def test_two_processes_share_what_was_answered(models_dir, database_url):
    settings = Settings(database_url=database_url)
    apps = [create_app(ModelStore(models_dir), settings) for _ in range(2)]
    with TestClient(apps[0]) as one, TestClient(apps[1]) as other:
        first = keyed(one, "k1")
        again = keyed(other, "k1")
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"


# Lines


def lines_of(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.content.splitlines()]


def test_each_line_is_answered_by_a_line(client, settings):
    orders = [{"work_order_id": f"L{number}", "text": f"{TEXT}{number}"} for number in range(1000)]
    body = "\n".join(json.dumps(order, ensure_ascii=False) for order in orders).encode()
    found = lines_of(client.post("/v1/tags", content=body, headers=LINES))
    assert [one["work_order_id"] for one in found] == [order["work_order_id"] for order in orders]
    assert all(one["recorded"] for one in found)
    one_by_one = client.post("/v1/tags", json={"work_orders": orders[:1]}).json()["results"][0]
    assert found[0] == one_by_one
    (only,) = client.get("/v1/volumes").json()["rows"]
    assert only["volume"] == 1000


def test_bad_lines_are_named_and_the_good_ones_go_through(client):
    lines = [
        json.dumps({"text": TEXT}).encode(),
        b"",
        b"{",
        json.dumps({"text": ""}).encode(),
        b'{"text": "\xff\xfe"}',
        b'{"text": "' + b"x" * LONGEST + b'"}',
        json.dumps({"text": TEXT, "street": PHONE}).encode(),
        json.dumps({"text": TEXT}).encode(),
    ]
    answer = client.post("/v1/tags", content=b"\r\n".join(lines), headers=LINES)
    found = lines_of(answer)
    assert ["facets" in one for one in found] == [True, False, False, False, False, False, True]
    assert [one["line"] for one in found if "line" in one] == [3, 4, 5, 6, 7]
    assert "#/text 不能为空" in found[2]["error"]
    assert PHONE not in answer.text


def test_a_line_without_end_is_not_gathered_for_ever(client):
    def endless():
        yield json.dumps({"text": TEXT}).encode() + b"\n"
        for _ in range(100):
            yield b"x" * 100_000

    first, last = lines_of(client.post("/v1/tags", content=endless(), headers=LINES))
    assert "facets" in first
    assert last == {"line": 2, "error": f"一行最多 {LONGEST:,} 字节", "stopped": True}


def test_where_the_ledger_fails_the_last_line_says_from_where_on(client, monkeypatch):
    results, calls = Desk._results, []

    def fails_later(self, waiting):
        calls.append(1)
        if len(calls) > 1:
            raise LedgerUnavailable("台账连不上")
        return results(self, waiting)

    monkeypatch.setattr(Desk, "_results", fails_later)
    body = b"\n".join(json.dumps({"text": f"{TEXT}{n}"}).encode() for n in range(300))
    *good, last = lines_of(client.post("/v1/tags", content=body, headers=LINES))
    assert last["stopped"] is True
    assert last["line"] == len(good) + 1 == 201
    assert "重新送来" in last["error"]


def test_lines_whose_gzip_breaks_off_end_with_a_line_that_says_so(client):
    packed = gzip.compress(b"\n".join(json.dumps({"text": f"{TEXT}{n}"}).encode() for n in range(3)))
    answer = client.post("/v1/tags", content=packed[:-4], headers={**LINES, "Content-Encoding": "gzip"})
    *good, last = lines_of(answer)
    assert len(good) <= 3
    assert last == {"error": "请求内容的 gzip 不完整", "stopped": True}


def test_lines_do_not_take_an_idempotency_key(client):
    is_problem(client.post("/v1/tags", content=b"", headers={**LINES, "Idempotency-Key": "k"}), 400)


# The smaller routes


def test_the_taxonomy_is_told_once_and_then_by_its_tag(client, model):
    answer = client.get("/v1/taxonomy")
    found = answer.json()
    assert found["version"] == model.taxonomy.version
    assert [one["code"] for one in found["facets"]["category"]["labels"]] == list(
        model.facets["category"].codes
    )
    again = client.get("/v1/taxonomy", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_models_are_listed(client):
    found = client.get("/v1/models").json()
    assert found["current"] == "small"
    assert [one["version"] for one in found["models"] if one["current"]] == ["small"]


@pytest.mark.parametrize(
    ("order", "more", "status"),
    [("A1", {"corrected_by": "张\x00"}, 422), ("A1", {"reason": "\x00"}, 422), ("A%001", {}, 404)],
)
def test_a_nul_that_no_database_holds_is_refused(on_each_engine, order, more, status):
    on_each_engine.post("/v1/tags", json=BODY)
    body = {"labels": {"urgent": "1"}, "corrected_by": "张三"} | more
    is_problem(on_each_engine.patch(f"/v1/work-orders/{order}", json=body), status)


def test_many_corrections_stand_or_fail_each_by_itself(client, settings):
    client.post(
        "/v1/tags", json={"work_orders": [{"work_order_id": f"C{n}", "text": TEXT} for n in range(3)]}
    )
    by = {"corrected_by": "张三", "reason": "漏电"}
    given = [
        {"work_order_id": "C0", "labels": {"urgent": "1"}, **by},
        {"work_order_id": "gone", "labels": {"urgent": "1"}, **by},
        {"work_order_id": "C1", "labels": {"category": "没有的"}, **by},
        {"work_order_id": "C2", "labels": {"urgent": "1"}, **by},
    ]
    results = client.post("/v1/corrections", json={"corrections": given}).json()["results"]
    assert [one["corrected"] for one in results] == [True, False, False, True]
    assert "labels.category" in results[2]["error"]
    assert "没有的" not in results[2]["error"]
    rows = client.get("/v1/volumes", params={"where": "urgent=1"}).json()["rows"]
    assert sum(row["volume"] for row in rows) == 2
    assert [one.action for one in Ledger(settings).open().access.audited()] == ["correction"] * 2

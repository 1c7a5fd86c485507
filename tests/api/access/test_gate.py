"""Every route x every scope and role x no key, a wrong, an expired, a revoked, and the right one."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.access import keyring
from api.access.keys import SCOPES, new_key
from api.access.rules import OPEN, RULES, check_rules, routes_of
from api.access.users import ROLES, new_user
from api.app import create_app
from api.ledger.access import AccessStore
from api.ledger.ledger import Ledger
from api.periods import SHANGHAI
from api.problems import MEDIA_TYPE
from api.settings import Settings
from classifier.errors import LedgerUnavailable
from classifier.store import ModelStore

PASSWORD = "每天六点钟起床的一个人"  # noqa: S105
ORDER = {"work_orders": [{"work_order_id": "A1", "text": "迎宾大道的路灯不亮"}]}
BODIES = {
    ("POST", "/v1/tags"): ORDER,
    ("PATCH", "/v1/work-orders/{work_order_id:path}"): {
        "labels": {"urgent": "1"},
        "corrected_by": "张三",
        "reason": "漏电",
    },
    ("POST", "/v1/corrections"): {
        "corrections": [{"work_order_id": "A1", "labels": {"urgent": "1"}, "corrected_by": "张三"}]
    },
    ("POST", "/v1/session"): {"name": "nobody", "password": "wrong"},
}


@pytest.fixture(scope="module")
def all_routes(models_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("routes") / "hotline.db"
    settings = Settings(database_url=f"sqlite:///{path}")
    return sorted(set(routes_of(create_app(ModelStore(models_dir), settings))))


def test_the_facades_have_rules_too(models_dir, settings):
    every = settings.model_copy(update={"kserve": True, "open311": True})
    pairs = set(routes_of(create_app(ModelStore(models_dir), every)))
    assert len([pair for pair in pairs if pair[1].startswith(("/v2", "/open311"))]) >= 10


@pytest.fixture
def ledger(settings):
    ledger = Ledger(settings).open(create=True)
    yield ledger
    ledger.close()


@pytest.fixture
def client(models_dir, settings, monkeypatch):
    monkeypatch.setattr(keyring, "FRESH_SECONDS", 0.0)  # every request sees what was just changed
    with TestClient(create_app(ModelStore(models_dir), settings)) as client:
        yield client


def ask(client, method, template, **more):
    path = re.sub(r"\{[^}]*\}", "A1", template)
    return client.request(method, path, json=BODIES.get((method, template)), **more)


def is_let_in(answer):
    """Whether the gate let it pass; there may be no such job, or no file in the form."""
    return answer.status_code < 400 or (answer.status_code in (404, 422) and "/jobs" in str(answer.url))


def bearer(token):
    return {"headers": {"Authorization": f"Bearer {token}"}}


def added(ledger, name, scopes, **more):
    token, stored = new_key(name, scopes, **more)
    ledger.access.add_key(stored, "test")
    return token


def is_refused(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["status"] == status
    return answer.json()


def test_every_route_has_a_rule_and_a_new_one_without_is_refused(all_routes):
    assert {pair for pair in all_routes if pair not in RULES} == set()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.get("/v1/secrets")(lambda: "secret")
    with pytest.raises(LookupError, match="/v1/secrets"):
        check_rules(app)


def test_without_any_key_the_service_is_open(client, all_routes):
    for method, template in all_routes:
        if template != "/v1/session":
            assert ask(client, method, template).status_code not in (401, 403), (method, template)


def test_each_key_opens_what_its_scope_says_and_nothing_else(client, ledger, all_routes):
    tokens = {scope: added(ledger, scope, [scope]) for scope in SCOPES}
    expired = expired_key(ledger)
    revoked = added(ledger, "revoked", SCOPES)
    ledger.access.revoke_key("revoked", "test")
    assert ask(client, "POST", "/v1/tags", **bearer(tokens["tag"])).status_code == 200
    closed = [pair for pair in all_routes if RULES[pair] != OPEN]
    assert len(closed) >= 7
    for method, template in closed:
        told = is_refused(ask(client, method, template), 401)
        assert "hotline keys add" in told["detail"]
        altered = tokens["tag"][:-1] + ("B" if tokens["tag"].endswith("A") else "A")
        for wrong in (revoked, expired, altered, "hl_00000000_x", "", "x" * 5000):
            answer = ask(client, method, template, **bearer(wrong))
            is_refused(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")
    for (method, template), scope in product(closed, SCOPES):
        answer = ask(client, method, template, **bearer(tokens[scope]))
        if scope in (RULES[method, template], "admin"):
            assert is_let_in(answer), (method, template, scope, answer.text)
        else:
            assert RULES[method, template] in is_refused(answer, 403)["detail"]
    for method, template in (pair for pair in all_routes if RULES[pair] == OPEN):
        if template != "/v1/session":
            assert ask(client, method, template).status_code in (200, 404), (
                template
            )  # no such file of the page


def expired_key(ledger):
    """A key that was good until a moment ago."""
    token, stored = new_key("expired", SCOPES)
    past = datetime.now(SHANGHAI) - timedelta(seconds=1)
    ledger.access.add_key(replace(stored, expires_at=past), "test")
    return token


def log_in(client, ledger, role):
    ledger.access.add_user(new_user(role, role, PASSWORD), "test")
    answer = client.post("/v1/session", json={"name": role, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_opens_what_its_scopes_say(client, ledger, all_routes, role):
    ask(client, "POST", "/v1/tags")  # while the service is open: a work order to look at
    csrf = log_in(client, ledger, role).json()["csrf_token"]
    for method, template in all_routes:
        rule = RULES[method, template]
        if template == "/v1/session" or rule == OPEN:
            continue
        answer = ask(client, method, template, headers={"X-CSRF-Token": csrf})
        if rule in ROLES[role] or "admin" in ROLES[role]:
            assert is_let_in(answer), (method, template, answer.text)
        else:
            is_refused(answer, 403)


def test_a_session_s_cookie_is_out_of_reach_and_a_change_needs_its_token(client, ledger):
    answer = log_in(client, ledger, "manager")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert PASSWORD not in answer.text
    assert "X-CSRF-Token" in is_refused(ask(client, "POST", "/v1/tags"), 403)["detail"]
    is_refused(ask(client, "POST", "/v1/tags", headers={"X-CSRF-Token": "x"}), 403)
    csrf = answer.json()["csrf_token"]
    assert ask(client, "POST", "/v1/tags", headers={"X-CSRF-Token": csrf}).status_code == 200
    assert client.get("/v1/session").json()["name"] == "manager"


def test_a_session_ends_with_its_person_s_right_to_be_there(client, ledger):
    log_in(client, ledger, "analyst")
    assert ask(client, "GET", "/v1/volumes").status_code == 200
    ledger.access.change_user("analyst", "test", "user.disable", active=False)
    is_refused(ask(client, "GET", "/v1/volumes"), 401)
    is_refused(client.post("/v1/session", json={"name": "analyst", "password": PASSWORD}), 401)


def test_a_cookie_that_is_not_ours_opens_nothing(client, ledger):
    log_in(client, ledger, "manager")
    good = client.cookies["hotline_session"]
    for wrong in ("x", good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:], good.replace(".", "..")):
        client.cookies.clear()
        client.cookies.set("hotline_session", wrong)
        is_refused(ask(client, "GET", "/v1/volumes"), 401)
    client.cookies.clear()
    client.cookies.set("hotline_session", good)
    assert ask(client, "GET", "/v1/volumes").status_code == 200


def test_who_guesses_passwords_is_slowed_down(client, ledger):
    ledger.access.add_user(new_user("张三", "manager", PASSWORD), "test")
    tried = [client.post("/v1/session", json={"name": "guessed", "password": str(n)}) for n in range(11)]
    assert {answer.status_code for answer in tried[:10]} == {401}
    assert int(tried[10].headers["retry-after"]) > 0
    is_refused(tried[10], 429)


def test_a_key_is_held_to_its_rate(client, ledger):
    token = added(ledger, "slow", ["read"], rate=3)
    answers = [ask(client, "GET", "/v1/volumes", **bearer(token)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["retry-after"]) >= 1


def test_what_a_revoked_key_opened_is_shut_without_a_restart(models_dir, settings, ledger):
    token = added(ledger, "a", ["read"])
    with TestClient(create_app(ModelStore(models_dir), settings)) as client:
        assert ask(client, "GET", "/v1/volumes", **bearer(token)).status_code == 200
        ledger.access.revoke_key("a", "test")
        deadline = datetime.now(SHANGHAI) + timedelta(seconds=3 * keyring.FRESH_SECONDS)
        while ask(client, "GET", "/v1/volumes", **bearer(token)).status_code != 401:
            assert datetime.now(SHANGHAI) < deadline


def test_a_method_that_no_route_has_is_told_so(client, ledger):
    added(ledger, "a", ["read"])
    assert client.put("/v1/session").status_code == 405
    assert client.delete("/v1/volumes").status_code == 405


def test_a_key_may_come_in_a_header_of_its_own(client, ledger):
    token = added(ledger, "a", ["read"])
    assert ask(client, "GET", "/v1/volumes", headers={"X-API-Key": token}).status_code == 200


def test_whoever_may_not_ask_is_turned_away_before_the_body_is_read(client, ledger):
    added(ledger, "a", ["read"])
    answer = client.post("/v1/tags", content=b"{" * 1000, headers={"content-type": "application/json"})
    is_refused(answer, 401)


def test_what_was_done_is_in_the_audit_log_without_texts(client, ledger):
    token = added(ledger, "审核系统", ["admin"])
    ask(client, "POST", "/v1/tags", **bearer(token))
    ask(client, "PATCH", "/v1/work-orders/{work_order_id:path}", **bearer(token))
    answer = client.get("/v1/audit", **bearer(token))
    done = [(one["actor"], one["action"], one["subject"]) for one in answer.json()["entries"]]
    assert done == [("key:审核系统", "correction", "A1"), ("test", "key.add", "审核系统")]
    assert "路灯" not in answer.text
    assert token.split("_", 2)[2] not in answer.text


def test_a_body_that_is_too_long_is_refused_unread(models_dir, settings):
    small = settings.model_copy(update={"body_bytes": 2000})
    with TestClient(create_app(ModelStore(models_dir), small)) as client:
        assert ask(client, "POST", "/v1/tags").status_code == 200
        long = {"work_orders": [{"text": "灯" * 1000}]}
        is_refused(client.post("/v1/tags", json=long), 413)
        pieces = (b'{"work_orders": [{"text": "' + b"x" * 1000 for _ in range(9))
        is_refused(client.post("/v1/tags", content=pieces, headers={"content-type": "application/json"}), 413)


def test_every_answer_has_the_headers_that_tie_a_browser_s_hands(client):
    for path, status in (("/livez", 200), ("/v1/volumes", 200), ("/nothing", 404)):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert client.get("/v1/volumes").headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in client.get("/livez", headers={"Origin": "http://a"}).headers


def test_without_its_database_nobody_is_let_in_for_long(models_dir, settings, ledger, monkeypatch):
    token = added(ledger, "a", ["read"])
    with TestClient(create_app(ModelStore(models_dir), settings)) as client:
        assert ask(client, "GET", "/v1/volumes", **bearer(token)).status_code == 200
        monkeypatch.setattr(keyring, "FRESH_SECONDS", 0.0)
        monkeypatch.setattr(keyring, "TRUSTED_SECONDS", 0.0)
        monkeypatch.setattr(AccessStore, "everybody", unreachable)
        is_refused(ask(client, "GET", "/v1/volumes", **bearer(token)), 503)


def unreachable(_self):
    raise LedgerUnavailable("连不上")

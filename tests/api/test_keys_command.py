import json
import sqlite3

import pytest

from api.access.keys import find_key
from api.ledger.ledger import Ledger


def failed(outcome, *said):
    assert outcome.code == 1
    assert outcome.out == ""
    for one in said:
        assert one in outcome.err


def test_a_key_is_shown_once_and_stored_as_a_digest(hotline, settings):
    added = hotline(
        "keys", "add", "热线系统", "--scope", "tag, read", "--expires", "2099-12-31", "--rate", "600"
    )
    assert added.code == 0
    token = added.out.strip()
    keys, _ = Ledger(settings).open().access.everybody()
    assert find_key(token, {keys[0].prefix: keys[0]}) == keys[0]
    assert "只显示这一次" in added.err
    database = settings.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        stored = "\n".join(connection.iterdump())
    assert "热线系统" in stored
    assert token.split("_", 2)[2] not in stored
    (listed,) = json.loads(hotline("keys", "list", "--json").out)
    assert (listed["name"], listed["scopes"], listed["state"]) == ("热线系统", ["read", "tag"], "active")
    assert listed["expires_at"].startswith("2099-12-31T23:59:59")
    assert token not in hotline("keys", "list").out


def test_a_revoked_key_is_listed_as_such(hotline):
    hotline("keys", "add", "a")
    assert hotline("keys", "revoke", "a").code == 0
    assert json.loads(hotline("keys", "list", "--json").out)[0]["state"] == "revoked"
    assert "已作废" in hotline("keys", "list").out
    failed(hotline("keys", "revoke", "a"), "没有名为“a”", "hotline keys list")
    failed(hotline("keys", "add", "a"), "已经用过")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scope", "write"], "write"),
        (["--scope", ","], "权限"),
        (["--expires", "2020-01-01"], "已经过去"),
        (["--expires", "明年"], "--expires"),
    ],
)
def test_wrong_use_says_what_to_do(hotline, options, said):
    failed(hotline("keys", "add", "a", *options), said)


def test_people_are_added_with_a_password_from_stdin(hotline):
    assert (
        hotline("users", "add", "张三", "--role", "审核员", stdin="一二三四五六七八九十\n".encode()).code == 0
    )
    assert hotline("users", "disable", "张三").code == 0
    assert json.loads(hotline("users", "list", "--json").out) == [
        {"name": "张三", "role": "reviewer", "active": False}
    ]
    assert hotline("users", "enable", "张三").code == 0
    assert hotline("users", "password", "张三", stdin="十九八七六五四三二一\n".encode()).code == 0
    assert "审核员" in hotline("users", "list").out
    failed(hotline("users", "add", "李四", "--role", "审核员", stdin=b"short\n"), "密码太短")
    failed(
        hotline("users", "add", "李四", "--role", "局长", stdin="一二三四五六七八九十\n".encode()),
        "局长",
        "管理员",
    )
    done = [one["action"] for one in json.loads(hotline("audit", "--json").out)]
    assert done == ["user.password", "user.enable", "user.disable", "user.add"]


def test_the_audit_log_names_promotions(hotline, store):
    hotline("keys", "add", "a")
    assert hotline("models", "promote", "small", "--models-dir", store.folder).code == 0
    shown = hotline("audit").out
    assert "model.promote" in shown
    assert "small" in shown
    assert json.loads(hotline("audit", "--since", "2099-01-01", "--json").out) == []


def test_the_service_is_not_opened_to_other_machines_without_a_key(hotline, models_dir):
    failed(
        hotline("serve", "--host", "0.0.0.0", "--port", "1", "--models-dir", models_dir),  # noqa: S104
        "hotline keys add",
        "--allow-anonymous",
    )

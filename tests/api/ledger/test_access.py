from datetime import datetime, timedelta

import pytest

from api.access.keys import new_key
from api.access.users import new_user
from api.periods import SHANGHAI
from classifier.errors import InputError


def test_keys_are_stored_and_revoked(ledger):
    expires = datetime.now(SHANGHAI) + timedelta(days=3)
    _, key = new_key("热线系统", ["tag", "read"], 600, expires)
    ledger.access.add_key(key, "cli:a")
    (stored,), people = ledger.access.everybody()
    assert people == []
    assert (stored.name, stored.digest, stored.scopes, stored.rate) == (
        key.name,
        key.digest,
        key.scopes,
        key.rate,
    )
    assert abs(stored.expires_at - expires) < timedelta(seconds=1)
    ledger.access.revoke_key("热线系统", "cli:b")
    ((revoked,), _) = ledger.access.everybody()
    assert revoked.state(datetime.now(SHANGHAI)) == "revoked"
    assert [(one.action, one.actor, one.subject) for one in ledger.access.audited()] == [
        ("key.revoke", "cli:b", "热线系统"),
        ("key.add", "cli:a", "热线系统"),
    ]


def test_a_name_is_never_used_again(ledger):
    ledger.access.add_key(new_key("a", ["tag"])[1], "cli")
    ledger.access.revoke_key("a", "cli")
    with pytest.raises(InputError, match="已经用过"):
        ledger.access.add_key(new_key("a", ["tag"])[1], "cli")
    with pytest.raises(InputError, match="没有名为"):
        ledger.access.revoke_key("a", "cli")
    assert len(ledger.access.audited()) == 2


def test_a_change_of_a_person_voids_their_sessions(ledger):
    ledger.access.add_user(new_user("张三", "审核员", "0123456789"), "cli")
    ledger.access.change_user("张三", "cli", "user.disable", active=False)
    _, (user,) = ledger.access.everybody()
    assert (user.role, user.epoch, user.active) == ("reviewer", 1, False)
    with pytest.raises(InputError, match="没有名为"):
        ledger.access.change_user("李四", "cli", "user.enable", active=True)


def test_a_secret_is_made_once(ledger):
    assert ledger.access.secret("session") == ledger.access.secret("session")
    assert ledger.access.secret("session") != ledger.access.secret("other")


def test_the_audit_log_is_read_page_by_page(ledger):
    for number in range(5):
        ledger.access.note("cli", "export", f"第{number}份", {"rows": number})
    first = ledger.access.audited(most=2)
    second = ledger.access.audited(before=first[-1].audit_id, most=9)
    assert [one.detail["rows"] for one in first + second] == [4, 3, 2, 1, 0]
    assert ledger.access.audited(since=datetime.now(SHANGHAI) + timedelta(days=1)) == []

import hmac
from datetime import datetime, timedelta

import pytest

from api.access import keys
from api.access.keys import find_key, new_key
from api.periods import SHANGHAI
from classifier.errors import InputError


def test_a_key_is_found_by_its_whole_text_alone():
    token, stored = new_key("热线系统", ["tag"])
    other, _ = new_key("别的", ["tag"])
    known = {stored.prefix: stored}
    assert find_key(token, known) is stored
    mark, prefix, secret = token.split("_", 2)
    wrong = [
        other,
        token[:-1],
        token + "x",
        f"{mark}_{prefix}_",
        f"xx_{prefix}_{secret}",
        prefix,
        "",
        "hl_",
        "\ud800",
    ]
    assert [find_key(one, known) for one in wrong] == [None] * len(wrong)


def test_of_the_secret_nothing_is_stored():
    token, stored = new_key("热线系统", ["tag", "read"], 60)
    assert token.split("_", 2)[2] not in repr(stored)
    assert len(stored.digest) == 64


@pytest.mark.parametrize("right_prefix", [True, False])
def test_a_right_and_a_wrong_prefix_take_the_same_steps(monkeypatch, right_prefix):
    """One digest and one comparison in constant time each, of texts of the same length."""
    _, stored = new_key("热线系统", ["tag"])
    steps = []
    digest, compare = keys._digest, hmac.compare_digest
    monkeypatch.setattr(keys, "_digest", lambda secret: steps.append("digest") or digest(secret))
    monkeypatch.setattr(
        keys.hmac, "compare_digest", lambda a, b: steps.append((len(a), len(b))) or compare(a, b)
    )
    prefix = stored.prefix if right_prefix else "0" * 8
    assert find_key(f"hl_{prefix}_{'x' * 43}", {stored.prefix: stored}) is None
    assert steps == ["digest", (64, 64)]


def test_states_of_a_key():
    now = datetime.now(SHANGHAI)
    _, stored = new_key("a", ["tag"], expires_at=now + timedelta(days=1))
    assert stored.state(now) == "active"
    assert stored.state(now + timedelta(days=2)) == "expired"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scopes": ["tags"]}, "tags"),
        ({"scopes": []}, "权限"),
        ({"scopes": ["tag"], "name": " "}, "名称"),
        ({"scopes": ["tag"], "expires_at": datetime(2020, 1, 1, tzinfo=SHANGHAI)}, "已经过去"),
    ],
)
def test_a_key_that_would_be_of_no_use_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        new_key(**{"name": "a", **given})

import json

import pytest

from classifier import bundle


@pytest.fixture
def two(store, model):
    """A store of its own with a second version, which nobody has promoted."""
    again = model.variant("again")
    card = bundle.read_card(store.path("small"))
    bundle.save(again, store.folder / "again", card | {"version": "again"}, "# 模型 again\n")
    return store


def listed(hotline, store):
    outcome = hotline("models", "list", "--json", "--models-dir", store.folder)
    assert outcome.code == 0
    return {row["version"]: row for row in json.loads(outcome.out)}


def test_versions_are_listed_with_the_current_one_marked(hotline, two):
    found = listed(hotline, two)
    assert {name: row["current"] for name, row in found.items()} == {"again": False, "small": True}
    assert found["small"]["state"] == "当前"
    assert found["small"]["card"] == bundle.read_card(two.path("small"))


def test_the_list_for_people_has_a_line_for_each_version(hotline, two):
    outcome = hotline("models", "list", "--models-dir", two.folder)
    header, *rows = outcome.out.splitlines()
    assert "版本" in header
    assert [row.split()[0] for row in rows] == ["again", "small"]
    assert "当前" in rows[1]
    assert "当前" not in rows[0]


def test_a_damaged_version_is_listed_as_such_and_others_stay_readable(hotline, two):
    words = two.path("again") / "words.txt"
    words.write_bytes(words.read_bytes() + b"\n")
    found = listed(hotline, two)
    assert (found["again"]["state"], found["again"]["card"]) == ("已损坏", {})
    assert found["small"]["state"] == "当前"
    assert "已损坏" in hotline("models", "list", "--models-dir", two.folder).out


def test_an_empty_folder_lists_nothing_and_says_so_on_stderr(hotline, tmp_path):
    outcome = hotline("models", "list", "--json", "--models-dir", tmp_path)
    assert json.loads(outcome.out) == []
    assert "没有当前模型" in outcome.err


def test_the_card_of_the_current_version_is_shown(hotline, two):
    outcome = hotline("models", "show", "--models-dir", two.folder)
    assert outcome.out == (two.path("small") / "card.md").read_text(encoding="utf-8")
    assert "宏平均" in outcome.out


def test_the_card_of_any_version_is_shown_also_as_json(hotline, two):
    assert hotline("models", "show", "again", "--models-dir", two.folder).out == "# 模型 again\n"
    outcome = hotline("models", "show", "again", "--json", "--models-dir", two.folder)
    assert json.loads(outcome.out)["version"] == "again"


def test_promoting_and_going_back_change_the_current_version(hotline, two):
    outcome = hotline("models", "promote", "again", "--models-dir", two.folder)
    assert (outcome.code, outcome.out) == (0, "")
    assert "当前版本：again" in outcome.err
    assert listed(hotline, two)["again"]["current"]
    outcome = hotline("models", "rollback", "--models-dir", two.folder)
    assert "当前版本：small" in outcome.err
    assert listed(hotline, two)["small"]["current"]


def test_going_back_further_than_there_is_fails(hotline, two):
    outcome = hotline("models", "rollback", "--models-dir", two.folder)
    assert (outcome.code, outcome.out) == (1, "")
    assert "没有更早的版本" in outcome.err


@pytest.mark.parametrize("command", ["promote", "show"])
@pytest.mark.parametrize("version", ["none", "../small", ""])
def test_a_version_that_is_not_there_is_refused(hotline, two, command, version):
    outcome = hotline("models", command, version or "-", "--models-dir", two.folder)
    assert (outcome.code, outcome.out) == (1, "")
    assert "已有：again、small" in outcome.err
    assert listed(hotline, two)["small"]["current"]


def test_a_damaged_version_is_not_promoted(hotline, two):
    (two.path("again") / "card.md").write_text("别的", encoding="utf-8")
    outcome = hotline("models", "promote", "again", "--models-dir", two.folder)
    assert outcome.code == 1
    assert "card.md" in outcome.err
    assert listed(hotline, two)["small"]["current"]


@pytest.mark.parametrize("arguments", [["promote"], ["show", "a", "b"], ["forget"], ["list", "--all"]])
def test_wrong_use_exits_with_two(hotline, arguments):
    assert hotline("models", *arguments).code == 2

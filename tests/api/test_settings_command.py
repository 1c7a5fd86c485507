import json

import pytest

from api.commands.settings import masked


def test_settings_are_shown_with_their_source_and_without_passwords(monkeypatch, tmp_path, hotline):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hotline.toml").write_text("workers = 2\n", encoding="utf-8")
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://hotline:geheim@db/hotline")
    shown = hotline("settings", "--json")
    rows = {row["name"]: row for row in json.loads(shown.out)}
    assert rows["workers"]["value"] == 2
    assert "hotline.toml" in rows["workers"]["source"]
    assert rows["database_url"]["value"] == "postgresql://hotline:***@db/hotline"
    assert rows["database_url"]["source"] == "环境变量 HOTLINE_DATABASE_URL"
    assert rows["port"]["source"] == "默认值"
    table = hotline("settings")
    assert "geheim" not in shown.out + table.out
    assert "database_url" in table.out


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@ss:w@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?user=u&password=geheim&x=1", "postgresql://h/d?user=u&password=***&x=1"),
        ("sqlite:///文件.db", "sqlite:///文件.db"),
    ],
)
def test_a_password_is_masked_wherever_a_url_may_hold_it(url, shown):
    assert masked("database_url", url) == shown


def test_a_wrong_setting_is_an_error_that_says_which(monkeypatch, hotline):
    monkeypatch.setenv("HOTLINE_WORKERS", "0")
    shown = hotline("settings")
    assert shown.code == 1
    assert "HOTLINE_WORKERS 的值不对" in shown.err

import pytest

from api.settings import read_settings
from classifier.errors import InputError


def test_without_settings_a_file_in_the_folder_keeps_masked_texts(monkeypatch):
    monkeypatch.delenv("HOTLINE_DATABASE_URL")
    settings = read_settings()
    assert settings.database_url == "sqlite:///hotline.db"
    assert (settings.store_text, settings.record, settings.text_days) == ("masked", True, None)


def test_the_environment_sets_and_an_option_goes_before_it(monkeypatch):
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://h/x")
    monkeypatch.setenv("HOTLINE_STORE_TEXT", "none")
    monkeypatch.setenv("hotline_record", "false")
    settings = read_settings()
    assert (settings.database_url, settings.store_text, settings.record) == (
        "postgresql://h/x",
        "none",
        False,
    )
    assert read_settings("年.db").database_url == "sqlite:///年.db"
    assert read_settings("postgresql://h/y").database_url == "postgresql://h/y"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HOTLINE_DATABSE_URL", "HOTLINE_DATABASE_URL？"),
        ("HOTLINE_STORETEXT", "HOTLINE_STORE_TEXT？"),
        ("HOTLINE_ZZZ", "可用的是"),
    ],
)
def test_a_misspelt_variable_is_an_error(monkeypatch, name, said):
    monkeypatch.setenv(name, "x")
    with pytest.raises(InputError, match=name) as caught:
        read_settings()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOTLINE_STORE_TEXT", "all"),
        ("HOTLINE_RECORD", "perhaps"),
        ("HOTLINE_TEXT_DAYS", "0"),
        ("HOTLINE_TEXT_DAYS", "soon"),
    ],
)
def test_a_value_of_another_kind_is_an_error_that_names_the_variable_and_what_it_takes(
    monkeypatch, name, value
):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"{name} 的值不对，应为"):
        read_settings()


def write_file(monkeypatch, folder, content):
    monkeypatch.chdir(folder)
    (folder / "hotline.toml").write_text(content, encoding="utf-8")


def test_a_file_in_the_folder_sets_and_the_environment_goes_before_it(monkeypatch, tmp_path):
    write_file(monkeypatch, tmp_path, 'database_url = "sqlite:///文件.db"\nworkers = 3\nrecord = false\n')
    monkeypatch.setenv("HOTLINE_WORKERS", "2")
    monkeypatch.delenv("HOTLINE_DATABASE_URL")
    settings = read_settings()
    assert (settings.database_url, settings.workers, settings.record) == ("sqlite:///文件.db", 2, False)


def test_a_file_elsewhere_is_named_by_a_variable_and_must_be_there(monkeypatch, tmp_path):
    (tmp_path / "other.toml").write_text("port = 9000\n", encoding="utf-8")
    monkeypatch.setenv("HOTLINE_CONFIG", str(tmp_path / "other.toml"))
    assert read_settings().port == 9000
    monkeypatch.setenv("HOTLINE_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(InputError, match="不存在"):
        read_settings()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("wrokers = 2\n", "是不是 workers？"),
        ("[server]\nport = 1\n", "中的 server。"),
        ("port = 70000\n", "中 port 的值不对，应为端口"),
        ('workers = "many"\n', "中 workers 的值不对，应为进程数"),
        ("port = \n", "第 1 行不合 TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_what_to_do(monkeypatch, tmp_path, content, said):
    write_file(monkeypatch, tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_settings()
    assert said in str(caught.value)
    assert "hotline.toml" in str(caught.value)


def test_commands_take_the_models_folder_of_the_file(monkeypatch, tmp_path, hotline, models_dir):
    write_file(monkeypatch, tmp_path, f'models_dir = "{models_dir}"\n')
    assert '"model_version":"small"' in hotline("tag", "--json", "路灯不亮").out

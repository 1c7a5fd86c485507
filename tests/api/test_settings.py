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

"""Files that a city may replace: what cannot be read or is misspelt is refused, and says what to do."""

from __future__ import annotations

import pytest

from classifier.data_file import check_keys, read_data_file
from classifier.errors import InputError


def test_a_file_gives_what_it_holds(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('["江海区"]\nshort = "江海"\n', encoding="utf-8")
    assert read_data_file(path, "地名文件", "places.toml") == {"江海区": {"short": "江海"}}


@pytest.mark.parametrize("content", [b"[", b"a = 1\na = 2", "甲 = 1".encode("gb18030")])
def test_what_is_no_toml_is_refused_with_an_example(tmp_path, content):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"不是正确的 TOML.*对照自带的 places.toml"):
        read_data_file(path, "地名文件", "places.toml")


def test_a_missing_file_is_refused_by_what_it_is_called(tmp_path):
    with pytest.raises(InputError, match="地名文件打不开"):
        read_data_file(tmp_path / "none.toml", "地名文件", "places.toml")


def test_an_unknown_key_is_named_with_the_known_ones(tmp_path):
    check_keys(tmp_path, "", {"a": 1}, ("a", "b"))
    with pytest.raises(InputError, match=r"不认识 x\.c，可用的是 a、b"):
        check_keys(tmp_path, "x.", {"c": 1}, ("a", "b"))

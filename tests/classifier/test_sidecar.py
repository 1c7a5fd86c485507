import hashlib
import json

import pytest

from classifier.errors import OutputError
from classifier.sidecar import sha256, write_sidecar


def test_a_sidecar_says_what_the_file_is(tmp_path):
    path = tmp_path / "结果.csv"
    path.write_bytes("一\n".encode())
    sidecar = write_sidecar(path, {"rows": 1, "model_version": "甲"})
    assert sidecar == tmp_path / "结果.csv.json"
    assert json.loads(sidecar.read_text(encoding="utf-8")) == {
        "file": "结果.csv",
        "sha256": hashlib.sha256("一\n".encode()).hexdigest(),
        "rows": 1,
        "model_version": "甲",
    }


def test_a_sidecar_is_readable_by_people(tmp_path):
    path = tmp_path / "out.csv"
    path.touch()
    text = write_sidecar(path, {"source": "工单.xlsx"}).read_text(encoding="utf-8")
    assert "工单.xlsx" in text
    assert text.count("\n") == 5


def test_a_sidecar_replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "out.csv"
    path.touch()
    write_sidecar(path, {"rows": 1})
    write_sidecar(path, {"rows": 2})
    assert json.loads((tmp_path / "out.csv.json").read_text())["rows"] == 2
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.csv", "out.csv.json"]


def test_a_sidecar_that_cannot_be_written_is_our_error_and_leaves_nothing(tmp_path):
    path = tmp_path / "out.csv"
    path.touch()
    (tmp_path / "out.csv.json").mkdir()
    with pytest.raises(OutputError, match="写不进去"):
        write_sidecar(path, {})
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.csv", "out.csv.json"]


def test_the_sum_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "large"
    content = bytes(range(256)) * 10_000
    path.write_bytes(content)
    assert sha256(path) == hashlib.sha256(content).hexdigest()

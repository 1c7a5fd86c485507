import json

import pandas as pd
import pytest

from api.recording import given_by_row
from api.tagged_file import columns_of, tags_of, taxonomy_version_of
from classifier.errors import InputError
from classifier.records import open_records
from classifier.taxonomy import Taxonomy

TAGGED = {
    "工单编号": ["A1", "A2"],
    "受理时间": ["2025-01-01", "2025-01-02"],
    "承办单位": ["甲", "乙"],
    "category_code": ["environment.air", None],
    "first_code": ["environment", None],
    "category_confidence": [0.9, None],
    "scope": ["private", None],
    "scope_detail": ["private_affair", None],
    "scope_confidence": [0.8, None],
    "urgent": [0, None],
    "urgent_confidence": [1.5, None],
    "decision": ["auto", "error"],
    "model_version": ["m1", "m1"],
    "department": ["丙", None],
}


@pytest.fixture(params=["csv", "parquet", "xlsx"])
def path(request, tmp_path):
    path = tmp_path / f"out.{request.param}"
    frame = pd.DataFrame(TAGGED)
    {"csv": frame.to_csv, "parquet": frame.to_parquet, "xlsx": frame.to_excel}[request.param](
        path, index=False
    )
    return path


def test_tags_are_read_back_as_they_were_given(path):
    records = open_records(path)
    columns = columns_of(records.columns, {}, path.name)
    assert columns["department"] == "承办单位"  # and not the suggested unit
    (chunk,) = records.chunks(10)
    first, second = tags_of(chunk).to_dict("records")
    given = given_by_row(first)
    assert (given["category"].label, given["category"].confidence, given["category"].first) == (
        "environment.air", 0.9, "environment",
    )  # fmt: skip
    assert (given["scope_detail"].label, given["scope_detail"].first) == ("private_affair", "private")
    assert given["urgent"].label == "0"
    assert given["urgent"].confidence is None  # 1.5 is none
    assert "request_type" not in given
    assert (second["decision"], second["category_code"]) == ("error", None)


def test_a_file_without_tags_or_times_is_refused():
    with pytest.raises(InputError, match="缺少 decision、model_version 列"):
        columns_of(["category_code", "first_code", "受理时间"], {}, "a.csv")
    with pytest.raises(InputError, match="受理时间"):
        columns_of([name for name in TAGGED if name != "受理时间"], {}, "a.csv")


def test_the_sidecar_tells_the_taxonomy(tmp_path):
    assert taxonomy_version_of(tmp_path / "out.csv") == Taxonomy.load().version
    (tmp_path / "out.csv.json").write_text(json.dumps({"taxonomy_version": "2020.9"}), encoding="utf-8")
    assert taxonomy_version_of(tmp_path / "out.csv") == "2020.9"

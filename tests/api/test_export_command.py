import hashlib
import json
from functools import partial

import pandas as pd
import pytest

from api.ledger.corrections import Correction
from api.ledger.ledger import Ledger
from tests.api.conftest import entry

PHONE = "13800138000"


@pytest.fixture
def held(settings):
    ledger = Ledger(settings.model_copy(update={"store_text": "full"}))
    ledger.upgrade()
    ledger.record(
        [
            entry("A1", title="异味", text=f"工厂排放，请致电{PHONE}"),
            entry("A2", category="municipal.lighting", text="路灯不亮"),
            entry("A3", text=""),
        ]
    )
    ledger.correct("A2", {"request_type": Correction("help")}, "李", "")
    yield ledger
    ledger.close()


def test_the_lines_are_those_of_the_feed_with_a_sidecar_and_the_next_cursor(hotline, held, tmp_path):
    out = tmp_path / "feed.ndjson"
    done = hotline("db", "export", out)
    assert done.code == 0, done.err
    events = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [one["work_order_id"] for one in events] == ["A1", "A2", "A3", "A2"]
    assert done.out.strip() == events[-1]["cursor"]
    assert PHONE not in out.read_text("utf-8")
    sidecar = json.loads((tmp_path / "feed.ndjson.json").read_text("utf-8"))
    assert sidecar["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (sidecar["rows"], sidecar["next_cursor"]) == (4, done.out.strip())
    assert sidecar["model_versions"] == {"m1": 4}


def test_an_export_goes_on_where_the_last_one_ended(hotline, held, tmp_path):
    cursor = hotline("db", "export", tmp_path / "1.ndjson").out.strip()
    held.record([entry("B1")])
    second = hotline("db", "export", tmp_path / "2.ndjson", "--after", cursor)
    (line,) = (tmp_path / "2.ndjson").read_text("utf-8").splitlines()
    assert json.loads(line)["work_order_id"] == "B1"
    third = hotline("db", "export", tmp_path / "3.ndjson", "--after", second.out.strip(), "--json")
    assert (tmp_path / "3.ndjson").read_bytes() == b""
    assert json.loads(third.out)["next_cursor"] == second.out.strip()


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_tables_have_chinese_columns_and_masked_texts(hotline, held, tmp_path, suffix):
    out = tmp_path / f"变动.{suffix}"
    assert hotline("db", "export", out, "--text", "masked").code == 0
    read = {
        "csv": pd.read_csv,
        "xlsx": partial(pd.read_excel, engine="calamine"),
        "parquet": pd.read_parquet,
    }[suffix]
    frame = read(out)
    assert frame["工单编号"].tolist() == ["A1", "A2", "A3", "A2"]
    assert frame["事件"].tolist() == ["打标"] * 3 + ["更正"]
    assert frame["事项分类"].tolist()[1] == "市容市政/路灯照明"
    assert frame["一级分类"].tolist()[0] == "环境保护"
    assert frame["事项分类置信度"].tolist()[0] == pytest.approx(0.9)
    assert frame["更正标签"].tolist()[3] == "求助"
    assert str(frame["受理时间"].iloc[0]).startswith("2025-03-10 09:30:00")
    assert frame["诉求内容"].tolist()[0] == "工厂排放，请致电138****8000"


def test_an_exported_table_is_read_as_samples(hotline, held, tmp_path):
    from classifier.taxonomy import Taxonomy
    from training.samples import read_samples

    out = tmp_path / "样本.csv"
    hotline("db", "export", out, "--text", "masked")
    samples = read_samples(out, Taxonomy.load())
    assert "municipal.lighting" in samples.taxonomy.facets["category"].codes


def test_label_studio_tasks_have_predictions_and_an_interface(hotline, held, tmp_path):
    out = tmp_path / "任务.json"
    done = hotline("db", "export", out)
    assert done.code == 0, done.err
    tasks = json.loads(out.read_text("utf-8"))
    assert [task["data"]["work_order_id"] for task in tasks] == ["A1", "A2"]
    assert tasks[0]["data"]["text"] == "工厂排放，请致电138****8000"
    by_name = {part["from_name"]: part["value"] for part in tasks[1]["predictions"][0]["result"]}
    assert by_name["category"] == {"taxonomy": [["市容市政", "路灯照明"]]}
    assert by_name["request_type"] == {"choices": ["求助"]}
    assert "1 条工单没有存下文字" in done.err
    assert "<Taxonomy" in (tmp_path / "任务.json.config.xml").read_text("utf-8")


def test_tab_separated_lines_are_text_and_both_levels(hotline, held, tmp_path):
    out = tmp_path / "样本.tsv"
    assert hotline("db", "export", out).code == 0
    assert out.read_text("utf-8").splitlines() == [
        "异味。工厂排放，请致电138****8000\t环境保护##大气污染",
        "路灯不亮\t市容市政##路灯照明",
    ]


def test_since_leaves_out_what_was_written_before(hotline, held, tmp_path):
    out = tmp_path / "feed.ndjson"
    assert hotline("db", "export", out, "--since", "2026-01").code == 0
    assert len(out.read_text("utf-8").splitlines()) == 4
    assert hotline("db", "export", out, "--since", "2098-01-01").code == 0
    assert out.read_bytes() == b""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.doc"], "看不出 x.doc 的格式"),
        (["x.txt", "--format", "csv"], "请以 .csv 结尾"),
        (["x.csv", "--since", "昨天"], "--since 应为"),
        (["x.csv", "--after", "昨天"], "原样使用"),
    ],
)
def test_a_wrong_wish_says_what_to_do(hotline, held, tmp_path, arguments, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = hotline("db", "export", *arguments)
    assert done.code == 1
    assert said in done.err
    assert not list(tmp_path.iterdir())


def test_only_corrected_work_orders_may_be_asked_for(hotline, held, tmp_path):
    out = tmp_path / "更正过的.tsv"
    done = hotline("db", "export", out, "--corrected")
    assert out.read_text("utf-8").splitlines() == ["路灯不亮\t市容市政##路灯照明"]
    assert hotline("db", "export", out, "--after", done.out.strip()).code == 0
    assert out.read_bytes() == b""

import csv
import json

import pandas as pd
import pytest

from api.ledger.ledger import Ledger
from tests.api.conftest import entry

LIGHT, NOISE = "迎宾大道的路灯不亮，夜里看不清路", "邻居半夜唱歌，吵得睡不着"


@pytest.fixture
def held(settings):
    ledger = Ledger(settings).open(create=True)
    yield ledger
    ledger.close()


@pytest.fixture
def source(tmp_path):
    """A file with two sound rows, one without a text, and three whose time is impossible."""
    path = tmp_path / "in.csv"
    path.write_text(
        "工单编号,受理时间,区县,诉求内容\n"
        f"A1,2025-03-10 08:00,蓬江区,{LIGHT}\n"
        "A2,2025-03-10 08:00,蓬江区,\n"
        f"A3,2999-01-01 08:00,蓬江区,{NOISE}\n"
        f"A4,昨天,蓬江区,{NOISE}\n"
        f"A5,2026-01-01 00:30,新会区,{NOISE}\n"
        f"A6,,蓬江区,{NOISE}\n",
        encoding="utf-8",
    )
    return path


def recorded(hotline, models_dir, source, target, *more):
    return hotline("batch", source, target, "--record", "--models-dir", models_dir, *more)


def test_a_batch_is_recorded_and_the_impossible_rows_are_listed(hotline, models_dir, source, tmp_path, held):
    outcome = recorded(hotline, models_dir, source, tmp_path / "out.csv")
    assert outcome.code == 3
    assert "新记 2 条" in outcome.err
    assert "没有标签而未记 1 条" in outcome.err
    assert "拒绝 3 条" in outcome.err
    assert "Asia/Shanghai" in outcome.err
    assert LIGHT not in outcome.err
    with (tmp_path / "out.csv.unrecorded.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["行号", "工单编号", "列", "原因", "处理办法"]
    assert [row[:3] for row in rows] == [
        ["4", "A3", "受理时间"],
        ["5", "A4", "受理时间"],
        ["7", "A6", "受理时间"],
    ]
    assert "在将来" in rows[0][3]
    assert "昨天" in rows[1][3]
    assert "没有受理时间" in rows[2][3]
    assert held.find("A5").received_at.isoformat() == "2026-01-01T00:30:00+08:00"
    assert held.find("A5").labels["district"] == "新会区"


def test_recording_a_file_again_and_importing_its_output_count_once(
    hotline, models_dir, examples, tmp_path, held
):
    for suffix in ("csv", "xlsx", "parquet"):
        target = tmp_path / f"out.{suffix}"
        assert recorded(hotline, models_dir, examples, target).code == 0
        outcome = hotline("db", "import", target)
        assert outcome.code == 0, outcome.err
        assert "新记 0 条，更新 803 条" in outcome.err
    facts = held.facts()
    assert facts["work_orders"] == 803
    assert len(facts["imports"]) == 4  # the input once, each output once
    assert {one["model_version"] for one in facts["imports"]} == {"small"}
    assert held.check() == []


def test_what_is_imported_is_what_was_tagged(hotline, models_dir, examples, tmp_path, held):
    target = tmp_path / "out.parquet"
    hotline("batch", examples, target, "--models-dir", models_dir)
    assert hotline("db", "import", target).code == 0
    tagged = pd.read_parquet(target)
    for row in tagged.iloc[::97].to_dict("records"):
        found = held.find(row["工单编号"])
        assert found.labels["category"] == row["category_code"]
        assert found.labels["scope_detail"] == row["scope_detail"]
        assert found.labels["urgent"] == str(row["urgent"])
        assert found.tags[0].confidences["category"] == row["category_confidence"]
        assert found.labels["department"] == row["department"]


def test_rows_without_an_id_get_one_of_their_own_and_the_same_again(hotline, models_dir, tmp_path, held):
    source = tmp_path / "in.csv"
    source.write_text(
        f"受理时间,诉求内容\n2025-03-10,{LIGHT}\n2025-03-10,{LIGHT}\n2025-03-11,{LIGHT}\n", encoding="utf-8"
    )
    for _ in range(2):
        outcome = recorded(hotline, models_dir, source, tmp_path / "out.csv")
        assert outcome.code == 0
        assert "3 行没有工单编号" in outcome.err
    assert held.facts()["work_orders"] == 3


def test_a_file_without_times_cannot_be_recorded_and_is_not_tagged_in_vain(hotline, models_dir, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text(f"工单编号,何时,诉求内容\nA1,2025-03-10,{LIGHT}\n", encoding="utf-8")
    outcome = recorded(hotline, models_dir, source, tmp_path / "out.csv")
    assert outcome.code == 1
    assert "没有受理时间列" in outcome.err
    assert "--received-at-column" in outcome.err
    assert not (tmp_path / "out.csv").exists()
    assert (
        recorded(hotline, models_dir, source, tmp_path / "out.csv", "--received-at-column", "何时").code == 0
    )


def test_a_file_that_is_not_tagged_is_not_imported(hotline, source):
    outcome = hotline("db", "import", source)
    assert outcome.code == 1
    assert "没有打标结果（缺少 category_code" in outcome.err
    assert "hotline batch" in outcome.err


def test_texts_are_purged_and_the_volumes_stay(hotline, held):
    held.record(
        [entry("A1", "2024-03-10", text="正文", title="标题"), entry("A2", "2025-03-10", text="正文")]
    )
    outcome = hotline("db", "purge", "--before", "2025-01-01", "--dry-run")
    assert "1 条工单的标题和正文将被清理" in outcome.err
    assert held.find("A1").text == "正文"
    assert hotline("db", "purge", "--before", "2025-01-01").code == 0
    assert (held.find("A1").text, held.find("A1").title, held.find("A2").text) == (None, None, "正文")
    assert held.facts()["work_orders"] == 2
    assert "0 条" in hotline("db", "purge", "--before", "2025-01-01").err


def test_whole_work_orders_are_purged_with_their_volumes(hotline, held):
    held.record([entry("A1", "2024-03-10"), entry("A2", "2025-03-10")])
    held.settle()
    assert "1 条工单已清理" in hotline("db", "purge", "--before", "2025-01-01", "--whole").err
    assert json.loads(hotline("volumes", "--since", "2024", "--format", "json").out)["total"] == 1
    assert held.check() == []


def test_a_purge_goes_by_the_setting_where_no_day_is_given(hotline, held, monkeypatch):
    held.record([entry("A1", "2024-03-10", text="正文")])
    assert "HOTLINE_TEXT_DAYS" in hotline("db", "purge").err
    monkeypatch.setenv("HOTLINE_TEXT_DAYS", "365")
    assert "1 条" in hotline("db", "purge").err
    assert hotline("db", "purge", "--before", "昨天").code == 1


def test_what_is_in_the_ledger_is_shown_and_checked(hotline, held):
    held.record([entry("A1", "2024-03-10"), entry("A2", "2025-03-10")])
    said = hotline("db", "info").out
    assert "2 条工单，2024-03-10 至 2025-03-10" in said
    assert json.loads(hotline("db", "info", "--json").out)["work_orders"] == 2
    assert "一致" in hotline("db", "check").err
    assert "重做了 2 天" in hotline("db", "rebuild").err


def test_a_database_that_is_none_is_an_error(hotline, tmp_path):
    (tmp_path / "no.db").write_text("这不是数据库" * 100, encoding="utf-8")
    assert "不是 SQLite 数据库" in hotline("db", "info", "--database", tmp_path / "no.db").err
    assert "postgresql://" in hotline("db", "upgrade", "--database", "mysql://h/x").err
    outcome = hotline("db", "upgrade", "--database", "postgresql://nobody:secret@127.0.0.1:1/x")
    assert "连不上" in outcome.err
    assert "secret" not in outcome.err
    assert "不存在" in hotline("db", "upgrade", "--database", tmp_path / "gone" / "a.db").err

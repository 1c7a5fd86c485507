import csv
import datetime as dt
import hashlib
import json
import statistics
from decimal import Decimal

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier import bundle, piecework, slices
from classifier import table as tables
from classifier.batch import Job, tag_file
from classifier.columns import Columns
from classifier.decision import Threshold
from classifier.errors import DamagedBundle, InputError, OutputError
from classifier.model import Model
from classifier.records import as_text, open_records
from classifier.tag_columns import TAG_TYPES
from classifier.tagged import requests_of
from training.samples import Samples

ADDED = list(TAG_TYPES)
TYPES = [pa.type_for_alias(name) for name in TAG_TYPES.values()]
FORMATS = ("xlsx", "csv", "parquet")
LIGHT, NOISE, CARD = "迎宾大道的路灯不亮，夜里看不清路", "邻居半夜唱歌，吵得睡不着", "请问社保卡怎么补办？"


@pytest.fixture(scope="session")
def version(model: Model, samples: Samples, tmp_path_factory: pytest.TempPathFactory):
    """The folder of a model that decides half of the work orders and leaves the others to people."""
    median = statistics.median(tags["category"].confidence for tags in model.tag(samples.requests))
    thresholds = {"category": Threshold(median, 1.0), "scope": Threshold(0.0, 0.0)}
    mixed = model.variant("mixed", thresholds)
    folder = tmp_path_factory.mktemp("versions") / "mixed"
    bundle.save(mixed, folder, {}, "")
    return folder


@pytest.fixture(scope="session")
def table(examples) -> pd.DataFrame:
    """All invented work orders, every cell a text."""
    chunks = open_records(examples).chunks(1000)
    return pd.concat([chunk.frame for chunk in chunks], ignore_index=True).map(as_text)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch):
    """Pieces so small that the invented work orders make several, more than are on their way at once."""
    monkeypatch.setattr(slices, "PIECE_ROWS", 100)
    monkeypatch.setattr(tables, "PIECE_ROWS", 100)
    monkeypatch.setattr(piecework, "AHEAD", 1)


def put(frame, path):
    """Write a frame as an office might hand it over."""
    frame = pd.DataFrame(frame)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_excel(path, index=False, engine="openpyxl")
    return path


def cells(path):
    """The columns and rows of a file, every cell as people read it."""
    records = open_records(path)
    rows = [
        [as_text(cell) for cell in row]
        for chunk in records.chunks(1000)
        for row in chunk.frame.astype(object).values.tolist()
    ]
    return records.columns, rows


def column(path, name):
    names, rows = cells(path)
    return [row[names.index(name)] for row in rows]


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def errors_of(target):
    return read_csv(target.with_name(f"{target.name}.errors.csv"))


def sidecar_of(path):
    return json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))


class Killed(BaseException):
    """A stop in the middle, as a power cut would make it, but for this process."""


def stop_after(rows):
    def progress(done, _total):
        if done >= rows:
            raise Killed

    return progress


# What comes out


@pytest.mark.parametrize("given", FORMATS)
@pytest.mark.parametrize("wanted", FORMATS)
def test_every_column_and_row_is_kept_and_tags_stand_behind(tmp_path, table, version, given, wanted):
    source, target = put(table[:60], tmp_path / f"in.{given}"), tmp_path / f"out.{wanted}"
    report = tag_file(Job(source, target, version))
    names, rows = cells(target)
    width = table.shape[1]
    assert names == [*table.columns, *ADDED]
    assert [row[:width] for row in rows] == table[:60].values.tolist()
    assert {row[names.index("decision")] for row in rows} <= {"auto", "review"}
    assert (report.rows, report.errors, report.notes) == (60, None, [])
    assert sum(report.decisions.values()) == 60


@pytest.mark.parametrize("wanted", FORMATS)
def test_tags_are_the_same_as_the_models_own(tmp_path, table, version, wanted):
    source, target = put(table[:100], tmp_path / "in.csv"), tmp_path / f"out.{wanted}"
    tag_file(Job(source, target, version))
    requests = [
        f"{title}。{text}" if title else text
        for title, text in zip(table["标题"][:100], table["诉求内容"][:100], strict=True)
    ]
    tags = bundle.load(version).tag(requests)
    assert column(target, "category_code") == [one["category"].label for one in tags]
    assert column(target, "scope_detail") == [one["scope"].label for one in tags]
    assert column(target, "request_type") == [one["request_type"].label for one in tags]
    assert column(target, "urgent") == [one["urgent"].label for one in tags]
    assert column(target, "decision") == [one.decision for one in tags]
    stated = [float(cell) for cell in column(target, "category_confidence")]
    assert stated == [round(one["category"].confidence, 4) for one in tags]
    assert set(column(target, "model_version")) == {"mixed"}


def test_types_of_parquet_are_kept(tmp_path, version):
    zone = "Asia/Shanghai"
    moment = dt.datetime(2024, 7, 12, 8, 30, 1, 123456)  # noqa: DTZ001 - the column has the zone
    given = pa.table(
        {
            "诉求内容": pa.array([LIGHT, NOISE, None]),
            "编号": pa.array([2**60 + 1, None, 3], pa.int64()),
            "小": pa.array([1, None, -3], pa.int8()),
            "金额": pa.array([Decimal("1.10"), None, Decimal("-2.25")], pa.decimal128(9, 2)),
            "比": pa.array([0.1, None, 2.5], pa.float32()),
            "回访": pa.array([True, None, False]),
            "日": pa.array([dt.date(2024, 7, 12), None, dt.date(1899, 1, 1)]),
            "时": pa.array([moment, None, moment], pa.timestamp("us", zone)),
            "毫秒": pa.array([moment.replace(microsecond=0), None, None], pa.timestamp("ms")),
            "类": pa.array(["甲", "乙", "甲"]).dictionary_encode(),
            "标": pa.array([["a"], None, []], pa.list_(pa.string())),
            "块": pa.array([b"\x00\xff", None, b""], pa.binary()),
            "空": pa.nulls(3, pa.string()),
        }
    )
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(given, source)
    tag_file(Job(source, target, version))
    found = pq.read_table(target)
    for name in given.column_names:
        assert found.schema.field(name).type == given.schema.field(name).type
        assert found[name].to_pylist() == given[name].to_pylist()
    assert [found.schema.field(name).type for name in ADDED] == TYPES


def test_ids_stay_text_and_cells_like_formulas_compute_nothing(tmp_path, version):
    ids = ["000123", "20240712000123456789", "1E5"]
    remarks = ["=1+1", "@cmd", "-HYPERLINK"]
    source = put({"工单编号": ids, "诉求内容": [LIGHT, NOISE, CARD], "备注": remarks}, tmp_path / "in.csv")
    tag_file(Job(source, tmp_path / "out.xlsx", version))
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert [sheet.cell(row, 1).value for row in (2, 3, 4)] == ids
    assert [sheet.cell(row, 3).value for row in (2, 3, 4)] == remarks
    assert {sheet.cell(row, 3).data_type for row in (2, 3, 4)} == {"s"}
    tag_file(Job(source, tmp_path / "out.csv", version))
    rows = read_csv(tmp_path / "out.csv")[1:]
    assert [row[0] for row in rows] == ids
    assert [row[2] for row in rows] == [f"'{remark}" for remark in remarks]


@pytest.mark.parametrize("wanted", FORMATS)
def test_very_long_cells_are_tagged_and_kept_as_far_as_the_format_can(tmp_path, version, wanted):
    texts = [LIGHT, "路灯不亮。" * 6553 + "路灯", "噪" * 100_000]
    assert [len(text) for text in texts[1:]] == [32_767, 100_000]
    source, target = put({"诉求内容": texts}, tmp_path / "in.csv"), tmp_path / f"out.{wanted}"
    report = tag_file(Job(source, target, version))
    kept = column(target, "诉求内容")
    assert kept[:2] == texts[:2]
    assert kept[2] == (texts[2][:32_767] if wanted == "xlsx" else texts[2])
    assert report.decisions["error"] == 0
    assert [("32767" in note, "截短" in note) for note in report.notes] == [(True, True)] * (wanted == "xlsx")


@pytest.mark.parametrize("given", FORMATS)
def test_an_input_column_called_like_an_added_one_is_kept_under_another_name(tmp_path, version, given):
    frame = {"诉求内容": [LIGHT, NOISE], "scope_detail": ["甲", "乙"], "urgent": ["1", "0"]}
    frame |= {"request_type": ["丙", "丁"], "input_urgent": ["戊", "己"], "error_reason": ["庚", "辛"]}
    source, target = put(frame, tmp_path / f"in.{given}"), tmp_path / "out.csv"
    report = tag_file(Job(source, target, version))
    names, rows = cells(target)
    renamed = ["input_scope_detail", "input_input_urgent", "input_request_type"]
    assert names == ["诉求内容", *renamed, "input_urgent", "input_error_reason", *ADDED]
    assert [row[:6] for row in rows] == [list(row) for row in zip(*frame.values(), strict=True)]
    assert len(report.notes) == 4
    assert any("urgent" in note and "input_input_urgent" in note for note in report.notes)


def test_an_output_can_be_tagged_again(tmp_path, version):
    source = put({"诉求内容": [LIGHT, NOISE]}, tmp_path / "in.csv")
    tag_file(Job(source, tmp_path / "once.csv", version))
    report = tag_file(Job(tmp_path / "once.csv", tmp_path / "twice.csv", version))
    once, twice = read_csv(tmp_path / "once.csv"), read_csv(tmp_path / "twice.csv")
    assert twice[0] == ["诉求内容", *(f"input_{name}" for name in ADDED), *ADDED]
    assert twice[1][1 : 1 + len(ADDED)] == once[1][1:] == twice[1][1 + len(ADDED) :]
    assert len(report.notes) == len(ADDED)


def test_ids_that_come_twice_are_tagged_and_noted_with_their_rows(tmp_path, version):
    ids = ["A1", "A2", "A1", "", "", " A2 "]
    source = put({"工单编号": ids, "诉求内容": [LIGHT] * 6}, tmp_path / "in.csv")
    report = tag_file(Job(source, tmp_path / "out.csv", version))
    assert len(report.notes) == 1
    assert "重复 2 处" in report.notes[0]
    assert "第 2 与 4 行" in report.notes[0]
    assert "第 3 与 7 行" in report.notes[0]
    assert report.rows == 6
    assert report.decisions["error"] == 0


def test_ids_that_come_twice_are_seen_across_chunks(tmp_path, version, small_chunks):
    ids = [str(number) for number in range(250)]
    ids[249] = "3"
    source = put({"工单编号": ids, "诉求内容": [LIGHT] * 250}, tmp_path / "in.csv")
    assert "第 5 与 251 行" in tag_file(Job(source, tmp_path / "out.csv", version)).notes[0]


def test_a_foreign_label_set_leaves_the_columns_of_other_facets_empty(tmp_path, model, samples, foreign):
    source, target = put({"诉求内容": [LIGHT, NOISE]}, tmp_path / "in.csv"), tmp_path / "out.parquet"
    tag_file(Job(source, target, foreign))
    found = pq.read_table(target)
    assert [found.schema.field(name).type for name in ADDED] == TYPES
    assert set(found["category_code"].to_pylist()) <= {"短", "长"}
    for name in ("scope", "scope_detail", "scope_confidence", "request_type", "urgent", "urgent_confidence"):
        assert found[name].to_pylist() == [None, None]
    assert found["decision"].null_count == 0


@pytest.fixture(scope="session")
def foreign(samples: Samples, tmp_path_factory: pytest.TempPathFactory):
    """The folder of a model that knows two labels of its own and no other facet."""
    from classifier.taxonomy import Taxonomy
    from training.fit import train

    taxonomy = Taxonomy.of_labels({"短", "长"})
    codes = taxonomy.facets["category"].codes
    labels = samples.labels["category"][:200] * 0
    labels += [codes.index("长" if len(text) > 80 else "短") for text in samples.requests[:200]]
    labelled = Samples(
        samples.ids[:200], samples.requests[:200], {"category": labels}, samples.folds[:200], taxonomy
    )
    folder = tmp_path_factory.mktemp("versions") / "foreign"
    bundle.save(train(labelled, "foreign")[0], folder, {}, "")
    return folder


# Rows that cannot be tagged


@pytest.mark.parametrize("given", FORMATS)
def test_rows_without_text_stay_and_are_listed(tmp_path, version, given):
    frame = {"工单编号": ["A1", "A2", "A3", "A4"], "诉求内容": [LIGHT, "", "   ", NOISE]}
    source, target = put(frame, tmp_path / f"in.{given}"), tmp_path / "out.csv"
    report = tag_file(Job(source, target, version))
    assert column(target, "工单编号") == frame["工单编号"]
    assert [decision == "error" for decision in column(target, "decision")] == [False, True, True, False]
    assert column(target, "error_reason") == ["", "没有诉求内容", "没有诉求内容", ""]
    assert column(target, "category_code")[1:3] == ["", ""]
    assert report.errors == tmp_path / "out.csv.errors.csv"
    assert report.decisions["error"] == 2
    header, *listed = errors_of(target)
    assert header == ["行号", "工单编号", "列", "原因", "处理办法"]
    first = 2 if given != "parquet" else 1  # a parquet has no header that people would count
    assert [row[:4] for row in listed] == [
        [str(first + 1), "A2", "诉求内容", "没有诉求内容"],
        [str(first + 2), "A3", "诉求内容", "没有诉求内容"],
    ]
    assert all(row[4] for row in listed)


def test_unreadable_rows_stay_and_are_listed_by_their_line(tmp_path, version):
    lines = [f"A{number},{LIGHT}".encode() for number in range(200)]
    lines[3] = b"A3,\xff\xfe" + LIGHT.encode()
    lines[5] = f"A5,{LIGHT},多了一列".encode()
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"\n".join(["编号,诉求内容".encode(), *lines]) + b"\n")
    report = tag_file(Job(source, target, version))
    assert (report.rows, report.decisions["error"]) == (200, 2)
    assert [row[:2] for row in errors_of(target)[1:]] == [["5", "A3"], ["7", "A5"]]
    reasons = column(target, "error_reason")
    assert "解码" in reasons[3]
    assert "3 个字段" in reasons[5]


def test_the_list_of_errors_holds_no_text_of_a_work_order(tmp_path, version):
    lines = [f"A{number},{LIGHT}".encode() for number in range(200)]
    lines[3] = f"A3,{NOISE},{CARD}".encode()
    source = tmp_path / "in.csv"
    source.write_bytes(b"\n".join(["编号,诉求内容".encode(), *lines]))
    tag_file(Job(source, tmp_path / "out.csv", version))
    listed = (tmp_path / "out.csv.errors.csv").read_text(encoding="utf-8-sig")
    assert "A3" in listed
    assert NOISE not in listed
    assert CARD not in listed


def test_a_file_of_nothing_but_errors_comes_out_whole(tmp_path, version):
    source = put({"编号": ["A1", "A2"], "诉求内容": [" ", " "]}, tmp_path / "in.csv")
    report = tag_file(Job(source, tmp_path / "out.parquet", version))
    assert report.decisions == {"error": 2}
    assert len(errors_of(tmp_path / "out.parquet")) == 3


def test_without_errors_an_old_list_of_errors_is_removed(tmp_path, version):
    target = tmp_path / "out.csv"
    tag_file(Job(put({"诉求内容": [LIGHT, " "]}, tmp_path / "in.csv"), target, version))
    assert (tmp_path / "out.csv.errors.csv").is_file()
    tag_file(Job(put({"诉求内容": [LIGHT, NOISE]}, tmp_path / "in.csv"), target, version))
    assert not (tmp_path / "out.csv.errors.csv").exists()


# What lies beside it


def test_the_sidecar_is_true(tmp_path, table, version):
    source, target, review = put(table[:80], tmp_path / "in.csv"), tmp_path / "o.xlsx", tmp_path / "r.csv"
    report = tag_file(Job(source, target, version, review=review))
    model = bundle.load(version)
    for path, rows in ((target, 80), (review, report.decisions["review"])):
        facts = sidecar_of(path)
        assert facts["file"] == path.name
        assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert facts["rows"] == rows
        assert facts["source"] == "in.csv"
        assert facts["source_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
        assert facts["model_version"] == "mixed"
        assert facts["model_sha256"] == bundle.fingerprint(version)
        assert facts["taxonomy_version"] == model.taxonomy.version


@pytest.mark.parametrize("wanted", FORMATS)
def test_the_review_file_holds_exactly_the_rows_to_be_reviewed(
    tmp_path, table, version, small_chunks, wanted
):
    source = put(
        table[:250].assign(诉求内容=lambda t: t["诉求内容"].where(t.index != 7, "")), tmp_path / "i.csv"
    )
    target, review = tmp_path / "out.csv", tmp_path / f"review.{wanted}"
    report = tag_file(Job(source, target, version, review=review))
    names, rows = cells(target)
    expected = [row for row in rows if row[names.index("decision")] == "review"]
    assert 0 < len(expected) < 249  # or this test says little
    assert cells(review) == (names, expected)
    assert len(expected) == report.decisions["review"]


def test_nothing_but_the_outputs_is_left_behind(tmp_path, version):
    source = put({"诉求内容": [LIGHT, " "]}, tmp_path / "in.csv")
    tag_file(Job(source, tmp_path / "out.csv", version, review=tmp_path / "review.xlsx"))
    found = {entry.name for entry in tmp_path.iterdir()}
    outputs = {"out.csv", "out.csv.json", "out.csv.errors.csv", "review.xlsx", "review.xlsx.json"}
    assert found == {"in.csv", *outputs}


def test_progress_is_told_to_the_last_row(tmp_path, table, version, small_chunks):
    steps = []
    source = put(table[:250], tmp_path / "in.csv")
    tag_file(Job(source, tmp_path / "out.csv", version), lambda done, total: steps.append((done, total)))
    assert steps == [(0, 250), (100, 250), (200, 250), (250, 250)]


# Workers


@pytest.mark.parametrize("wanted", FORMATS)
def test_one_worker_and_two_give_the_same_bytes(tmp_path, table, version, small_chunks, wanted):
    source = put(table, tmp_path / "in.csv")
    one, two = tmp_path / f"one.{wanted}", tmp_path / f"two.{wanted}"
    tag_file(Job(source, one, version, workers=1))
    tag_file(Job(source, two, version, workers=2))
    assert one.read_bytes() == two.read_bytes()
    assert cells(one)[1]


# An interrupted run


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_run_resumed_gives_what_one_run_gives(
    tmp_path, table, version, small_chunks, monkeypatch, wanted, workers
):
    table = table.copy()
    table.loc[[5, 405], "诉求内容"] = " "
    source, target, through = (
        put(table, tmp_path / "in.csv"),
        tmp_path / f"out.{wanted}",
        tmp_path / f"t.{wanted}",
    )
    with pytest.raises(Killed):
        tag_file(Job(source, target, version, workers=workers), stop_after(300))
    assert not target.exists()
    tagged = []
    tag_columns = piecework.tag_columns
    monkeypatch.setattr(piecework, "tag_columns", lambda *args: tagged.append(args) or tag_columns(*args))
    report = tag_file(Job(source, target, version, workers=1, resume=True))
    assert report.resumed >= 300
    assert sum(len(requests) for _, _, requests, *_ in tagged) == len(table) - report.resumed > 0
    tag_file(Job(source, through, version))
    assert target.read_bytes() == through.read_bytes()
    assert errors_of(target) == errors_of(through)
    assert (report.rows, report.notes, report.decisions["error"]) == (len(table), [], 2)
    assert not list(tmp_path.glob(".*"))


def test_what_a_dead_run_left_beside_the_output_goes_when_it_is_resumed(tmp_path, table, version):
    source, target = put(table[:20], tmp_path / "in.csv"), tmp_path / "out.xlsx"
    with pytest.raises(Killed):
        tag_file(Job(source, target, version), stop_after(20))
    (tmp_path / ".out.xlsx.0123abcd.part").touch()  # SIGKILL lets no one tidy up
    (tmp_path / ".out.xlsx.0123abcd.tmp").mkdir()
    (tmp_path / ".out.xlsx.errors.csv.0123abcd.part").touch()
    tag_file(Job(source, target, version, resume=True))
    assert not list(tmp_path.glob(".*"))


def test_leftovers_without_resume_start_anew_with_a_note(tmp_path, table, version, small_chunks):
    source, target = put(table[:250], tmp_path / "in.csv"), tmp_path / "out.csv"
    with pytest.raises(Killed):
        tag_file(Job(source, target, version), stop_after(100))
    report = tag_file(Job(source, target, version))
    assert report.resumed == 0
    assert "从头开始" in report.notes[0]
    assert report.rows == 250
    assert not list(tmp_path.glob(".*"))


def test_a_torn_part_is_tagged_again(tmp_path, table, version, small_chunks):
    source, target, through = put(table[:350], tmp_path / "in.csv"), tmp_path / "out.csv", tmp_path / "t.csv"
    with pytest.raises(Killed):
        tag_file(Job(source, target, version), stop_after(300))
    torn = tmp_path / ".out.csv.parts" / "000000100.tags"
    torn.write_bytes(torn.read_bytes()[:1000])
    report = tag_file(Job(source, target, version, resume=True))
    tag_file(Job(source, through, version))
    assert report.resumed == 200
    assert target.read_bytes() == through.read_bytes()


@pytest.mark.parametrize("other", ["输入文件", "模型", "列"])
def test_another_run_is_not_resumed_and_told_what_differs(
    tmp_path, table, version, foreign, small_chunks, other
):
    frame = table[:150].assign(补充=table["诉求内容"])
    source, target = put(frame, tmp_path / "in.csv"), tmp_path / "out.csv"
    with pytest.raises(Killed):
        tag_file(Job(source, target, version), stop_after(100))
    if other == "输入文件":
        put(frame[::-1], source)
    columns = {"text": "补充"} if other == "列" else {}
    with pytest.raises(InputError, match=f"（{other}）"):
        tag_file(Job(source, target, foreign if other == "模型" else version, columns, resume=True))
    assert not target.exists()
    assert (tmp_path / ".out.csv.parts" / "000000000.tags").is_file()


# What is refused


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_run_that_fails_leaves_an_earlier_output_untouched(tmp_path, table, version, small_chunks, wanted):
    source, target = put(table[:250], tmp_path / "in.csv"), tmp_path / f"out.{wanted}"
    earlier = {
        target,
        tmp_path / f"out.{wanted}.json",
        tmp_path / "out.csv.errors.csv",
        tmp_path / "review.csv",
    }
    for path in earlier:
        path.write_bytes("上次".encode())
    with pytest.raises(Killed):
        tag_file(Job(source, target, version, review=tmp_path / "review.csv"), stop_after(200))
    assert {path.read_bytes() for path in earlier} == {"上次".encode()}
    assert {entry.name for entry in tmp_path.iterdir() if entry not in earlier} == {
        "in.csv",
        f".out.{wanted}.parts",
    }


@pytest.mark.parametrize("same", ["target", "review", "both", "errors", "review_errors", "link"])
def test_two_files_that_are_one_are_refused(tmp_path, version, same):
    source = put({"诉求内容": [LIGHT]}, tmp_path / "in.csv")
    target, review = tmp_path / "out.csv", tmp_path / "review.csv"
    if same == "target":
        target = tmp_path / "." / "in.csv"
    elif same == "review":
        review = source
    elif same == "both":
        review = target
    elif same == "errors":
        source = source.rename(tmp_path / "out.csv.errors.csv")
    elif same == "review_errors":
        review = tmp_path / "out.csv.errors.csv"
    else:
        target.symlink_to(source)
    before = source.read_bytes()
    with pytest.raises(InputError, match="不同的文件"):
        tag_file(Job(source, target, version, review=review))
    assert source.read_bytes() == before


@pytest.mark.parametrize("where", ["target", "review"])
def test_a_missing_folder_is_refused_before_anything_is_read(tmp_path, version, where):
    gone, there = tmp_path / "gone" / "out.csv", tmp_path / "out.csv"
    job = Job(
        tmp_path / "none.csv",
        gone if where == "target" else there,
        version,
        review=None if where == "target" else gone,
    )
    with pytest.raises(OutputError, match="gone 不存在"):
        tag_file(job)


@pytest.mark.parametrize("where", ["target", "review"])
def test_an_unknown_suffix_is_refused_and_leaves_nothing(tmp_path, version, where):
    source = put({"诉求内容": [LIGHT]}, tmp_path / "in.csv")
    odd, there = tmp_path / "out.doc", tmp_path / "out.csv"
    job = Job(source, odd if where == "target" else there, version, review=odd if where == "review" else None)
    with pytest.raises(InputError, match=r"\.xlsx、\.csv、\.parquet"):
        tag_file(job)
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.csv"]


def test_a_damaged_model_is_refused(tmp_path, version):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in version.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes())
    words = damaged / "words.txt"
    words.write_bytes(words.read_bytes()[:-2] + b"9\n")
    source = put({"诉求内容": [LIGHT]}, tmp_path / "in.csv")
    with pytest.raises(DamagedBundle, match=r"words\.txt"):
        tag_file(Job(source, tmp_path / "out.csv", damaged))
    assert not (tmp_path / "out.csv").exists()


def test_the_columns_that_a_user_names_are_used(tmp_path, version):
    frame = {"甲": [LIGHT, LIGHT], "乙": [NOISE, NOISE], "丙": ["标题", ""], "丁": ["X1", "X1"]}
    source, target = put(frame, tmp_path / "in.csv"), tmp_path / "out.csv"
    named = {"text": "乙", "title": "丙", "work_order_id": "丁"}
    report = tag_file(Job(source, target, version, named))
    expected = bundle.load(version).tag([f"标题。{NOISE}", NOISE])
    assert column(target, "category_confidence") == [
        as_text(round(tags["category"].confidence, 4)) for tags in expected
    ]
    assert "第 2 与 3 行" in report.notes[0]


def test_a_sheet_and_an_encoding_can_be_named(tmp_path, version):
    with pd.ExcelWriter(tmp_path / "in.xlsx", engine="openpyxl") as book:
        pd.DataFrame({"诉求内容": [LIGHT]}).to_excel(book, sheet_name="一", index=False)
        pd.DataFrame({"诉求内容": [NOISE, CARD]}).to_excel(book, sheet_name="二", index=False)
    tag_file(Job(tmp_path / "in.xlsx", tmp_path / "out.csv", version, sheet="二"))
    assert column(tmp_path / "out.csv", "诉求内容") == [NOISE, CARD]
    (tmp_path / "in.csv").write_bytes("text\n迎賓大道的路燈不亮\n".encode("big5"))
    tag_file(Job(tmp_path / "in.csv", tmp_path / "big5.csv", version, encoding="big5"))
    assert column(tmp_path / "big5.csv", "text") == ["迎賓大道的路燈不亮"]


def test_requests_of_a_file_are_those_that_the_model_reads(examples):
    records = open_records(examples)
    (chunk,) = records.chunks(1000)
    requests = requests_of(chunk, Columns.find(records.columns))
    assert len(requests) == len(chunk.frame)
    assert requests.lengths.all()

import csv
import datetime as dt
import errno
import math
import os
import subprocess
import sys
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier import output
from classifier.errors import InputError, OutputError
from classifier.records import open_records
from classifier.writers import open_writer

SUFFIXES = (".xlsx", ".csv", ".parquet")


def frame(**columns):
    return pd.DataFrame(columns, dtype=object)


def write(path, *frames, **options):
    with open_writer(path, list(frames[0].columns), **options) as writer:
        for part in frames:
            writer.write(part)
    return writer


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def sheet_of(path):
    return openpyxl.load_workbook(path)["数据"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back_in_order(tmp_path, suffix):
    path = tmp_path / f"结果{suffix}"
    long_id = "20240712000123456789"
    first = frame(工单编号=["001", long_id], 诉求内容=["路灯\n不亮", 'a,"b"'])
    parts = [first, frame(工单编号=["3"], 诉求内容=[""])]
    writer = write(path, *parts)
    assert (writer.rows, writer.cut) == (3, 0)
    records = open_records(path)
    (chunk,) = records.chunks(10)
    assert records.columns == ["工单编号", "诉求内容"]
    assert chunk.frame.values.tolist() == [
        ["001", "路灯\n不亮"],
        ["20240712000123456789", 'a,"b"'],
        ["3", ""],
    ]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_without_rows_has_its_columns(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with open_writer(path, ["编号", "text"]):
        pass
    with pytest.raises(InputError, match="只有表头"):
        open_records(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_runs_give_identical_bytes(tmp_path, suffix):
    part = frame(id=["1", "2"], at=[dt.datetime.fromisoformat("2024-07-12 08:30"), None])
    for name in ("a", "b"):
        write(tmp_path / f"{name}{suffix}", part)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_an_xlsx_does_not_tell_when_it_was_made(tmp_path):
    write(tmp_path / "a.xlsx", frame(id=["1"]))
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert b">2000-01-01T00:00:00Z</dcterms:created>" in archive.read("docProps/core.xml")


def test_an_xlsx_needs_no_room_elsewhere_than_beside_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "无"))
    write(tmp_path / "a.xlsx", frame(id=["1"]))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_exception_leaves_nothing_behind_and_the_old_file_as_it_was(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), open_writer(path, ["id"]) as writer:  # noqa: PT012 - as it happens
        writer.write(frame(id=["1"]))
        raise KeyboardInterrupt
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_final_name_appears_only_when_the_file_is_whole(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with open_writer(path, ["id"]) as writer:
        writer.write(frame(id=["1"]))
        assert not path.exists()
    assert path.exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_explained_and_leaves_nothing_behind(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    script = """
import os, resource, sys
from pathlib import Path
import pandas as pd
from classifier.errors import OutputError
from classifier.writers import open_writer
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with open_writer(Path(sys.argv[1]), ["id", "text"]) as writer:
        for i in range(50):
            part = pd.DataFrame({"id": range(200), "text": [os.urandom(32).hex() for _ in range(200)]})
            writer.write(part)
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("磁盘空间不足"), done.stderr
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_at_the_very_end_of_an_xlsx_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.xlsx"
    script = """
import os, resource, sys
from pathlib import Path
import pandas as pd
from classifier.errors import OutputError
from classifier.writers import open_writer
try:
    with open_writer(Path(sys.argv[1]), ["text"]) as writer:
        writer.write(pd.DataFrame({"text": [os.urandom(32).hex() for _ in range(2000)]}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("磁盘空间不足"), done.stderr
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_a_folder_and_a_file_in_the_way_are_explained(tmp_path):
    for path, words in [
        (tmp_path / "无" / "a.csv", "文件夹 .* 不存在"),
        (tmp_path / "夹.csv", "是文件夹"),
        (tmp_path / "文件" / "a.csv", "文件夹 .* 不存在"),
    ]:
        (tmp_path / "夹.csv").mkdir(exist_ok=True)
        (tmp_path / "文件").touch()
        with pytest.raises(OutputError, match=words), open_writer(path, ["id"]):
            pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["夹.csv", "文件"]


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.xls”.*\.xlsx、\.csv、\.parquet"):
        open_writer(tmp_path / "a.xls", ["id"])


def test_frames_with_other_columns_are_refused(tmp_path):
    with pytest.raises(ValueError, match="columns"), open_writer(tmp_path / "a.csv", ["id"]) as writer:
        writer.write(frame(text=["a"]))


def test_a_name_of_the_greatest_length_can_be_written(tmp_path):
    path = tmp_path / f"{'长' * 83}.csv"  # 253 of 255 bytes
    write(path, frame(id=["1"]))
    assert path.exists()


def test_a_column_of_confidences_is_written_as_it_is_meant(tmp_path):
    part = pd.DataFrame({"confidence": np.array([0.9, math.nan], dtype=np.float32)})
    write(tmp_path / "a.csv", part)
    write(tmp_path / "a.xlsx", part)
    assert read_csv(tmp_path / "a.csv") == [["confidence"], ["0.9"], [""]]
    assert [cell.value for cell in sheet_of(tmp_path / "a.xlsx")["A"]] == ["confidence", 0.9]


# csv


def test_a_csv_begins_with_a_byte_order_mark_and_ends_its_lines_as_excel_does(tmp_path):
    write(tmp_path / "a.csv", frame(编号=["1"], t=["a\rb"]))
    assert (tmp_path / "a.csv").read_bytes() == '\ufeff编号,t\r\n1,"a\rb"\r\n'.encode()


@pytest.mark.parametrize(
    "text", ["=1+1", "+86-138", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"]
)
def test_a_csv_text_that_looks_like_a_formula_is_guarded(tmp_path, text):
    write(tmp_path / "a.csv", pd.DataFrame({text: [text]}, dtype=object))
    assert read_csv(tmp_path / "a.csv") == [["'" + text], ["'" + text]]


@pytest.mark.parametrize("cell", ["-3.5", "+8613800138000", "-", "-5%", -3.5, -7, "普通", "a=b", "1-2"])
def test_numbers_and_plain_texts_are_not_guarded(tmp_path, cell):
    write(tmp_path / "a.csv", frame(t=[cell, "x"]))
    assert read_csv(tmp_path / "a.csv")[1] == [str(cell)]


def test_a_lone_surrogate_stops_no_writer(tmp_path):
    for suffix in SUFFIXES:
        write(tmp_path / f"a{suffix}", frame(t=["a\ud83db"]))
        (chunk,) = open_records(tmp_path / f"a{suffix}").chunks(9)
        assert chunk.frame["t"].tolist() == ["a?b"]


def test_aware_moments_are_written_as_clocks_in_guangdong_show_them(tmp_path):
    moment = dt.datetime(2024, 7, 12, 0, 30, tzinfo=dt.UTC)
    part = pd.DataFrame({"a": pd.Series([moment, None], dtype="datetime64[us, UTC]"), "b": ["x", "y"]})
    write(tmp_path / "a.csv", part)
    write(tmp_path / "a.xlsx", part)
    assert read_csv(tmp_path / "a.csv")[1:] == [["2024-07-12 08:30:00", "x"], ["", "y"]]
    assert sheet_of(tmp_path / "a.xlsx")["A2"].value == dt.datetime.fromisoformat("2024-07-12 08:30")
    assert sheet_of(tmp_path / "a.xlsx")["A3"].value is None


# xlsx


def test_an_xlsx_holds_no_formula_no_link_and_ids_as_text(tmp_path):
    cells = ["=1+1", "https://example.com", "20240712000123", "001", "{=1}"]
    write(tmp_path / "a.xlsx", frame(t=cells, n=[1, 2.5, True, 10**17, None]))
    sheet = sheet_of(tmp_path / "a.xlsx")
    assert [cell.value for cell in sheet["A"]][1:] == cells
    assert {cell.data_type for cell in sheet["A"]} <= {"s", "inlineStr"}
    assert [cell.value for cell in sheet["B"]][1:] == [1, 2.5, True, str(10**17), None]
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
        assert not any("rels/sheet" in name for name in archive.namelist())


def test_an_xlsx_has_a_bold_frozen_header_a_filter_and_date_formats(tmp_path):
    part = frame(
        时间=[dt.datetime.fromisoformat("2024-07-12 08:30"), dt.date(2024, 7, 12)], 内容=["很长" * 100, "x"]
    )
    write(tmp_path / "a.xlsx", part)
    sheet = sheet_of(tmp_path / "a.xlsx")
    assert sheet["A1"].font.bold
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:B3")
    assert [sheet["A2"].number_format, sheet["A3"].number_format] == ["yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"]
    assert sheet.column_dimensions["B"].width > 2 * sheet.column_dimensions["A"].width


@pytest.mark.parametrize(("text", "kept"), [("长" * 40_000, 32_767), ("😀" * 20_000, 16_383)])
def test_a_text_too_long_for_excel_is_cut_in_xlsx_only_and_counted(tmp_path, text, kept):
    part = frame(t=[text, "短"])
    assert write(tmp_path / "a.csv", part).cut == 0
    assert read_csv(tmp_path / "a.csv")[1] == [text]
    assert write(tmp_path / "a.xlsx", part).cut == 1
    assert sheet_of(tmp_path / "a.xlsx")["A2"].value == text[:kept]


@pytest.mark.parametrize(
    "text", ["a\x00b\x0bc\x1f", "_x0041_", "\x7f\x85\u2028", "a\r\nb", "  a ", "<b>&</b>"]
)
def test_control_characters_and_markup_survive_in_xlsx(tmp_path, text):
    write(tmp_path / "a.xlsx", frame(t=[text]))
    (chunk,) = open_records(tmp_path / "a.xlsx").chunks(9)
    assert chunk.frame["t"].tolist() == [text]


def test_a_text_like_the_markup_of_rich_text_is_not_lost(tmp_path):
    write(tmp_path / "a.xlsx", frame(t=["<r>路灯</is></c></r>"]))
    assert sheet_of(tmp_path / "a.xlsx")["A2"].value == "<r>路灯</is></c></r> "


def test_moments_that_excel_cannot_hold_become_text(tmp_path):
    write(
        tmp_path / "a.xlsx",
        frame(t=[dt.datetime.fromisoformat("1850-01-02 03:04:05"), dt.time(8, 5), math.inf]),
    )
    values = [cell.value for cell in sheet_of(tmp_path / "a.xlsx")["A"]][1:]
    assert values == ["1850-01-02 03:04:05", dt.time(8, 5), "inf"]


def test_more_rows_than_a_sheet_holds_are_refused_as_early_as_they_are_known(tmp_path):
    path = tmp_path / "a.xlsx"
    with pytest.raises(InputError, match=r"1048576 行.*\.csv 或 \.parquet"):
        open_writer(path, ["id"], rows=1_048_576)
    open_writer(path, ["id"], rows=1_048_575)
    with pytest.raises(OutputError, match=r"\.csv 或 \.parquet"), open_writer(path, ["id"]) as writer:
        writer.write(pd.DataFrame({"id": np.zeros(1_048_576, dtype=np.int8)}))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="16385 列"):
        open_writer(path, [str(i) for i in range(16_385)])


def test_an_error_of_the_disk_that_shows_while_a_csv_is_written_is_told(tmp_path, monkeypatch):
    synced, told = os.fsync, []

    def fails_once(handle):
        if not told:
            told.append(handle)
            raise OSError(errno.ENOSPC, "full")
        synced(handle)

    monkeypatch.setattr(output, "_SYNC_BYTES", 1)
    monkeypatch.setattr(os, "fsync", fails_once)
    with pytest.raises(OutputError, match="磁盘空间不足"):
        write(tmp_path / "a.csv", *[frame(id=["1"])] * 3)
    assert list(tmp_path.iterdir()) == []


# parquet


def test_parquet_takes_the_types_of_the_values_and_text_for_plain_objects(tmp_path):
    part = pd.DataFrame(
        {
            "id": pd.Series([20240712000123, "x"], dtype=object),
            "confidence": np.array([0.5, 0.25], np.float32),
            "urgent": pd.Series([1, None], dtype="Int8"),
            "at": pd.Series([None, None], dtype=pd.ArrowDtype(pa.timestamp("us"))),
            "text": ["a", None],
        }
    )
    write(tmp_path / "a.parquet", part, part)
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.types == [pa.string(), pa.float32(), pa.int8(), pa.timestamp("us"), pa.string()]
    assert table["id"].to_pylist()[:2] == ["20240712000123", "x"]
    assert table["urgent"].to_pylist() == [1, None, 1, None]
    assert table["text"].to_pylist()[:2] == ["a", None]
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_row_groups == 2


def test_parquet_takes_the_types_that_are_given(tmp_path):
    types = {"urgent": "int8", "id": pa.large_string()}
    write(tmp_path / "a.parquet", frame(id=["1", None], urgent=[1, None], n=[1, 2]), types=types)
    assert pq.read_schema(tmp_path / "a.parquet").types == [pa.large_string(), pa.int8(), pa.string()]


def test_a_value_of_another_type_is_refused_without_being_shown(tmp_path):
    citizen = "市民张先生"
    with pytest.raises(OutputError, match="“urgent”列") as caught:
        write(tmp_path / "a.parquet", frame(urgent=[citizen]), types={"urgent": pa.int8()})
    assert citizen not in str(caught.value)
    assert caught.value.__suppress_context__
    assert list(tmp_path.iterdir()) == []


def test_the_types_of_a_parquet_file_survive_reading_and_writing(tmp_path):
    kinds = pa.array(["甲", "乙", "甲"]).dictionary_encode()
    table = pa.table({"k": kinds, "n": pa.array([1, None, 3], pa.int16()), "b": [True, None, False]})
    pq.write_table(table, tmp_path / "a.parquet")
    write(tmp_path / "b.parquet", *(chunk.frame for chunk in open_records(tmp_path / "a.parquet").chunks(2)))
    assert pq.read_table(tmp_path / "b.parquet").equals(table)

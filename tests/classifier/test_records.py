import csv
import datetime as dt
import os
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.errors import InputError
from classifier.records import as_text, open_records

HEADER = ["工单编号", "诉求内容"]
CITIZEN = "市民张先生的电话13800138000"


def rows_of(path, size=1000, **options):
    chunks = open_records(path, **options).chunks(size)
    return [row for chunk in chunks for row in chunk.frame.values.tolist()]


def chunk_of(path, **options):
    (chunk,) = open_records(path, **options).chunks(1000)
    return chunk


def write_sheets(path, sheets, **formats):
    with xlsxwriter.Workbook(path) as book:
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    if isinstance(cell, dt.datetime):
                        sheet.write_datetime(i, j, cell, moment)
                    elif cell is not None:
                        sheet.write(i, j, cell)
    return path


@pytest.fixture
def sheet(tmp_path):
    return lambda *rows: write_sheets(tmp_path / "工单.xlsx", {"数据": rows})


@pytest.fixture
def text(tmp_path):
    def write(content, name="工单.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


# a cell as text


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, ""),
        (float("nan"), ""),
        (pd.NaT, ""),
        (pd.NA, ""),
        (np.float64("nan"), ""),
        ("  原样 ", "  原样 "),
        (3.0, "3"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (1e-7, "0.0000001"),
        (20240712000123.0, "20240712000123"),
        (4.40123456789012e17, "440123456789012000"),
        (10**20, "100000000000000000000"),
        (np.int64(7), "7"),
        (np.float32(0.9), "0.9"),
        (True, "TRUE"),
        (Decimal("1.50"), "1.50"),
        (dt.datetime.fromisoformat("2024-07-12 08:30"), "2024-07-12 08:30:00"),
        (pd.Timestamp("2024-07-12 08:30", tz="Asia/Shanghai"), "2024-07-12 08:30:00+08:00"),
        (dt.date(2024, 7, 12), "2024-07-12"),
        (dt.time(8, 5), "08:05:00"),
        (dt.timedelta(days=1, hours=8, minutes=24), "32:24:00"),
        ("甲".encode(), "甲"),
    ],
)
def test_a_cell_becomes_the_text_that_a_person_reads(cell, expected):
    assert as_text(cell) == expected


# csv


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_a_csv_is_read_in_whichever_encoding_it_is(text, encoding):
    path = text("工单编号,诉求内容\r\n001,路灯不亮€𠮷\r\n", encoding=encoding)
    records = open_records(path)
    assert records.columns == HEADER
    assert records.total == 1
    assert rows_of(path) == [["001", "路灯不亮€𠮷"]]
    assert records.notes == (["编码按 GB18030 读取。"] if encoding == "gb18030" else [])


def test_a_given_encoding_is_used(text):
    path = text("id,text\n1,路燈\n", encoding="big5")
    assert rows_of(path, encoding="big5") == [["1", "路燈"]]


@pytest.mark.parametrize("encoding", ["klingon", "hex"])
def test_an_unknown_encoding_is_refused(text, encoding):
    with pytest.raises(InputError, match="不认识编码"):
        open_records(text("id,text\n1,a\n"), encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_few_bad_bytes_are_problems_of_their_rows(text, encoding):
    lines = [f"{i},第{i}条路灯不亮\n".encode(encoding) for i in range(300)]
    lines[7] = b"7,\xff\xff,\n"
    path = text("工单编号,诉求内容\n".encode(encoding) + b"".join(lines))
    chunk = chunk_of(path)
    assert list(chunk.problems) == [7]
    assert chunk.frame.iloc[7].tolist() == ["7", "\ufffd\ufffd"]
    assert chunk.frame.iloc[8]["诉求内容"] == "第8条路灯不亮"
    assert chunk.row_number(7) == 9
    assert "1 行有无法解码的字节（最先是第 9 行）" in open_records(path).notes[0]


def test_a_character_cut_at_the_end_does_not_turn_utf8_into_something_else(text):
    whole = "工单编号,诉求内容\n" + "".join(f"{i},路灯不亮\n" for i in range(200))
    chunk = chunk_of(text(whole.encode() + "200,路灯".encode()[:-1]))
    assert list(chunk.problems) == [200]
    assert chunk.frame.iloc[0]["诉求内容"] == "路灯不亮"


def test_damaged_utf8_is_not_taken_for_gb18030_though_its_bytes_would_pass(text):
    whole = "工单编号,诉求内容\n".encode() + "1,路灯不亮\n".encode() * 200 + "2,你好".encode("gb18030")
    chunk = chunk_of(text(whole))
    assert chunk.frame.iloc[0]["诉求内容"] == "路灯不亮"
    assert list(chunk.problems) == [200]


def test_the_first_bad_byte_is_counted_across_blocks(text, monkeypatch):
    monkeypatch.setattr("classifier.encodings._BLOCK", 8)
    with pytest.raises(InputError, match="第 17 字节"):
        open_records(text("id,text\n1,x路灯".encode() + b"\xff\n" * 9))


def test_many_bad_bytes_are_refused_with_byte_and_line(text):
    content = "id,text\n1,路灯\n".encode() + b"2,\xff\xfe\xff\n" * 30
    with pytest.raises(InputError, match=r"第 3 行（第 19 字节）.*--encoding.*UTF-8"):
        open_records(text(content))


@pytest.mark.parametrize(("mark", "word"), [(",", ""), (";", "分号"), ("\t", "制表符")])
def test_the_delimiter_is_told_by_the_header(text, mark, word):
    path = text(f"工单编号{mark}诉求内容{mark}镇街\n1{mark}a，b、c{mark}城\n")
    assert rows_of(path) == [["1", "a，b、c", "城"]]
    assert all(word in note for note in open_records(path).notes)
    assert bool(open_records(path).notes) == bool(word)


def test_commas_in_a_tab_delimited_text_are_no_delimiters(text):
    path = text('id\ttext\n1\t他说,"好",a,b,c,d\n', name="a.tsv")
    assert rows_of(path) == [["1", '他说,"好",a,b,c,d']]


def test_cells_keep_line_breaks_quotes_and_spaces(text):
    path = text('id,text\r\n1," a\r\nb ""c"", d "\r\n2,x\r\n')
    chunk = chunk_of(path)
    assert chunk.frame["text"].tolist() == [' a\r\nb "c", d ', "x"]
    assert [chunk.row_number(0), chunk.row_number(1)] == [2, 4]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f'id,text\n1,a\n2,"{CITIZEN}\n3,c\n', 3),  # never closed
        (f'id,text\n1,a\n2,"{CITIZEN}\n3,"c"\n4,d\n', 3),  # closed by the next one's opening
        (f'id,text\n1,"a"\n2,"{CITIZEN}"b\n3,c\n', 3),
        (f'id,text,more\n1,"a\nb","{CITIZEN}\n3,c\n', 3),  # begins in the middle of a record
    ],
)
def test_a_stray_quote_is_refused_with_the_line_where_it_began(text, content, line):
    with pytest.raises(InputError, match=f"第 {line} 行的引号") as caught:
        open_records(text(content))
    assert CITIZEN not in repr((caught.value, caught.value.__cause__))


def test_a_stray_quote_after_many_rows_is_refused_before_the_first_chunk(text):
    rows = "".join(f"{i},a\n" for i in range(5000))
    with pytest.raises(InputError, match="第 5002 行"):
        open_records(text(f'id,text\n{rows}x,"b\n{rows}'))


def test_few_fields_are_filled_up_and_too_many_are_a_problem(text):
    chunk = chunk_of(text("id,text,town\n1,a\n2,b,c,d\n3,e,f,,\n"))
    assert chunk.frame.values.tolist() == [["1", "a", ""], ["2", "b", "c"], ["3", "e", "f"]]
    assert chunk.problems == {1: "有 4 个字段，表头只有 3 列，多出的未读"}


def test_blank_lines_and_empty_rows_at_the_end_are_no_records(text):
    path = text("id,text\n\n1,a\n   \n,\n2,b\n,\n\n,\n")
    assert rows_of(path) == [["1", "a"], ["", ""], ["2", "b"]]
    assert open_records(path).total == 3
    assert [chunk_of(path).row_number(i) for i in range(3)] == [3, 5, 6]


def test_a_single_column_keeps_its_empty_rows(text):
    assert rows_of(text('text\na\n""\nb\n')) == [["a"], [""], ["b"]]


def test_a_title_above_the_header_of_a_csv_is_noted(text):
    path = text("2024年7月工单,,\n,,\n工单编号,诉求内容,镇街\n1,a,b\n")
    assert rows_of(path) == [["1", "a", "b"]]
    assert open_records(path).notes == ["表头在第 3 行，其上 2 行标题或说明未读。"]


@pytest.mark.parametrize("length", [32_767, 1_000_000])
def test_a_very_long_cell_is_read(text, length):
    assert rows_of(text(f"id,text\n1,{'长' * length}\n")) == [["1", "长" * length]]


def test_nul_bytes_do_not_crash(text):
    assert rows_of(text("id,text\n1,a\x00b\n")) == [["1", "a\x00b"]]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.parquet", "a.txt"])
def test_an_empty_file_is_refused(text, name):
    with pytest.raises(InputError, match="空文件"):
        open_records(text(b"", name=name))


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\n\n\r\n", b" \n"])
def test_a_csv_without_any_record_is_refused(text, content):
    with pytest.raises(InputError, match="空文件"):
        open_records(text(content))


def test_a_file_with_only_a_header_is_refused(text, sheet, tmp_path):
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "a.parquet")
    for path in (text("id,text\n"), sheet(HEADER), tmp_path / "a.parquet"):
        with pytest.raises(InputError, match="只有表头，没有数据行"):
            open_records(path)


def test_chunks_keep_the_order_and_begin_anew_at_each_call(text):
    records = open_records(text("id,text\n" + "".join(f"{i},t{i}\n" for i in range(10))))
    for _ in range(2):
        chunks = list(records.chunks(4))
        assert [(chunk.start, len(chunk.frame)) for chunk in chunks] == [(0, 4), (4, 4), (8, 2)]
        assert [i for chunk in chunks for i in chunk.frame["id"]] == [str(i) for i in range(10)]
        assert [chunk.frame.index.tolist() for chunk in chunks] == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1]]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)),
        min_size=1,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_text_that_python_writes_to_a_csv_is_read_back(tmp_path, rows, encoding):
    path = tmp_path / "any.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    assert rows_of(path, size=3) == [[str(number), words] for number, words in rows]


# sheets


def test_the_cells_of_a_sheet_are_as_they_stood(sheet):
    moment = dt.datetime.fromisoformat("2024-07-12 08:30")
    path = sheet(
        ["工单编号", "诉求内容", "受理时间", "数", "是"], [20240712000123, "路灯", moment, 2.5, True]
    )
    (row,) = rows_of(path)
    assert row == [20240712000123, "路灯", moment, 2.5, True]
    assert as_text(row[0]) == "20240712000123"


def test_a_row_is_known_by_its_number_in_the_sheet(sheet):
    path = sheet(["2024年工单"], [], HEADER, ["1", "a"], ["2", "b"])
    first, second = open_records(path).chunks(1)
    assert (first.row_number(0), second.row_number(0)) == (4, 5)
    assert open_records(path).notes == ["表头在第 3 行，其上 1 行标题或说明未读。"]


def test_an_empty_row_in_the_middle_of_a_sheet_stays_and_those_at_the_end_go(sheet):
    path = sheet(HEADER, ["1", "a"], [], ["3", "c"], [" ", None], [None, "  "])
    assert rows_of(path) == [["1", "a"], ["", ""], ["3", "c"]]
    assert open_records(path).total == 3


def test_columns_without_a_name_and_with_the_same_name_are_told_apart(sheet):
    path = sheet(
        ["工单编号", "诉求内容", None, "标题", "标题", "标题_2"], ["1", "a", "b", "c", "d", "e", "f"]
    )
    names = open_records(path).columns
    assert names == ["工单编号", "诉求内容", "列3", "标题", "标题_3", "标题_2", "列7"]


def test_the_first_sheet_with_a_known_column_is_read_and_the_others_are_noted(tmp_path):
    sheets = {"空": [], "说明": [["填表说明"], ["请勿修改"]], "工单": [HEADER, ["1", "a"]], "字典": [["x"]]}
    path = write_sheets(tmp_path / "a.xlsx", sheets)
    assert rows_of(path) == [["1", "a"]]
    assert open_records(path).notes == [
        "读取的是工作表“工单”；另有工作表 空、说明、字典 未读，可用 --sheet 指定。"
    ]
    assert rows_of(path, sheet="说明") == [["请勿修改"]]


def test_a_sheet_that_is_not_there_is_refused_with_the_nearest_name(tmp_path):
    path = write_sheets(tmp_path / "a.xlsx", {"七月工单": [HEADER, ["1", "a"]]})
    with pytest.raises(InputError, match="没有工作表“七月份工单”。是不是“七月工单”？现有：七月工单"):
        open_records(path, sheet="七月份工单")


def test_a_workbook_without_data_is_refused(tmp_path):
    with pytest.raises(InputError, match="没有数据"):
        open_records(write_sheets(tmp_path / "a.xlsx", {"甲": [], "乙": []}))


def test_numbers_that_excel_has_rounded_are_noted(sheet):
    path = sheet(HEADER, [440123456789012345, "a"], [12, "b"])
    assert "“工单编号”列有 1 个超过 15 位的数字" in open_records(path).notes[0]


def test_an_old_xls_is_read(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("数据")
    for i, row in enumerate([HEADER, [20240712000123, "路灯不亮"]]):
        for j, cell in enumerate(row):
            page.write(i, j, cell)
    book.save(str(tmp_path / "a.xls"))
    assert rows_of(tmp_path / "a.xls") == [[20240712000123, "路灯不亮"]]


def test_an_area_too_large_for_memory_is_refused_instead_of_killing_the_process(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        page = book.add_worksheet()
        page.write(0, 0, "诉求内容")
        page.write(1_048_575, 16_383, "x")
    with pytest.raises(InputError, match="A1:XFD1048576"):
        open_records(tmp_path / "a.xlsx")


# content that contradicts the suffix


def test_an_xlsx_named_xls_is_read_with_a_note(sheet):
    path = sheet(HEADER, ["1", "a"])
    other = path.rename(path.with_suffix(".xls"))
    assert rows_of(other) == [["1", "a"]]
    assert open_records(other).notes[0] == "扩展名是 .xls，内容是 xlsx 工作簿，按内容读取。"


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_a_csv_named_as_a_workbook_is_read_with_a_note(text, name):
    path = text("工单编号\t诉求内容\n1\t路灯\n", name=name, encoding="gb18030")
    assert rows_of(path) == [["1", "路灯"]]
    assert "内容是文本（csv）" in open_records(path).notes[0]


def test_a_web_page_named_xls_is_refused_with_what_to_do(text):
    page = f"<html><body><table><tr><td>{CITIZEN}</td></tr></table>"
    with pytest.raises(InputError, match=r"网页.*另存为 \.xlsx") as caught:
        open_records(text(page, name="a.xls"))
    assert CITIZEN not in str(caught.value)


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.95])
def test_a_cut_workbook_is_refused_as_damaged(sheet, keep):
    path = sheet(HEADER, *([str(i), "路灯不亮" * 20] for i in range(200)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(InputError, match=r"损坏.*另存为 \.xlsx"):
        open_records(path)


def test_a_workbook_with_a_flipped_byte_is_refused_or_read_but_never_crashes(sheet):
    path = sheet(HEADER, *([str(i), "路灯不亮"] for i in range(50)))
    content = bytearray(path.read_bytes())
    refused = 0
    for at in range(0, len(content), 97):
        damaged = bytearray(content)
        damaged[at] ^= 0x55
        path.write_bytes(damaged)
        try:
            rows_of(path)
        except InputError:
            refused += 1
    assert refused


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx", "a.xls"])
def test_binary_rubbish_is_refused(text, name):
    with pytest.raises(InputError, match="损坏"):
        open_records(text(bytes(range(256)) * 10, name=name))


def test_an_encrypted_workbook_is_said_to_be_encrypted(text):
    container = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(1000)
        + "EncryptedPackage".encode("utf-16-le")
        + bytes(500)
    )
    with pytest.raises(InputError, match=r"已加密.*取消密码"):
        open_records(text(container, name="a.xlsx"))


def test_a_zip_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("工单.csv", "id,text")
    with pytest.raises(InputError, match="压缩包"):
        open_records(tmp_path / "a.xlsx")


def test_an_unknown_suffix_is_refused_with_those_that_are_known(text):
    with pytest.raises(InputError, match=r"\.docx.*\.xlsx.*\.csv.*\.parquet"):
        open_records(text("x", name="a.docx"))


def test_options_that_do_not_apply_are_noted(text, sheet):
    assert "工作表名未用" in open_records(text("id,text\n1,a\n"), sheet="甲").notes[0]
    assert "编码未用" in open_records(sheet(HEADER, ["1", "a"]), encoding="utf-8").notes[0]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="找不到文件"):
        open_records(tmp_path / "无.csv")
    (tmp_path / "夹.csv").mkdir()
    with pytest.raises(InputError, match="是文件夹"):
        open_records(tmp_path / "夹.csv")


def test_a_file_without_permission_is_refused(text):
    path = text("id,text\n1,a\n")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(InputError, match=r"没有读取.*权限"):
            open_records(path)
    finally:
        os.seteuid(user)


# parquet


def test_the_types_of_a_parquet_file_survive(tmp_path):
    moments = pa.array([dt.datetime.fromisoformat("2024-07-12"), None], pa.timestamp("us", "Asia/Shanghai"))
    table = pa.table({"id": ["1", None], "n": pa.array([2**60 + 1, None]), "t": moments, "x": [[1], None]})
    pq.write_table(table, tmp_path / "a.parquet")
    chunk = chunk_of(tmp_path / "a.parquet")
    assert [dtype.pyarrow_dtype for dtype in chunk.frame.dtypes] == table.schema.types
    assert chunk.frame["n"].tolist() == [2**60 + 1, pd.NA]
    assert chunk.row_number(1) == 2


def test_parquet_comes_in_chunks_across_row_groups_with_every_column(tmp_path):
    frame = pd.DataFrame({"text": "a"}, index=pd.Index(list(range(100)), name="id"))
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=30)
    records = open_records(tmp_path / "a.parquet")
    assert (records.total, records.columns) == (100, ["text", "id"])
    assert [(chunk.start, len(chunk.frame)) for chunk in records.chunks(40)] == [(0, 40), (40, 40), (80, 20)]
    assert [i for chunk in records.chunks(40) for i in chunk.frame["id"]] == list(range(100))


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["路灯"] * 1000}), path)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    with pytest.raises(InputError, match="已损坏"):
        open_records(path)
    path.write_bytes(content[:8] + b"\xff" * 60 + content[68:])
    with pytest.raises(InputError, match="已损坏"):
        list(open_records(path).chunks(10))


@pytest.mark.parametrize(
    ("before", "after"),
    [("路灯不亮".encode(), b"\xff\xfe\xfd"), ("诉求内容".encode(), b"\xff\xfe\xfd")],
    ids=["cell", "name"],
)
def test_parquet_whose_texts_are_no_utf8_is_damaged(tmp_path, before, after):
    path = tmp_path / "a.parquet"
    table = pa.table({"诉求内容": ["路灯不亮", "小区停水"]})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_statistics=False)
    path.write_bytes(path.read_bytes().replace(before[:3], after))
    with pytest.raises(InputError, match="已损坏"):
        list(open_records(path).chunks(10))


def test_parquet_that_holds_fewer_rows_than_it_says_is_damaged(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"诉求内容": ["路灯不亮", "小区停水"]}), path)
    records = open_records(path)
    records.total += 1
    with pytest.raises(InputError, match="已损坏"):
        list(records.chunks(10))

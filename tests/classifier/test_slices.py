import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import slices
from classifier.columns import Columns
from classifier.csv_kernel import lines_with
from classifier.errors import InputError
from classifier.records import open_records
from classifier.spans import Spans
from classifier.table import Chunk
from classifier.tagged import requests_of
from classifier.writers import csv_lines, guarded, taken_over

CELLS = st.text(alphabet="路灯a ,;\t\"\n\r'=-\u3000", max_size=6)
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=12)


def rows_of(chunks):
    """Number and cells of every row."""
    return [
        (chunk.row_number(row), cells)
        for chunk in chunks
        for row, cells in enumerate(chunk.frame.values.tolist())
    ]


def written(rows, quoting=csv.QUOTE_MINIMAL, end="\r\n"):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=end).writerows([["编号", "内容", "备注"], *rows])
    return text.getvalue()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("slices") / "in.csv"


@pytest.fixture(params=[1, 3, 4000])
def rows_at_once(request, monkeypatch):
    monkeypatch.setattr(slices, "PIECE_ROWS", request.param)
    monkeypatch.setattr(slices, "PIECE_BYTES", 16 * request.param)


def same(path, text, encoding):
    """Slices, each read by itself, hold what the whole file read from end to end holds."""
    path.write_bytes(text.encode(encoding))
    try:
        records = open_records(path)
    except InputError:
        return None
    assert rows_of(piece.chunk() for piece in records.pieces()) == rows_of(records.chunks(1000))
    assert [piece.start for piece in records.pieces()] == sorted({piece.start for piece in records.pieces()})
    return records


@given(
    ROWS,
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
)
def test_slices_hold_the_rows_that_the_file_holds(path, rows, quoting, end, encoding):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "PIECE_BYTES", 24)
        patch.setattr(slices, "PIECE_ROWS", 2)
        same(path, written(rows, quoting, end), encoding)


@given(st.text(alphabet='路,a"\n\r \u3000', max_size=60))
def test_slices_of_any_text_hold_what_the_file_holds(path, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "PIECE_BYTES", 8)
        same(path, f"编号,内容\n1,灯\n{text}", "utf-8")


@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\r\n", "\n"]))
def test_records_that_are_taken_over_hold_what_would_be_written(path, rows, quoting, end):
    path.write_bytes(written(rows, quoting, end).encode())
    try:
        pieces = list(open_records(path).pieces())
    except InputError:  # nothing but empty rows
        return
    for piece in pieces:
        chunk = piece.chunk()
        if not isinstance(chunk.cells, Spans):  # a row lacks a column
            continue
        taken = lines_with(taken_over(chunk.cells), [])[0].tobytes().decode()
        cells = [[guarded(cell) for cell in row] for row in chunk.frame.values.tolist()]
        assert list(csv.reader(io.StringIO(taken, newline=""), strict=True)) == cells
        if quoting == csv.QUOTE_MINIMAL and end == "\r\n":
            assert taken == "".join(f"{line}\r\n" for line in csv_lines(chunk.frame))


def test_a_quote_within_a_field_that_has_none_around_it_is_written_as_it_should_be(path):
    path.write_bytes('编号,内容,备注\r\n1,路"灯,\r\n2,"井,盖",\r\n'.encode())
    (piece,) = open_records(path).pieces()
    chunk = piece.chunk()
    taken = lines_with(taken_over(chunk.cells), [])[0].tobytes().decode()
    assert taken == '1,"路""灯",\r\n2,"井,盖",\r\n'


def test_a_sound_file_is_cut_in_slices(path, rows_at_once):
    rows = [[str(number), "路灯不亮\n请修" * (number % 3), ""] for number in range(20)]
    records = same(path, written(rows), "utf-8")
    assert records.total == 20
    assert len(list(records.pieces())) >= 20 / slices.PIECE_ROWS


def test_rows_that_are_empty_at_the_end_are_in_no_slice(path, rows_at_once):
    records = same(
        path, written([["1", "路灯", ""], ["", "", ""], ["2", "井盖", ""]]) + ",,\r\n" * 9, "utf-8"
    )
    assert records.total == 3


def test_a_row_longer_than_a_slice_is_whole(path, rows_at_once):
    rows = [["1", "灯" * 5000, ""], ["2", "井盖", ""]]
    assert rows_of(piece.chunk() for piece in same(path, written(rows), "gb18030").pieces())[0][1] == rows[0]


PROSE = st.text(alphabet='路灯a 。\t"\n\r\u3000\u2003\u0085\x1c😀é', max_size=40)


@given(st.lists(st.tuples(PROSE, PROSE), min_size=1, max_size=12), st.booleans())
def test_requests_of_bytes_are_those_of_texts(rows, with_title):
    block = written([["A", *row] for row in rows], csv.QUOTE_ALL).encode().partition(b"\r\n")[2]
    spans = Spans.find(block, ",", len(rows), ["编号", "内容", "备注"])
    columns = Columns({"text": "内容", "title": "备注"} if with_title else {"text": "内容"})
    found = requests_of(Chunk(0, spans, range(len(rows))), columns)
    assert found.texts() == requests_of(Chunk(0, spans.frame(), range(len(rows))), columns).texts()


def test_bytes_that_were_exchanged_since_give_something_and_no_harm():
    block = ("A,路灯不亮,b\r\n" * 3).encode()
    for place in range(len(block)):
        for byte in (0xF4, 0xE8, 0xC3, 0x80, 0xFF):
            harmed = block[:place] + bytes([byte]) + block[place + 1 :]
            if spans := Spans.find(harmed, ",", 3, ["编号", "内容", "备注"]):
                assert len(spans.requests("内容", "备注").texts()) == 3

"""A broken old workbook is refused by what it would do, and does it to nobody."""

from __future__ import annotations

import sys

import pytest
import xlwt

from classifier import trial
from classifier.errors import InputError
from classifier.records import open_records

DIMENSIONS = b"\x00\x02\x0e\x00"  # the record that says how many rows and columns there are


@pytest.fixture
def workbook(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("工单")
    for row, cell in enumerate(["诉求内容", "路灯不亮", "小区停水"]):
        sheet.write(row, 0, cell)
    book.save(str(tmp_path / "old.xls"))
    return tmp_path / "old.xls"


def claiming(path, rows):
    content = bytearray(path.read_bytes())
    place = content.index(DIMENSIONS) + len(DIMENSIONS) + 4  # behind the first row
    content[place : place + 4] = rows.to_bytes(4, "little")
    path.write_bytes(content)


def test_a_sound_one_is_read(workbook):
    trial.check_opens(workbook)
    assert open_records(workbook).total == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows bounds no process's memory this way")
def test_one_that_claims_more_rows_than_memory_holds_is_refused(workbook):
    claiming(workbook, 0x7FFFFFFF)
    with pytest.raises(InputError, match=r"old.xls 已损坏.*另存为 .xlsx"):
        open_records(workbook)


def test_what_calamine_can_tell_is_left_to_it(workbook):
    workbook.write_bytes(workbook.read_bytes()[:700])
    trial.check_opens(workbook)
    with pytest.raises(InputError, match="已损坏"):
        open_records(workbook)


def test_one_that_never_ends_is_refused(workbook, monkeypatch):
    monkeypatch.setattr(trial, "_TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr(trial, "_SECONDS", 0.2)
    with pytest.raises(InputError, match="已损坏"):
        trial.check_opens(workbook)

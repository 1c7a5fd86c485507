import json

import numpy as np
import pytest

from classifier.errors import InputError, OutputError
from classifier.parts import Parts, remove_unfinished, sole_run
from classifier.tag_columns import TAG_TYPES, Coded, Shares, TagColumns

JOB = {"输入文件": "ab12", "列": ["内容", None], "每块行数": 2000}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "结果.csv"


def tags(*decisions):
    row = ["a.b", "甲", "a", "乙", 0.1234, None, None, None, "help", 0.5, 1, 0.75]
    rows = [[*row, decision, "v1", "某局", None, "first", None, None] for decision in decisions]
    return TagColumns(
        {
            name: Shares(np.array(cells, dtype=float)) if TAG_TYPES[name] == "float64" else Coded.of(cells)
            for name, cells in zip(TAG_TYPES, zip(*rows, strict=True), strict=True)
        }
    )


def started(target, *starts):
    parts = Parts(target, JOB, resume=False)
    for start in starts:
        parts.write(start, tags("auto", "review"))
    return parts


def test_tags_are_read_as_they_were_written(target):
    parts = Parts(target, JOB, resume=False)
    written = tags("auto", "error", "review")
    parts.write(4000, written)
    read = parts.read(4000)
    assert read.frame().values.tolist() == written.frame().values.tolist()
    assert [*map(type, read.frame().iloc[0])] == [*map(type, written.frame().iloc[0])]


def test_only_what_was_written_is_there(target):
    parts = started(target, 0, 4000)
    assert [parts.has(start) for start in (0, 2000, 4000)] == [True, False, True]


def test_a_resumed_run_finds_what_was_done(target):
    started(target, 0, 2000)
    resumed = Parts(target, JOB, resume=True)
    assert resumed.interrupted
    assert resumed.notes == []
    assert [resumed.has(start) for start in (0, 2000, 4000)] == [True, True, False]


def test_without_resume_everything_starts_anew_with_a_note(target):
    started(target, 0)
    anew = Parts(target, JOB, resume=False)
    assert not anew.has(0)
    assert "--resume" in anew.notes[0]


def test_resuming_where_nothing_was_begun_is_noted(target):
    parts = Parts(target, JOB, resume=True)
    assert not parts.interrupted
    assert "没有未完成的运行" in parts.notes[0]
    parts.write(0, tags("auto"))
    assert parts.has(0)


@pytest.mark.parametrize(("key", "value"), [("输入文件", "ffff"), ("列", ["正文", None]), ("每块行数", 1)])
def test_another_job_is_not_resumed_and_told_what_differs(target, key, value):
    started(target, 0)
    with pytest.raises(InputError) as caught:
        Parts(target, JOB | {key: value}, resume=True)
    assert f"（{key}）" in str(caught.value)
    assert "去掉 --resume" in str(caught.value)
    assert Parts(target, JOB, resume=True).has(0)  # refusing costs nothing of what was done


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_an_unreadable_job_is_not_resumed(target, content):
    parts = started(target, 0)
    (parts.folder / "job.json").write_bytes(content)
    with pytest.raises(InputError, match="不能续做"):
        Parts(target, JOB, resume=True)


def test_a_torn_part_is_not_taken_as_done(target):
    parts = started(target, 0, 2000, 4000, 6000)
    whole = (parts.folder / "000002000.tags").read_bytes()
    (parts.folder / "000002000.tags").write_bytes(whole[: len(whole) // 2])
    (parts.folder / "000004000.tags").write_bytes(b"")
    (parts.folder / "000006000.tags").write_bytes(bytes(len(whole)))
    resumed = Parts(target, JOB, resume=True)
    assert [resumed.has(start) for start in (0, 2000, 4000, 6000)] == [True, False, False, False]


def test_a_part_that_was_being_written_is_not_taken_as_done(target):
    parts = started(target, 0)
    whole = (parts.folder / "000000000.tags").read_bytes()
    (parts.folder / "000002000.tags.part").write_bytes(whole)
    assert not Parts(target, JOB, resume=True).has(2000)


def test_the_folder_is_gone_in_the_end(target):
    parts = started(target, 0)
    assert parts.folder.is_dir()
    parts.clear()
    assert list(target.parent.iterdir()) == []


def test_outputs_of_one_folder_do_not_share_their_parts(target):
    started(target, 0)
    other = Parts(target.with_suffix(".xlsx"), JOB, resume=True)
    assert not other.interrupted
    assert not other.has(0)


def test_the_job_is_stored_as_json_that_people_can_read(target):
    parts = started(target)
    assert json.loads((parts.folder / "job.json").read_text(encoding="utf-8")) == JOB
    assert "输入文件" in (parts.folder / "job.json").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path):
    with pytest.raises(OutputError, match="写不进去"):
        Parts(tmp_path / "gone" / "out.csv", JOB, resume=False)


def test_a_file_in_the_folders_place_is_our_error(target):
    target.with_name(f".{target.name}.parts").touch()
    with pytest.raises(OutputError, match="写不进去"):
        Parts(target, JOB, resume=False)


def test_a_part_that_cannot_be_written_is_our_error_and_names_resume(target):
    parts = started(target)
    (parts.folder / "000000000.tags").mkdir()
    with pytest.raises(OutputError, match="--resume"):
        parts.write(0, tags("auto"))


def test_only_the_unfinished_files_of_this_output_are_removed(target):
    folder = target.parent
    (folder / ".结果.csv.0123abcd.tmp").mkdir()
    (folder / ".结果.csv.0123abcd.tmp" / "sheet").touch()
    for name in (".结果.csv.0123abcd.part", "结果.csv", ".另外.csv.0123abcd.part", ".结果.csv.note.part"):
        (folder / name).touch()
    remove_unfinished(target)
    assert {entry.name for entry in folder.iterdir()} == {
        "结果.csv",
        ".另外.csv.0123abcd.part",
        ".结果.csv.note.part",
    }


def test_two_runs_do_not_write_the_same_output_at_once(target):
    with sole_run(target):
        with pytest.raises(InputError, match="另一个 hotline batch 正在写"), sole_run(target):
            pass
        with sole_run(target.with_name("别的.csv")):
            pass
    with sole_run(target):
        pass
    assert not list(target.parent.glob(".*"))

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from classifier.records import PIECE_ROWS, as_text, open_records
from classifier.tag_columns import TAG_TYPES

HOTLINE = Path(sys.executable).with_name("hotline")
LIGHT, NOISE = "迎宾大道的路灯不亮，夜里看不清路", "邻居半夜唱歌，吵得睡不着"
MANY = 5 * PIECE_ROWS  # more pieces than one process would take alone
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from api.cli import main
main()
"""


@pytest.fixture(scope="module")
def table(examples):
    """The invented work orders, every cell a text."""
    chunks = open_records(examples).chunks(1000)
    return pd.concat([chunk.frame for chunk in chunks], ignore_index=True).map(as_text)


@pytest.fixture
def few(tmp_path):
    """A file of two work orders, the second of which has no text."""
    path = tmp_path / "in.csv"
    path.write_text(f"编号,诉求内容\nA1,{LIGHT}\nA2,\nA3,{NOISE}\n", encoding="utf-8")
    return path


def failed(outcome, *said):
    """Check that a command failed as it should: on stderr, in Chinese, without a citizen's text."""
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("错误") or "\n错误" in outcome.err
    for words in said:
        assert words in outcome.err
    assert LIGHT not in outcome.err
    assert NOISE not in outcome.err


def run(command):
    """Run a command in a process of its own."""
    return subprocess.run([*map(str, command)], check=False, capture_output=True, text=True)


def outputs(folder):
    return sorted(entry.name for entry in folder.iterdir())


# What a user sees


def test_a_file_is_tagged_and_counted_on_stderr(hotline, models_dir, tmp_path, examples, samples):
    outcome = hotline("batch", examples, tmp_path / "out.xlsx", "--models-dir", models_dir)
    assert (outcome.code, outcome.out) == (0, "")
    total = len(samples)
    assert f"{total:,} 行" in outcome.err
    assert "未能打标 0" in outcome.err
    assert f"{total}/{total}" in outcome.err  # the progress bar, filled
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    header = [cell.value for cell in sheet[1]]
    assert sheet.max_row == total + 1
    assert header[-len(TAG_TYPES) :] == list(TAG_TYPES)
    assert json.loads((tmp_path / "out.xlsx.json").read_text(encoding="utf-8"))["rows"] == total


def test_rows_that_cannot_be_tagged_make_it_partly_done(hotline, models_dir, few, tmp_path):
    outcome = hotline("batch", few, tmp_path / "out.csv", "--models-dir", models_dir)
    assert (outcome.code, outcome.out) == (3, "")
    assert "未能打标 1" in outcome.err
    assert "out.csv.errors.csv" in outcome.err
    with (tmp_path / "out.csv.errors.csv").open(encoding="utf-8-sig", newline="") as file:
        _, listed = csv.reader(file)
    assert listed[:4] == ["3", "A2", "诉求内容", "没有诉求内容"]


def test_notes_are_said_on_stderr(hotline, models_dir, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text(f"编号,text,urgent\nA1,{LIGHT},1\nA1,{NOISE},0\n", encoding="utf-8")
    outcome = hotline("batch", source, tmp_path / "out.csv", "--models-dir", models_dir)
    assert outcome.code == 0
    assert "input_urgent" in outcome.err
    assert "第 2 与 3 行" in outcome.err


def test_options_choose_columns_review_file_and_version(hotline, models_dir, tmp_path):
    source, review = tmp_path / "in.csv", tmp_path / "review.parquet"
    source.write_text(f"号,话,题\nA1,{LIGHT},\nA1,{NOISE},噪声\n", encoding="utf-8")
    options = ["--text-column", "话", "--title-column", "题", "--id-column", "号", "--workers", "1"]
    options += ["--review-out", review, "--model", "small", "--models-dir", models_dir]
    outcome = hotline("batch", source, tmp_path / "out.csv", *options)
    assert outcome.code == 0, outcome.err
    assert "第 2 与 3 行" in outcome.err
    assert list(pd.read_parquet(review)["decision"]) == ["review", "review"]  # the small model is never sure


def test_brackets_in_names_are_no_markup(hotline, models_dir, few, tmp_path):
    target = tmp_path / "[red]结果[b].csv"
    outcome = hotline("batch", few, target, "--models-dir", models_dir)
    assert outcome.code == 3
    assert target.name in outcome.err
    failed(hotline("batch", tmp_path / "[x][/b].csv", target, "--models-dir", models_dir), "[x][/b].csv")


# Bad input


def test_an_empty_file(hotline, models_dir, tmp_path):
    for suffix in ("csv", "xlsx", "parquet"):
        source = tmp_path / f"in.{suffix}"
        source.touch()
        failed(
            hotline("batch", source, tmp_path / "out.csv", "--models-dir", models_dir), "空文件", "重新导出"
        )
    assert "out.csv" not in outputs(tmp_path)


def test_a_file_with_a_header_alone(hotline, models_dir, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("编号,诉求内容\n", encoding="utf-8")
    failed(hotline("batch", source, tmp_path / "out.csv", "--models-dir", models_dir), "没有数据行")


def test_a_file_without_a_text_column(hotline, models_dir, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text(f"编号,区县,备忘\nA1,江海区,{LIGHT}\n", encoding="utf-8")
    outcome = hotline("batch", source, tmp_path / "out.csv", "--models-dir", models_dir)
    failed(outcome, "编号、区县、备忘", "--text-column")
    outcome = hotline(
        "batch", source, tmp_path / "out.csv", "--text-column", "备忘录", "--models-dir", models_dir
    )
    failed(outcome, "没有名为“备忘录”的列", "是不是“备忘”", "--text-column")
    assert outputs(tmp_path) == ["in.csv"]


def test_a_wrong_encoding(hotline, models_dir, few, tmp_path):
    mixed = tmp_path / "mixed.csv"
    mixed.write_bytes(b"\x81\xff\xfe\x80" * 50 + b"\n" + b"\xff\x81\n" * 50)
    arguments = (tmp_path / "out.csv", "--models-dir", models_dir)
    failed(hotline("batch", mixed, *arguments), "编码", "--encoding")
    failed(hotline("batch", few, *arguments, "--encoding", "ascii"), "编码", "--encoding")
    failed(hotline("batch", few, *arguments, "--encoding", "klingon"), "不认识编码", "gb18030")


def test_a_damaged_workbook(hotline, models_dir, examples, tmp_path):
    source = tmp_path / "in.xlsx"
    source.write_bytes(examples.read_bytes()[:100_000])
    outcome = hotline("batch", source, tmp_path / "out.xlsx", "--models-dir", models_dir)
    failed(outcome, "已损坏", "重新导出")
    assert outputs(tmp_path) == ["in.xlsx"]


def test_a_missing_input(hotline, models_dir, tmp_path):
    outcome = hotline("batch", tmp_path / "none.xlsx", tmp_path / "out.xlsx", "--models-dir", models_dir)
    failed(outcome, "找不到文件", "none.xlsx")


def test_a_missing_output_folder(hotline, models_dir, few, tmp_path):
    outcome = hotline("batch", few, tmp_path / "gone" / "out.csv", "--models-dir", models_dir)
    failed(outcome, "gone 不存在", "建立")


@pytest.mark.parametrize("name", ["out.doc", "out", "out.xls"])
def test_an_unknown_suffix(hotline, models_dir, few, tmp_path, name):
    outcome = hotline("batch", few, tmp_path / name, "--models-dir", models_dir)
    failed(outcome, ".xlsx、.csv、.parquet")
    assert outputs(tmp_path) == ["in.csv"]


def test_an_output_that_is_the_input(hotline, models_dir, few):
    before = few.read_bytes()
    failed(hotline("batch", few, few, "--models-dir", models_dir), "不同的文件")
    assert few.read_bytes() == before


def test_a_folder_without_models(hotline, few, tmp_path):
    (tmp_path / "models").mkdir()
    outcome = hotline("batch", few, tmp_path / "out.csv", "--models-dir", tmp_path / "models")
    failed(outcome, "没有当前模型", "hotline train")
    outcome = hotline("batch", few, tmp_path / "out.csv", "--models-dir", tmp_path / "none")
    failed(outcome, "没有当前模型")


def test_a_damaged_model(hotline, store, few, tmp_path):
    arrays = store.path("small") / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[1000] ^= 1
    arrays.write_bytes(content)
    outcome = hotline("batch", few, tmp_path / "out.csv", "--models-dir", store.folder)
    failed(outcome, "已损坏", "arrays.npz", "备份")
    assert "out.csv" not in outputs(tmp_path)


@pytest.mark.parametrize("options", [["--nothing"], ["--workers", "0"], ["--workers", "many"]])
def test_wrong_use_exits_with_two(hotline, few, tmp_path, options):
    assert hotline("batch", few, tmp_path / "out.csv", *options).code == 2
    assert hotline("batch", few).code == 2


# A full disk


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("limit", ["8000", "in between"])
def test_a_full_disk_leaves_nothing_half_written(models_dir, table, tmp_path, suffix, limit):
    source, target = tmp_path / "in.csv", tmp_path / f"out.{suffix}"
    noisy = table.assign(杂=[os.urandom(1500).hex() for _ in range(len(table))])  # nothing to compress
    noisy.to_csv(source, index=False)
    for path in (target, tmp_path / "review.csv"):
        path.write_text("上次", encoding="utf-8")
    bytes_ = "600000" if limit == "in between" else limit  # the tags fit, the output does not
    command = [sys.executable, "-c", LIMITED, bytes_, "batch", source, target, "--models-dir", models_dir]
    options = ["--workers", "1", "--review-out", tmp_path / "review.csv"]
    done = run([*command, *options])
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "错误" in done.stderr
    assert ("磁盘" in done.stderr) or ("腾出空间" in done.stderr)
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert target.read_text(encoding="utf-8") == "上次"
    assert (tmp_path / "review.csv").read_text(encoding="utf-8") == "上次"
    assert outputs(tmp_path) == sorted([f".out.{suffix}.parts", "in.csv", target.name, "review.csv"])
    kept = outputs(tmp_path / f".out.{suffix}.parts")
    assert ("000000000.tags" in kept) == (limit == "in between")


# A killed run


@pytest.fixture(scope="module")
def many(table, tmp_path_factory):
    """A file so large that there is time to kill its run; the row 7,000 has no text."""
    path = tmp_path_factory.mktemp("many") / "in.csv"
    large = pd.concat([table] * (MANY // len(table) + 1), ignore_index=True)[:MANY]
    large = large[["工单编号", "区县", "诉求内容"]]
    large["工单编号"] = [f"JM{number:06}" for number in range(MANY)]
    large["诉求内容"] = large["诉求内容"].str[:30]
    large.loc[7000, "诉求内容"] = ""
    large.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def through(many, models_dir, tmp_path_factory):
    """What a run that nobody disturbed gives, in each format."""
    folder = tmp_path_factory.mktemp("through")
    for suffix in ("csv", "xlsx", "parquet"):
        command = [HOTLINE, "batch", many, folder / f"out.{suffix}", "--models-dir", models_dir]
        assert run([*command, "--workers", "1"]).returncode == 3
    return folder


@pytest.mark.parametrize(("suffix", "workers"), [("csv", "1"), ("xlsx", "1"), ("parquet", "2")])
def test_a_killed_run_resumed_gives_what_one_run_gives(many, models_dir, through, tmp_path, suffix, workers):
    target = tmp_path / f"out.{suffix}"
    parts = tmp_path / f".out.{suffix}.parts"
    command = [HOTLINE, "batch", many, target, "--workers", workers, "--models-dir", models_dir]
    killed = subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL, start_new_session=True)
    while not list(parts.glob("*.tags")):
        assert killed.poll() is None
        time.sleep(0.005)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    done = len(list(parts.glob("*.tags")))
    assert 1 <= done < MANY // PIECE_ROWS
    assert not target.exists()
    resumed = run([*command, "--resume"])
    assert resumed.returncode == 3, resumed.stderr
    assert f"其中 {done * PIECE_ROWS:,} 行取自上次运行" in resumed.stderr
    listed = f"out.{suffix}.errors.csv"
    beside = [listed, f"out.{suffix}", f"out.{suffix}.json"]
    assert outputs(tmp_path) == sorted(beside)
    assert (tmp_path / listed).read_bytes() == (through / listed).read_bytes()
    assert target.read_bytes() == (through / target.name).read_bytes()  # of xlsx that is more than its cells
    assert (tmp_path / beside[2]).read_bytes() == (through / beside[2]).read_bytes()


def test_a_run_that_is_interrupted_says_so_and_can_be_resumed(many, models_dir, tmp_path):
    target = tmp_path / "out.csv"
    command = [HOTLINE, "batch", many, target, "--workers", "1", "--models-dir", models_dir]
    running = subprocess.Popen(
        [*map(str, command)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not list((tmp_path / ".out.csv.parts").glob("*.tags")):
        assert running.poll() is None
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130
    assert "Traceback" not in said
    assert "--resume" in said
    assert "已中断" in said
    assert outputs(tmp_path) == [".out.csv.parts"]


def test_a_killed_run_is_resumed_only_as_the_same_run(hotline, many, models_dir, table, tmp_path):
    target = tmp_path / "out.csv"
    parts = tmp_path / ".out.csv.parts"
    parts.mkdir()
    (parts / "job.json").write_text(json.dumps({"输入文件": "别的"}), encoding="utf-8")
    source = tmp_path / "in.csv"
    table[:10].to_csv(source, index=False)
    outcome = hotline("batch", source, target, "--resume", "--models-dir", models_dir)
    failed(outcome, "不能续做", "输入文件", "--resume")
    outcome = hotline("batch", source, target, "--models-dir", models_dir)
    assert outcome.code == 0
    assert "从头开始" in outcome.err
    outcome = hotline("batch", source, target, "--resume", "--models-dir", models_dir)
    assert outcome.code == 0
    assert "没有未完成的运行" in outcome.err

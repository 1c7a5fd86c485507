"""The whole way through the installed command, each step a process of its own, as a user goes it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from classifier.store import ModelStore

HOTLINE = Path(sys.executable).with_name("hotline")
LIGHT = "迎宾大道的路灯不亮，夜里看不清路"
SECONDS = 60  # of patience with a process; it shares the machine with others


def hotline(
    *arguments: object, given: str | None = None, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the installed command outside the checkout, in a folder of its own where none is given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    with tempfile.TemporaryDirectory() as elsewhere:
        return subprocess.run(
            [str(HOTLINE), *map(str, arguments)],
            check=False, capture_output=True, text=True, input=given, cwd=folder or elsewhere,
            env=clean | environment, timeout=SECONDS,
        )  # fmt: skip


def done(outcome: subprocess.CompletedProcess[str], code: int = 0) -> str:
    """What a command said on stdout, having ended as it should."""
    assert outcome.returncode == code, outcome.stderr
    assert "Traceback" not in outcome.stderr
    return outcome.stdout


def call(url: str, body: Any = None) -> tuple[int, Any]:
    """The status and the JSON that a service answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - ours
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(models_dir: Path, *options: object) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A service on a free port, alive; it is killed in the end if the test has not stopped it."""
    port = free_port()
    command = [HOTLINE, "serve", "--port", port, "--models-dir", models_dir, *options]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [*map(str, command)], stderr=subprocess.PIPE, start_new_session=True, cwd=folder
        ) as process,
    ):
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until_alive(base, process)
            yield base, process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_alive(base: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        try:
            if call(f"{base}/livez")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the service did not come up")


def soon_answers(base: str, version: str) -> bool:
    """Whether the service goes over to a version, which it loads while the other one answers."""
    until = time.monotonic() + SECONDS
    while call(f"{base}/readyz")[1]["model_version"] != version:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_from_samples_to_a_model_that_tags_a_file_and_serves(examples, tmp_path):
    models = tmp_path / "models"
    at = ("--models-dir", models)

    # The maintainer trains, looks at the scores, and trains once more on labels of another kind.
    few = tmp_path / "样本.xlsx"
    book = openpyxl.load_workbook(examples)
    book.active.delete_rows(202, book.active.max_row)
    book.save(few)
    trained = json.loads(done(hotline("train", few, "--name", "first", "--json", *at)))
    assert trained["facets"]["scope"]["accuracy"] > 0.3
    done(hotline("train", few, "--label-column", "区县", "--name", "area", *at))
    assert "first" in done(hotline("models", "list", *at))
    assert done(hotline("models", "show", *at)).startswith("# 模型 first")

    # The analyst runs a year's file through it.
    out, review = tmp_path / "结果.xlsx", tmp_path / "待复核.csv"
    done(hotline("batch", examples, out, "--review-out", review, "--workers", "2", *at))
    sheet, given = openpyxl.load_workbook(out).active, openpyxl.load_workbook(examples).active
    rows, before = list(sheet.values), list(given.values)
    assert [row[: len(before[0])] for row in rows] == before
    facts = json.loads((tmp_path / "结果.xlsx.json").read_text(encoding="utf-8"))
    assert (facts["rows"], facts["model_version"]) == (len(before) - 1, "first")

    # The operator asks about a single text and gets what the file got.
    names = list(rows[0])
    text = str(rows[1][names.index("诉求内容")])
    title = rows[1][names.index("标题")]
    request = (f"{title}。{text}" if title else text).replace("\n", " ")
    (line,) = done(hotline("tag", "-", "--json", *at, given=request)).splitlines()
    assert json.loads(line)["facets"]["category"]["code"] == rows[1][names.index("category_code")]

    # The integrator's service answers, and goes over to another version without a restart.
    with served(models) as (base, process):
        order = {"work_order_id": "A1", "title": title or "", "text": text}
        status, answer = call(f"{base}/v1/tags", {"work_orders": [order], "explain": True})
        (result,) = answer["results"]
        assert status == 200
        assert result["work_order_id"] == "A1"
        assert result["facets"]["category"]["code"] == rows[1][names.index("category_code")]
        assert result["facets"]["category"]["evidence"]
        assert call(f"{base}/readyz")[1]["model_version"] == "first"
        done(hotline("models", "promote", "area", *at))
        assert soon_answers(base, "area")
        done(hotline("models", "rollback", *at))
        assert soon_answers(base, "first")
        assert call(f"{base}/v1/tags", {"work_orders": [{"text": ""}]})[0] == 422
        assert process.poll() is None


@pytest.mark.parametrize(("workers", "stop"), [(1, signal.SIGTERM), (1, signal.SIGINT), (2, signal.SIGTERM)])
def test_the_service_answers_and_stops_when_it_is_told(models_dir, workers, stop):
    with served(models_dir, "--workers", workers) as (base, process):
        for _ in range(4):
            status, answer = call(f"{base}/v1/tags", {"work_orders": [{"text": LIGHT}]})
            assert (status, answer["results"][0]["model_version"]) == (200, "small")
        process.send_signal(stop)
        process.wait(SECONDS)
        said = process.stderr.read().decode() if process.stderr else ""
        assert base in said
        assert "Traceback" not in said
        with pytest.raises(OSError, match="refused"):
            call(f"{base}/livez")


def test_the_service_does_not_start_without_a_model(tmp_path):
    outcome = hotline("serve", "--port", free_port(), "--models-dir", tmp_path)
    assert done(outcome, 1) == ""
    assert "没有当前模型" in outcome.stderr


def test_the_service_does_not_start_with_a_damaged_model(models_dir, tmp_path):
    shutil.copytree(models_dir, tmp_path / "models")
    (tmp_path / "models" / "small" / "words.txt").write_text("别的 1\n", encoding="utf-8")
    outcome = hotline("serve", "--port", free_port(), "--models-dir", tmp_path / "models")
    assert done(outcome, 1) == ""
    assert "words.txt" in outcome.stderr


def test_a_port_that_is_taken_is_a_failure(models_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = hotline("serve", "--port", taken.getsockname()[1], "--models-dir", models_dir)
    assert done(outcome, 1) == ""
    assert "--port" in outcome.stderr


def test_the_environment_names_the_models_folder(models_dir):
    outcome = hotline("tag", LIGHT, "--json", HOTLINE_MODELS_DIR=str(models_dir))
    assert json.loads(done(outcome))["model_version"] == "small"


def test_stdin_and_stdout_are_pipes_of_lines(models_dir):
    outcome = hotline("tag", "-", "--json", "--models-dir", models_dir, given=f"{LIGHT}\n\n{LIGHT}\n")
    first, empty, last = map(json.loads, done(outcome).splitlines())
    assert first == last
    assert empty["warnings"]
    assert "第 2 条没有内容" in outcome.stderr


def test_a_reader_that_goes_away_is_no_accident(models_dir):
    command = f"yes {LIGHT} | head -3000 | {HOTLINE} tag - --json --models-dir {models_dir} | head -1"
    outcome = subprocess.run(  # noqa: S602 - the pipe is what is tested
        command, shell=True, check=False, capture_output=True, text=True, timeout=SECONDS
    )
    assert len(outcome.stdout.splitlines()) == 1
    assert "Traceback" not in outcome.stderr
    assert "Exception" not in outcome.stderr


def test_help_is_chinese_and_names_every_command():
    said = done(hotline("--help"))
    for command in ("tag", "batch", "train", "evaluate", "models", "serve"):
        assert command in said
    assert "工单" in said
    assert "--review-out" in done(hotline("batch", "--help"))


def test_wrong_use_is_told_on_stderr_with_exit_code_two():
    outcome = hotline("batch", "in.csv", "--nothing")
    assert done(outcome, 2) == ""
    assert outcome.stderr


def test_without_a_folder_the_shipped_model_answers(tmp_path):
    outcome = hotline("tag", LIGHT, "--json", folder=tmp_path)
    found = json.loads(done(outcome))
    assert set(found["facets"]) == {"category", "scope", "request_type", "urgent"}
    assert found["model_version"] == ModelStore().current().version
    source = tmp_path / "in.csv"
    source.write_text(f"诉求内容\n{LIGHT}\n", encoding="utf-8")
    done(hotline("batch", source, tmp_path / "out.csv"))
    assert found["facets"]["category"]["code"] in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")

"""Files over HTTP: what comes of good ones, of bad ones, and of a service that is killed."""

import io
import os
import signal
import sys
import time
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.jobs import files
from api.jobs.files import JobFiles, kind_of, shown, suffix_of
from api.jobs.runner import JobRunner
from api.ledger import jobs as queue
from api.ledger.engine import writing
from api.ledger.jobs_table import jobs
from api.ledger.ledger import Ledger
from api.periods import SHANGHAI
from api.problems import MEDIA_TYPE
from classifier.batch import Job, tag_file
from classifier.errors import InputError, NoJob
from classifier.store import ModelStore
from classifier.writers import SUFFIXES
from tests.served import Served

WAIT = 60
ROWS = [
    (f"J{number:03}", "2025-07-01 09:00", f"迎宾大道{number}号的路灯不亮，夜里看不清路")
    for number in range(60)
]


@pytest.fixture
def table():
    return pd.DataFrame(ROWS, columns=["工单编号", "受理时间", "诉求内容"])


@pytest.fixture
def jobs_settings(settings, tmp_path):
    return settings.model_copy(update={"jobs_dir": tmp_path / "jobs"})


@pytest.fixture
def client(models_dir, jobs_settings):
    with TestClient(create_app(ModelStore(models_dir), jobs_settings)) as client:
        yield client


def csv_of(table):
    return table.to_csv(index=False).encode("utf-8-sig")


def send(client, content, name="工单.csv", **form):
    return client.post("/v1/jobs", files={"file": (name, content)}, data=form)


def ended(client, sent):
    """The job, as soon as it has ended."""
    assert sent.status_code == 202, sent.text
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        job = client.get(sent.headers["location"]).json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.1)
    raise AssertionError(job)


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    return answer.json()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_job_s_result_is_what_the_command_gives(client, models_dir, table, tmp_path, kind):
    sent = send(client, csv_of(table), format=kind)
    assert sent.json()["state"] in ("queued", "running")
    job = ended(client, sent)
    assert (job["state"], job["rows"], job["done"], job["failed"]) == ("done", 60, 60, 0)
    (tmp_path / "in.csv").write_bytes(csv_of(table))
    tag_file(Job(tmp_path / "in.csv", tmp_path / f"out.{kind}", models_dir / "small"))
    result = client.get(job["links"]["result"])
    assert result.content == (tmp_path / f"out.{kind}").read_bytes()
    assert "filename" in result.headers["content-disposition"]


def test_rows_that_fail_are_listed(client, table):
    table.loc[7, "诉求内容"] = ""
    job = ended(client, send(client, csv_of(table)))
    assert (job["state"], job["failed"]) == ("partly", 1)
    assert "没有诉求内容" in client.get(job["links"]["errors"]).content.decode("utf-8-sig")


def test_a_job_may_be_recorded(client, table):
    assert ended(client, send(client, csv_of(table), record="true"))["state"] == "done"
    (row,) = client.get("/v1/volumes", params={"since": "2025-07-01", "until": "2025-07-01"}).json()["rows"]
    assert row["volume"] == 60


def test_a_workbook_comes_back_as_one(client, table):
    content = io.BytesIO()
    table.to_excel(content, index=False)
    job = ended(client, send(client, content.getvalue(), "工单.xlsx"))
    assert (job["state"], job["format"]) == ("done", "xlsx")
    assert len(pd.read_excel(io.BytesIO(client.get(job["links"]["result"]).content), engine="calamine")) == 60


def bomb():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(200 << 20))
    return content.getvalue()


def test_bad_files_fail_with_a_reason_and_the_service_lives_on(client, table, monkeypatch):
    workbook = io.BytesIO()
    table.to_excel(workbook, index=False)
    bad = [
        ("a.xlsx", b"no workbook", "另存"),
        ("a.xlsx", workbook.getvalue()[:3000], "xlsx"),
        ("a.csv", workbook.getvalue(), "改名"),
        ("a.parquet", b"PAR1" + bytes(100) + b"PAR1", ""),
        ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(600), ""),
        ("a.csv", b"", "空"),
        ("a.csv", b"\x00" * 1000, ""),
        ("a.csv", "姓名,年龄\n张三,3\n".encode(), "列"),
    ]
    sent = [(send(client, content, name), said) for name, content, said in bad]
    for answer, said in sent:
        job = ended(client, answer)
        assert job["state"] == "failed", job
        assert said in job["error"]
        assert "jobs" not in job["error"]
        assert is_problem(client.get(f"{job['links']['self']}/result"), 409)
    assert ended(client, send(client, csv_of(table)))["state"] == "done"


def test_a_workbook_that_inflates_beyond_bounds_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "UNPACKED", 100 << 20)
    (tmp_path / "in.xlsx").write_bytes(bomb())
    with pytest.raises(InputError, match="解开后有 200 MiB"):
        files.check_source(tmp_path / "in.xlsx")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a.exe", "csv", "", "a.csv.lnk"])
def test_a_file_of_no_format_is_refused_at_once(client, name, jobs_settings):
    answer = send(client, b"x", name)
    assert answer.status_code == 422
    assert not jobs_settings.jobs_dir.exists() or not list(jobs_settings.jobs_dir.iterdir())


def test_names_are_shown_but_never_used():
    assert shown("../../etc/pass\nwd.csv") == "passwd.csv"
    assert shown("C:\\桌面\\工单.xlsx") == "工单.xlsx"
    assert shown("\x00") == "未命名"
    assert len(shown("长" * 500 + ".csv")) == 200
    assert suffix_of("a/b.CSV") == ".csv"
    assert [kind_of(None, suffix) for suffix in (".xls", ".tsv", ".parquet")] == ["xlsx", "csv", "parquet"]
    assert [f".{kind}" for kind in files.RESULTS] == list(SUFFIXES)
    with pytest.raises(AssertionError):
        JobFiles("x", "../../etc")


def test_a_file_that_is_too_large_is_refused_and_nothing_stays(models_dir, jobs_settings, table):
    small = jobs_settings.model_copy(update={"job_bytes": 2000})
    with TestClient(create_app(ModelStore(models_dir), small)) as client:
        is_problem(send(client, csv_of(table)), 413)
        assert list(jobs_settings.jobs_dir.iterdir()) == []
        is_problem(send(client, b"x" * 200_000), 413)


def test_a_job_is_cancelled_and_its_files_are_gone(client, table, jobs_settings):
    job = ended(client, send(client, csv_of(table)))
    assert list(jobs_settings.jobs_dir.iterdir()) != []
    assert client.delete(job["links"]["self"]).status_code == 204
    assert list(jobs_settings.jobs_dir.iterdir()) == []
    assert is_problem(client.get(f"{job['links']['self']}/result"), 404)
    is_problem(client.get("/v1/jobs/" + "0" * 32), 404)
    is_problem(client.get("/v1/jobs/x"), 422)


def test_everybody_sees_their_own_jobs(client, table, settings):
    from api.access.keys import new_key

    access = Ledger(settings).open(create=True).access
    tokens = {}
    for name, scope in (("甲", "tag"), ("乙", "tag"), ("管", "admin")):
        tokens[name], stored = new_key(name, [scope])
        access.add_key(stored, "test")
    headers = {name: {"X-API-Key": token} for name, token in tokens.items()}
    time.sleep(2.1)  # the keys are known by then
    sent = client.post("/v1/jobs", files={"file": ("a.csv", csv_of(table))}, headers=headers["甲"])
    where = sent.headers["location"]
    assert client.get(where, headers=headers["甲"]).status_code == 200
    is_problem(client.get(where, headers=headers["乙"]), 404)
    assert client.get("/v1/jobs", headers=headers["乙"]).json() == {"jobs": []}
    assert len(client.get("/v1/jobs", headers=headers["管"]).json()["jobs"]) == 1


def test_jobs_are_listed_in_pages(client, settings):
    queue = Ledger(settings).open(create=True).jobs
    for number in range(5):
        queue.add(f"{number:032x}", f"{number}.csv", "anybody", {"kind": "csv", "model_version": "small"})
        queue.cancel(f"{number:032x}")
    names, cursor = [], None
    while True:
        page = client.get("/v1/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        names += [job["name"] for job in page["jobs"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert names == [f"{number}.csv" for number in (4, 3, 2, 1, 0)]
    is_problem(client.get("/v1/jobs?cursor=x"), 422)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_what_was_sent_is_for_nobody_else_to_read(client, table, jobs_settings):
    ended(client, send(client, csv_of(table)))
    written = list(jobs_settings.jobs_dir.rglob("*"))
    assert len(written) >= 4
    assert all(path.stat().st_mode & 0o077 == 0 for path in written)


# The queue, on each engine


def test_a_job_is_given_to_one_alone_and_to_another_when_the_lease_ends(ledger, monkeypatch):
    ledger.jobs.add("a" * 32, "a.csv", "anybody", {"kind": "csv"})
    job, runner = ledger.jobs.claim()
    assert ledger.jobs.claim() is None
    assert ledger.jobs.renew(job.job_id, runner, done=7)
    assert ledger.jobs.find(job.job_id).done == 7
    monkeypatch.setattr(queue, "LEASE", -timedelta(seconds=1))
    ledger.jobs.renew(job.job_id, runner)
    _, other = ledger.jobs.claim()
    assert not ledger.jobs.renew(job.job_id, runner)
    ledger.jobs.finish(job.job_id, runner, "failed")
    assert ledger.jobs.find(job.job_id).state == "running"
    ledger.jobs.finish(job.job_id, other, "done")
    assert ledger.jobs.find(job.job_id).state == "done"
    assert ledger.jobs.claim() is None


def test_a_job_that_kills_its_process_again_and_again_is_given_up(ledger, monkeypatch):
    monkeypatch.setattr(queue, "LEASE", -timedelta(seconds=1))
    ledger.jobs.add("a" * 32, "a.csv", "anybody", {"kind": "csv"})
    for _ in range(queue.TRIES):
        assert ledger.jobs.claim() is not None
    assert ledger.jobs.claim() is None
    assert ledger.jobs.find("a" * 32).state == "failed"
    assert "不再尝试" in ledger.jobs.find("a" * 32).error


def test_old_jobs_are_forgotten_with_their_files(ledger, jobs_settings):
    for letter in "ab":
        ledger.jobs.add(letter * 32, f"{letter}.csv", "anybody", {"kind": "csv"})
        JobFiles(jobs_settings.jobs_dir, letter * 32).folder.mkdir(parents=True)
        (JobFiles(jobs_settings.jobs_dir, letter * 32).source(".csv")).write_text("诉求内容")
        ledger.jobs.cancel(letter * 32)
    old = datetime.now(SHANGHAI) - timedelta(days=jobs_settings.job_days, seconds=1)
    with writing(ledger.engine) as connection:
        connection.execute(jobs.update().where(jobs.c.job_id == "a" * 32).values(finished_at=old))
    JobRunner(ledger, jobs_settings, None)._purge()
    assert [path.name for path in jobs_settings.jobs_dir.iterdir()] == ["b" * 32]
    assert [job.job_id for job in ledger.jobs.newest()] == ["b" * 32]


def test_jobs_are_forgotten_with_their_files(ledger):
    ledger.jobs.add("a" * 32, "a.csv", "anybody", {"kind": "csv"})
    job = ledger.jobs.cancel("a" * 32)
    assert ledger.jobs.finished_before(job.finished_at + timedelta(seconds=1)) == ["a" * 32]
    ledger.jobs.remove(["a" * 32])
    with pytest.raises(NoJob):
        ledger.jobs.find("a" * 32)


# Real processes


def test_a_job_outlives_a_service_that_is_killed(models_dir, table, tmp_path, monkeypatch):
    import httpx2

    large = pd.concat([table] * 700, ignore_index=True)
    large["工单编号"] = [f"K{number:06}" for number in range(len(large))]
    folder, database = tmp_path / "jobs", tmp_path / "hotline.db"
    arguments = ("--models-dir", models_dir, "--database", database)
    environment = {"HOTLINE_JOBS_DIR": str(folder)}
    with Served(*arguments, **environment) as first:
        sent = httpx2.post(
            f"http://127.0.0.1:{first.port}/v1/jobs", files={"file": ("a.csv", csv_of(large))}, timeout=WAIT
        )
        where = sent.headers["location"]
        job_folder = folder / where.rpartition("/")[2]
        until = time.monotonic() + WAIT
        while not list(job_folder.glob(".out.csv.parts/*.tags")):
            assert time.monotonic() < until
            time.sleep(0.01)
        (worker,) = job_processes(first)
        os.kill(first.process.pid, signal.SIGKILL)  # the service alone: the job's process ends by itself
        first.process.wait(WAIT)
        until = time.monotonic() + WAIT
        while Path(f"/proc/{worker}").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
    ledger = Ledger(_settings(database))
    with ledger.engine.begin() as connection:  # rather than wait for the lease to end
        connection.exec_driver_sql("UPDATE jobs SET lease_until = '2020-01-01T00:00:00+08:00'")
    ledger.close()
    with (
        Served(*arguments, **environment) as second,
        httpx2.Client(base_url=f"http://127.0.0.1:{second.port}") as http,
    ):
        job = ended(http, sent)
        assert (job["state"], job["rows"]) == ("done", len(large))
        result = http.get(job["links"]["result"]).content
    (tmp_path / "in.csv").write_bytes(csv_of(large))
    tag_file(Job(tmp_path / "in.csv", tmp_path / "out.csv", models_dir / "small"))
    assert result == (tmp_path / "out.csv").read_bytes()


def job_processes(served):
    """The ids of the processes that work on jobs."""
    threads = Path(f"/proc/{served.process.pid}/task").glob("*/children")
    children = [one for thread in threads for one in thread.read_text().split()]
    return [int(one) for one in children if "api.jobs.process" in Path(f"/proc/{one}/cmdline").read_text()]


def _settings(database):
    from api.settings import Settings

    return Settings(database_url=f"sqlite:///{database}")


def test_a_file_whose_process_crashes_is_given_up_and_holds_up_no_other(ledger, settings):
    for letter in "ab":
        ledger.jobs.add(letter * 32, f"{letter}.csv", "anybody", {"kind": "csv"})
    runner = JobRunner(ledger, settings, None)
    for _ in range(queue.TRIES):
        job, name = ledger.jobs.claim()
        runner._tell_end(job, name, -6)
    assert ledger.jobs.find("a" * 32).state == "failed"
    assert job.job_id == "b" * 32

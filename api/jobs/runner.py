"""Takes jobs from the queue, one at a time, and has a process of their own do each."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from classifier.errors import HotlineError, LedgerError

from ..ledger.jobs import LEASE, StoredJob
from ..ledger.ledger import Ledger
from ..periods import SHANGHAI
from ..settings import Settings, variable_of
from .files import JobFiles

LOOK_SECONDS = 1.0
PURGE_SECONDS = 600.0

_log = structlog.get_logger("hotline.jobs")


class JobRunner:
    """Works from `start` to `stop`; what it was at when it stopped is taken up by the next one."""

    def __init__(self, ledger: Ledger, settings: Settings, models_dir: Path | None) -> None:
        self._ledger = ledger
        self._models_dir = models_dir
        self._settings = settings
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._purged = 0.0

    def start(self) -> None:
        """Look for jobs from now on."""
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more, and lay aside the one in hand."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                if not self._do_one():
                    self._stopped.wait(LOOK_SECONDS)
            except (HotlineError, OSError) as error:  # the database is away, or no process can be started
                _log.warning("任务暂时不能处理", reason=type(error).__name__)
                self._stopped.wait(5 * LOOK_SECONDS)

    def _do_one(self) -> bool:
        if not self._ledger.exists():
            return False
        self._ledger.open(create=True)
        if time.monotonic() - self._purged > PURGE_SECONDS:
            self._purged = time.monotonic()
            self._purge()
        claimed = self._ledger.jobs.claim()
        if claimed is None:
            return False
        self._work(*claimed)
        return True

    def _work(self, job: StoredJob, runner: str) -> None:
        started = time.monotonic()
        environment = os.environ | {
            variable_of("database_url"): self._settings.database_url,
            variable_of("jobs_dir"): str(self._settings.jobs_dir.resolve()),
            "OPENBLAS_NUM_THREADS": "1",  # each thread's stack counts against the bound on memory
        }
        if self._models_dir:
            environment[variable_of("models_dir")] = str(self._models_dir.resolve())
        command = [sys.executable, "-m", "api.jobs.process", job.job_id, runner]
        process = subprocess.Popen(  # noqa: S603 - ours, with an id that we made
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # its errors hold paths and perhaps cells; what matters stands in the ledger
        renewed = time.monotonic()
        while process.poll() is None:
            if self._stopped.wait(0.1):
                process.terminate()
                process.wait()
                self._ledger.jobs.give_back(job.job_id, runner)
                return
            if time.monotonic() - renewed > LEASE.seconds / 3:
                renewed = time.monotonic()
                if not self._renewed(job, runner):
                    process.kill()
        if process.returncode:
            self._tell_end(job, runner, process.returncode)
        _log.info("任务结束", seconds=round(time.monotonic() - started, 1), code=process.returncode)

    def _renewed(self, job: StoredJob, runner: str) -> bool:
        try:
            return self._ledger.jobs.renew(job.job_id, runner)
        except LedgerError:  # it is renewed again before the lease ends, or another one takes over
            return True

    def _tell_end(self, job: StoredJob, runner: str, code: int) -> None:
        """A process that ended without saying how: the file brought it down, or somebody killed it."""
        if job.tries + 1 < 2:  # once more: it may have been the machine
            self._ledger.jobs.give_back(job.job_id, runner, counted=True)
            return
        said = (
            f"处理这个文件的进程意外结束（{code}），多半是文件损坏或内存不够。请另存为 csv 或拆成几份后再试"
        )
        self._ledger.jobs.finish(job.job_id, runner, "failed", error=said)

    def _purge(self) -> None:
        before = datetime.now(SHANGHAI) - timedelta(days=self._settings.job_days)
        old = self._ledger.jobs.finished_before(before)
        for job_id in old:
            JobFiles(self._settings.jobs_dir, job_id).remove()
        if old:
            self._ledger.jobs.remove(old)
            _log.info("过期的任务已删除", jobs=len(old))

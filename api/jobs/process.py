"""A job's own process: `python -m api.jobs.process ID RUNNER KIND`, started by `api.jobs.runner`.

It tags the file as `hotline batch` does, goes on where one that was killed had stopped, and says in the
ledger how far it is. Whatever the file does to it, the service is another process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import nullcontext, suppress
from typing import Any

from classifier.batch import Job, tag_file
from classifier.errors import HotlineError
from classifier.store import ModelStore

from ..ledger.jobs import StoredJob
from ..ledger.ledger import Ledger
from ..recording import FileRecording
from ..settings import Settings, read_settings
from .files import JobFiles, check_source

EVERY = 1.0  # seconds between two reports
LOST = 5  # exit code: the job is not ours any more


class _Progress:
    """Holds the lease while the work goes on."""

    def __init__(self, ledger: Ledger, job_id: str, runner: str) -> None:
        self._ledger = ledger
        self._job_id, self._runner = job_id, runner
        self._told = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """Say how far it is, now and then; stop where somebody cancelled it."""
        if time.monotonic() - self._told < EVERY:
            return
        self._told = time.monotonic()
        if not self._ledger.jobs.renew(self._job_id, self._runner, done=done, rows=total):
            sys.exit(LOST)


def run(ledger: Ledger, settings: Settings, job: StoredJob, runner: str) -> None:
    """Work on a job to its end."""
    files = JobFiles(settings.jobs_dir, job.job_id)
    options = job.options
    source, target = files.source(options["suffix"]), files.target(options["kind"])
    store = ModelStore(settings.models_dir)
    version = options["model_version"]
    ended: dict[str, Any] = {"model_version": version}
    try:
        check_source(source)
        work = Job(source, target, store.path(version), options["columns"], workers=1, resume=True)
        recording = None
        if options["record"]:
            recording = FileRecording(ledger, target, store.load(version).taxonomy.version)
        progress = _Progress(ledger, job.job_id, runner)
        with recording or nullcontext():
            report = tag_file(work, progress, *([recording.see] if recording else []))
        refused = recording.report.refused if recording else 0
        ended |= {"rows": report.rows, "done": report.rows, "failed": report.decisions["error"] + refused}
        state = "partly" if ended["failed"] else "done"
    except HotlineError as error:
        state, ended["error"] = "failed", str(error).replace(str(settings.jobs_dir), "")[:1000]
    except MemoryError:
        state, ended["error"] = "failed", "内存不够处理这个文件，请拆成几份，或另存为 csv 后再试"
    ledger.jobs.finish(job.job_id, runner, state, **ended)


def _end_with_parent() -> None:
    """End as soon as the service has: a killed one's job is taken up by the next, and not by two at once."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(EVERY)
        os._exit(LOST)

    threading.Thread(target=look, name="parent", daemon=True).start()


def _bound_memory(most: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such bound
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Work on the job that the arguments name."""
    job_id, runner = sys.argv[1:3]
    _end_with_parent()
    os.umask(0o077)  # what is written is for nobody else
    settings = read_settings()
    _bound_memory(settings.job_memory)
    ledger = Ledger(settings).open()
    run(ledger, settings, ledger.jobs.find(job_id), runner)
    ledger.close()


if __name__ == "__main__":
    main()

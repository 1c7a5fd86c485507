"""The queue of jobs in the ledger's database: each is worked on by one process at a time.

Who works on a job holds a lease and renews it. A lease that runs out is one of a process that was killed;
another one then takes the job, and goes on where that one stopped.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, and_, or_, select

from classifier.errors import NoJob

from ..periods import SHANGHAI
from .engine import advisory_lock, reading, writing
from .jobs_table import jobs

LEASE = timedelta(seconds=30)
TRIES = 3
"""How often a job is taken up before it is given up: its file may be what kills the process."""

FINISHED = ("done", "partly", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it stands."""

    job_id: str
    name: str
    caller: str
    options: Mapping[str, Any]
    state: str
    tries: int
    rows: int | None
    done: int
    failed: int
    error: str | None
    model_version: str | None
    created_at: datetime
    finished_at: datetime | None


class JobQueue:
    """All jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, job_id: str, name: str, caller: str, options: Mapping[str, Any]) -> None:
        """Queue a job whose file is there."""
        row = {
            "job_id": job_id,
            "name": name,
            "caller": caller,
            "options": json.dumps(options, ensure_ascii=False),
            "state": "queued",
            "tries": 0,
            "done": 0,
            "failed": 0,
            "created_at": datetime.now(SHANGHAI),
        }
        with writing(self._engine) as connection:
            connection.execute(jobs.insert(), row)

    def claim(self) -> tuple[StoredJob, str] | None:
        """The oldest job that nobody works on, and the name under which it is ours now."""
        c, now = jobs.c, datetime.now(SHANGHAI)
        free = or_(c.state == "queued", and_(c.state == "running", c.lease_until < now))
        oldest = select(jobs).where(free).order_by(c.created_at).limit(1)
        with reading(self._engine) as connection:  # mostly there is none, and nobody need wait for that
            if connection.execute(oldest).first() is None:
                return None
        with writing(self._engine) as connection:
            advisory_lock(connection, "hotline jobs")
            found = connection.execute(oldest).first()
            if found is None:
                return None
            runner = secrets.token_hex(16)
            changed: dict[str, Any] = {"runner": runner, "lease_until": now + LEASE, "state": "running"}
            changed["tries"] = found.tries + 1
            if found.tries >= TRIES:
                changed = {"state": "failed", "finished_at": now, "error": _GIVEN_UP}
            connection.execute(jobs.update().where(c.job_id == found.job_id).values(**changed))
        return (_job(found), runner) if "runner" in changed else self.claim()

    def renew(self, job_id: str, runner: str, **seen: Any) -> bool:
        """Hold a job longer, and say how far it is; False if it is not ours any more."""
        c = jobs.c
        values = {"lease_until": datetime.now(SHANGHAI) + LEASE, **seen}
        mine = (c.job_id == job_id) & (c.runner == runner) & (c.state == "running")
        with writing(self._engine) as connection:
            return connection.execute(jobs.update().where(mine).values(**values)).rowcount == 1

    def finish(self, job_id: str, runner: str, state: str, **seen: Any) -> None:
        """Say how a job ended."""
        c = jobs.c
        mine = (c.job_id == job_id) & (c.runner == runner) & (c.state == "running")
        values = {"state": state, "finished_at": datetime.now(SHANGHAI), "lease_until": None, **seen}
        with writing(self._engine) as connection:
            connection.execute(jobs.update().where(mine).values(**values))

    def give_back(self, job_id: str, runner: str, *, counted: bool = False) -> None:
        """Let somebody else take a job up at once; the try counts only where its process came to grief."""
        c = jobs.c
        mine = (c.job_id == job_id) & (c.runner == runner) & (c.state == "running")
        with writing(self._engine) as connection:
            tries = c.tries - (0 if counted else 1)
            connection.execute(jobs.update().where(mine).values(state="queued", runner=None, tries=tries))

    def cancel(self, job_id: str) -> StoredJob:
        """Have nobody work on a job any more.

        Raises:
            NoJob: there is none of this id.
        """
        c, now = jobs.c, datetime.now(SHANGHAI)
        with writing(self._engine) as connection:
            open_ = (c.job_id == job_id) & c.state.not_in(FINISHED)
            connection.execute(jobs.update().where(open_).values(state="cancelled", finished_at=now))
        return self.find(job_id)

    def remove(self, job_ids: Sequence[str]) -> None:
        """Forget jobs whose files are gone."""
        with writing(self._engine) as connection:
            connection.execute(jobs.delete().where(jobs.c.job_id.in_(job_ids)))

    def find(self, job_id: str) -> StoredJob:
        """A job.

        Raises:
            NoJob: there is none of this id.
        """
        with reading(self._engine) as connection:
            found = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
        if found is None:
            raise NoJob("没有这个任务，或已过保存期，请核对任务编号")
        return _job(found)

    def newest(
        self, caller: str | None = None, most: int = 100, after: tuple[datetime, str] | None = None
    ) -> list[StoredJob]:
        """The newest jobs, of one caller or of all; those behind a moment and an id, where they are given."""
        c = jobs.c
        query = select(jobs).order_by(c.created_at.desc(), c.job_id).limit(most)
        query = query.where(c.caller == caller) if caller else query
        if after:
            moment, job_id = after
            older = or_(c.created_at < moment, and_(c.created_at == moment, c.job_id > job_id))
            query = query.where(older)
        with reading(self._engine) as connection:
            return [_job(row) for row in connection.execute(query)]

    def finished_before(self, moment: datetime) -> list[str]:
        """The ids of jobs that ended before a moment."""
        with reading(self._engine) as connection:
            return list(connection.scalars(select(jobs.c.job_id).where(jobs.c.finished_at < moment)))


_GIVEN_UP = f"处理这个文件的进程已中断 {TRIES} 次，不再尝试。请检查文件是否损坏或过大，另存为 csv 后再试"


def _job(row: Row[Any]) -> StoredJob:
    return StoredJob(
        row.job_id,
        row.name,
        row.caller,
        json.loads(row.options),
        row.state,
        row.tries,
        row.rows,
        row.done,
        row.failed,
        row.error,
        row.model_version,
        row.created_at,
        row.finished_at,
    )

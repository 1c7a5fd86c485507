"""The table of jobs: files that were sent to be tagged."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, String, Table, Text

from .schema import Moment, metadata

STATES = ("queued", "running", "done", "partly", "failed", "cancelled")

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),  # of the file, as people are shown it
    Column("caller", String(200), nullable=False),
    Column("options", Text, nullable=False),  # JSON
    Column("state", String(10), nullable=False, index=True),
    Column("runner", String(32)),  # who works on it
    Column("lease_until", Moment),  # after which it is taken for killed
    Column("tries", Integer, nullable=False),
    Column("rows", Integer),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("error", String(1000)),
    Column("model_version", String(200)),
    Column("created_at", Moment, nullable=False, index=True),
    Column("finished_at", Moment),
    CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", name="job_state_is_known"),
)

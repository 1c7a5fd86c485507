"""Whether the database takes writes, and what time it thinks it is."""

from __future__ import annotations

import time

from sqlalchemy import Engine, text

from .engine import reading, writing


def check_writable(engine: Engine) -> None:
    """Write something that changes nothing, through to the disk.

    Raises:
        LedgerError: it is not taken.
    """
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def seconds_ahead(engine: Engine) -> float | None:
    """By how much the server's clock is ahead of this machine's; None for SQLite, which has none."""
    if engine.dialect.name != "postgresql":
        return None
    with reading(engine) as connection:
        before = time.time()
        there = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
        return float(there) - (before + time.time()) / 2

"""The table of answers that are given again when the same request comes again."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from .schema import Moment, metadata

answers = Table(
    "answers",
    metadata,
    Column("key", String(64), primary_key=True),  # of caller, route and Idempotency-Key
    Column("body", String(64), nullable=False),  # its digest
    Column("claim", String(32), nullable=False),  # who is working on it
    Column("claimed_at", Moment, nullable=False, index=True),
    Column("status", Integer),  # none: not answered yet
    Column("content_type", String(100)),
    Column("content", LargeBinary),  # compressed
)

"""The table of changes: one row for each transaction that recorded or corrected work orders."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, text

from .schema import KEY, Moment, metadata

changes = Table(
    "changes",
    metadata,
    Column("change_id", KEY, primary_key=True),
    # Its place in the feed, given after its end; none yet: the feed does not know it.
    Column("position", BigInteger, unique=True),
    Column("size", Integer, nullable=False),  # work orders or corrections that it wrote
    Column("changed_at", Moment, nullable=False),
    Index(
        "changes_without_position",
        "change_id",
        postgresql_where=text("position IS NULL"),
        sqlite_where=text("position IS NULL"),
    ),
)

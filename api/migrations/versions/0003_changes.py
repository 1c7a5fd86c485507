"""Changes, for the feed: what is in the ledger already becomes the first two of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SHANGHAI = timezone(timedelta(hours=8))


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    key = sa.Integer() if sqlite else sa.BigInteger()
    moment = sa.String(32) if sqlite else sa.DateTime(timezone=True)
    changes = op.create_table(
        "changes",
        sa.Column("change_id", key, primary_key=True),
        sa.Column("position", sa.BigInteger, unique=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
    )
    without = sa.text("position IS NULL")
    op.create_index(
        "changes_without_position", "changes", ["change_id"], postgresql_where=without, sqlite_where=without
    )
    moment_now = datetime.now(_SHANGHAI)
    now = moment_now.isoformat(timespec="microseconds") if sqlite else moment_now
    # A change is of work orders or of corrections, never of both: in the feed their numbers go on by it.
    for position, (table, change) in enumerate((("work_orders", 0), ("corrections", -1)), 1):
        size = connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one()
        op.bulk_insert(
            changes, [{"change_id": change, "position": position, "size": size, "changed_at": now}]
        )
        # A constant default: no row is written again for it.
        op.add_column(table, sa.Column("change_id", key, nullable=False, server_default=str(change)))
        if not sqlite:  # from now on whoever writes must say it; SQLite cannot take a default away
            op.alter_column(table, "change_id", server_default=None)
    op.create_index("work_orders_changed", "work_orders", ["change_id", "number"])
    op.create_index("ix_corrections_change_id", "corrections", ["change_id"])

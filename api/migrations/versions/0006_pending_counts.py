"""What has changed in the counts since the roll-ups were made; and an index in the order of pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COUNTED = ("category", "scope_detail", "request_type", "urgent", "district", "channel", "department")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "pending_counts",
        sa.Column("pending_id", sa.Integer() if sqlite else sa.BigInteger(), primary_key=True),
        sa.Column("received_on", sa.Date, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTED),
        sa.Column("volume", sa.Integer, nullable=False),
    )
    # Without it a page of work orders sorts all those of its day.
    op.create_index("work_orders_by_day", "work_orders", ["received_on", "number"])

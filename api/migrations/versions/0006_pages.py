"""An index in the order of pages: without it a page sorts all work orders of its day."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("work_orders_by_day", "work_orders", ["received_on", "number"])

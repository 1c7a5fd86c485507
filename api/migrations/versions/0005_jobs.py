"""Jobs: files that were sent to be tagged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    moment = sa.String(32) if sqlite else sa.DateTime(timezone=True)
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("caller", sa.String(200), nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False, index=True),
        sa.Column("runner", sa.String(32)),
        sa.Column("lease_until", moment),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("error", sa.String(1000)),
        sa.Column("model_version", sa.String(200)),
        sa.Column("created_at", moment, nullable=False, index=True),
        sa.Column("finished_at", moment),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'partly', 'failed', 'cancelled')",
            name="job_state_is_known",
        ),
    )

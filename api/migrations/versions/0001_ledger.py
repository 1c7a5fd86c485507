"""Work orders, their tags and corrections, labels, imports, and the roll-ups by day and month."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were at this revision: what the program's tables become later is for later revisions.
COUNTED = ("category", "scope_detail", "request_type", "urgent", "district", "channel", "department")
LABELLED = COUNTED[:4]


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    key = sa.Integer() if sqlite else sa.BigInteger()
    moment = sa.String(32) if sqlite else sa.DateTime(timezone=True)
    op.create_table(
        "labels",
        sa.Column("label_id", sa.Integer, primary_key=True),
        sa.Column("facet", sa.String(20), nullable=False),
        sa.Column("code", sa.String(200), nullable=False),
        sa.Column("parent", sa.Integer, sa.ForeignKey("labels.label_id")),
        sa.UniqueConstraint("facet", "code"),
    )
    _create_work_orders(key, moment, sqlite=sqlite)
    _create_tags(key, moment)
    _create_corrections(key, moment)
    op.create_table(
        "imports",
        sa.Column("import_id", key, primary_key=True),
        sa.Column("file", sa.String(400), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(200), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("recorded", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("imported_at", moment, nullable=False),
        sa.UniqueConstraint("sha256", "model_version"),
    )
    op.create_table(
        "stale_days",
        sa.Column("mark", key, primary_key=True),
        sa.Column("received_on", sa.Date, nullable=False, index=True),
    )
    for span in ("daily", "monthly"):
        for one, other in combinations(COUNTED, 2):
            op.create_table(
                f"{span}_{one}_{other}",
                sa.Column("received_on", sa.Date, nullable=False),
                _label(one),
                _label(other),
                sa.Column("volume", sa.Integer, nullable=False),
                sa.PrimaryKeyConstraint("received_on", one, other),
                sqlite_with_rowid=False,
            )
    op.create_table(
        "monthly_cells",
        sa.Column("received_on", sa.Date, nullable=False),
        *(_label(name) for name in COUNTED),
        sa.Column("volume", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("received_on", *COUNTED),
        sqlite_with_rowid=False,
    )


def _create_work_orders(key: Any, moment: Any, *, sqlite: bool) -> None:
    if sqlite:
        local_day = "received_on = substr(received_at, 1, 10)"
    else:
        local_day = "received_on = (received_at AT TIME ZONE 'Asia/Shanghai')::date"
    op.create_table(
        "work_orders",
        sa.Column("number", key, primary_key=True),
        sa.Column("work_order_id", sa.String(200), nullable=False, unique=True),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("received_on", sa.Date, nullable=False),
        *(_label(name) for name in COUNTED),
        sa.Column("decision", sa.String(6), nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("text", sa.Text),
        sa.CheckConstraint("length(work_order_id) BETWEEN 1 AND 200", name="id_is_there"),
        sa.CheckConstraint("received_on BETWEEN '1980-01-01' AND '2099-12-31'", name="day_is_possible"),
        sa.CheckConstraint(local_day, name="day_is_in_shanghai"),
        sa.CheckConstraint("decision IN ('auto', 'review')", name="order_decision_is_known"),
        sa.CheckConstraint(" AND ".join(f"{name} > 0" for name in COUNTED), name="labels_are_there"),
    )
    op.create_index("work_orders_counted", "work_orders", ["received_on", *COUNTED])


def _create_tags(key: Any, moment: Any) -> None:
    op.create_table(
        "tags",
        _of_work_order(key),
        sa.Column("model_version", sa.String(200), nullable=False),
        sa.Column("taxonomy_version", sa.String(200), nullable=False),
        *(_label(name) for name in LABELLED),
        *(_share(f"{name}_confidence") for name in LABELLED),
        sa.Column("decision", sa.String(6), nullable=False),
        sa.Column("tagged_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("number", "model_version"),
        sa.CheckConstraint("decision IN ('auto', 'review')", name="decision_is_known"),
        sqlite_with_rowid=False,
    )


def _create_corrections(key: Any, moment: Any) -> None:
    op.create_table(
        "corrections",
        sa.Column("correction_id", key, primary_key=True),
        _of_work_order(key, index=True),
        sa.Column("facet", sa.String(20), nullable=False),
        sa.Column("label", sa.Integer, sa.ForeignKey("labels.label_id")),
        sa.Column("corrected_by", sa.String(100), nullable=False),
        sa.Column("corrected_at", moment, nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.CheckConstraint(f"facet IN ({', '.join(map(repr, LABELLED))})", name="facet_is_labelled"),
        sa.CheckConstraint("length(corrected_by) > 0", name="somebody_corrected"),
    )


def _of_work_order(key: Any, **more: Any) -> sa.Column[Any]:
    to = sa.ForeignKey("work_orders.number", ondelete="CASCADE")
    return sa.Column("number", key, to, nullable=False, **more)


def _label(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _share(name: str) -> sa.Column[Any]:
    is_share = sa.CheckConstraint(f"{name} BETWEEN 0 AND 1", name=f"{name}_is_a_share")
    return sa.Column(name, sa.Float, is_share)

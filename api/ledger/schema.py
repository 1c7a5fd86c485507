"""The ledger's tables. What a migration has made of them, `api/migrations` says.

    work_orders ─┬─< tags         what each model version said of it
                 └─< corrections  what a person said instead: who, when, why
    labels                        every value of every facet, as a number; `parent` is its first level
    daily_A_B, monthly_A_B        work orders by day or month and two facets (see rollups)
    monthly_cells                 work orders by month and all facets
    pending_counts                what has changed in the counts since the roll-ups were made
    stale_days                    days whose roll-ups are to be made again
    imports                       files that were recorded
    changes                       what was written together, for the feed (see change_table)

A work order carries the *effective* label of each facet, the standing correction or else the model's,
so that counting joins nothing; it is changed in the transaction that changes tag or correction.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import combinations
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..periods import SHANGHAI

COUNTED = ("category", "scope_detail", "request_type", "urgent", "district", "channel", "department")
"""The facets that a work order has a column for."""

DERIVED = {"first": "category", "scope": "scope_detail"}
"""First levels, by the facet whose labels they are the parents of."""

LABELLED = COUNTED[:4]
"""The facets that a model labels and a person may correct."""

FACETS = ("category", "first", "scope", "scope_detail", *COUNTED[2:])
"""Everything that work orders can be counted by."""

EARLIEST = date(1980, 1, 1)
LONGEST_ID = 200

PAIRS = tuple(combinations(COUNTED, 2))


class Moment(TypeDecorator[datetime]):
    """A moment; SQLite, which knows none, holds it as Guangdong's clocks show it, with the offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(SHANGHAI).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(SHANGHAI) if moment else None


metadata = MetaData()

KEY = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys alone


def _label(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _share(name: str) -> Column[float]:
    return Column(name, Float, CheckConstraint(f"{name} BETWEEN 0 AND 1", name=f"{name}_is_a_share"))


labels = Table(
    "labels",
    metadata,
    Column("label_id", Integer, primary_key=True),
    Column("facet", String(20), nullable=False),
    Column("code", String(LONGEST_ID), nullable=False),
    Column("parent", ForeignKey("labels.label_id")),
    UniqueConstraint("facet", "code"),
)

work_orders = Table(
    "work_orders",
    metadata,
    Column("number", KEY, primary_key=True),
    Column("work_order_id", String(LONGEST_ID), nullable=False, unique=True),
    Column("received_at", Moment, nullable=False),
    Column("received_on", Date, nullable=False),
    *(_label(name) for name in COUNTED),
    Column("decision", String(6), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("title", Text),
    Column("text", Text),
    # Without a foreign key: it would be looked up for every row, and no change is ever taken away.
    Column("change_id", KEY, nullable=False),
    CheckConstraint(f"length(work_order_id) BETWEEN 1 AND {LONGEST_ID}", name="id_is_there"),
    CheckConstraint(f"received_on BETWEEN '{EARLIEST}' AND '2099-12-31'", name="day_is_possible"),
    CheckConstraint(
        "received_on = (received_at AT TIME ZONE 'Asia/Shanghai')::date", name="day_is_in_shanghai"
    ).ddl_if(dialect="postgresql"),
    CheckConstraint("received_on = substr(received_at, 1, 10)", name="day_is_in_shanghai").ddl_if(
        dialect="sqlite"
    ),
    CheckConstraint("decision IN ('auto', 'review')", name="order_decision_is_known"),
    CheckConstraint(" AND ".join(f"{name} > 0" for name in COUNTED), name="labels_are_there"),
    Index("work_orders_counted", "received_on", *COUNTED),
    Index("work_orders_by_day", "received_on", "number"),
    Index("work_orders_changed", "change_id", "number"),
)

tags = Table(
    "tags",
    metadata,
    Column("number", ForeignKey(work_orders.c.number, ondelete="CASCADE"), nullable=False),
    Column("model_version", String(200), nullable=False),
    Column("taxonomy_version", String(200), nullable=False),
    *(_label(name) for name in LABELLED),
    *(_share(f"{name}_confidence") for name in LABELLED),
    Column("decision", String(6), nullable=False),
    Column("tagged_at", Moment, nullable=False),
    PrimaryKeyConstraint("number", "model_version"),
    CheckConstraint("decision IN ('auto', 'review')", name="decision_is_known"),
    sqlite_with_rowid=False,
)

corrections = Table(
    "corrections",
    metadata,
    Column("correction_id", KEY, primary_key=True),
    Column("number", ForeignKey(work_orders.c.number, ondelete="CASCADE"), nullable=False, index=True),
    Column("facet", String(20), nullable=False),
    Column("label", ForeignKey("labels.label_id")),  # none: the correction is withdrawn
    Column("corrected_by", String(100), nullable=False),
    Column("corrected_at", Moment, nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("change_id", KEY, nullable=False, index=True),
    CheckConstraint(f"facet IN ({', '.join(map(repr, LABELLED))})", name="facet_is_labelled"),
    CheckConstraint("length(corrected_by) > 0", name="somebody_corrected"),
)

imports = Table(
    "imports",
    metadata,
    Column("import_id", KEY, primary_key=True),
    Column("file", String(400), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("model_version", String(200), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("recorded", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("imported_at", Moment, nullable=False),
    UniqueConstraint("sha256", "model_version"),
)

stale_days = Table(
    "stale_days",
    metadata,
    Column("mark", KEY, primary_key=True),
    Column("received_on", Date, nullable=False, index=True),
)


pending_counts = Table(
    "pending_counts",
    metadata,
    Column("pending_id", KEY, primary_key=True),
    Column("received_on", Date, nullable=False),
    *(_label(name) for name in COUNTED),
    Column("volume", Integer, nullable=False),  # negative, where there are fewer now
)


def _pair_table(span: str, one: str, other: str) -> Table:
    """Work orders by day or month, whose first day `received_on` is, and two facets."""
    return Table(
        f"{span}_{one}_{other}",
        metadata,
        Column("received_on", Date, nullable=False),
        _label(one),
        _label(other),
        Column("volume", Integer, nullable=False),
        PrimaryKeyConstraint("received_on", one, other),
        sqlite_with_rowid=False,
    )


daily = {frozenset(pair): _pair_table("daily", *pair) for pair in PAIRS}
monthly_cells = Table(
    "monthly_cells",
    metadata,
    Column("received_on", Date, nullable=False),
    *(_label(name) for name in COUNTED),
    Column("volume", Integer, nullable=False),
    PrimaryKeyConstraint("received_on", *COUNTED),
    sqlite_with_rowid=False,
)

monthly = {frozenset(pair): _pair_table("monthly", *pair) for pair in PAIRS}

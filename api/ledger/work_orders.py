"""Work orders as the ledger holds them: one with its history, or a page of many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from classifier.errors import NoWorkOrder

from .labels import numbers_of
from .schema import COUNTED, DERIVED, LABELLED, corrections, labels, tags, work_orders

_FIRSTS = {facet: first for first, facet in DERIVED.items()}
Cursor = tuple[date, int]


@dataclass(frozen=True, slots=True)
class StoredTags:
    """What one model version said: labels and their confidence by facet."""

    labels: dict[str, str]
    confidences: dict[str, float | None]
    decision: str
    model_version: str
    taxonomy_version: str
    tagged_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCorrection:
    """What a person said; `label` is None where a correction was withdrawn."""

    facet: str
    label: str | None
    corrected_by: str
    corrected_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class StoredWorkOrder:
    """A work order; `labels` are those that it is counted by, first levels among them."""

    work_order_id: str
    received_at: datetime
    recorded_at: datetime
    labels: dict[str, str]
    decision: str
    title: str | None
    text: str | None
    tags: tuple[StoredTags, ...] = ()  # the newest first
    corrections: tuple[StoredCorrection, ...] = ()  # the newest first


@dataclass(frozen=True)
class Wanted:
    """Which work orders: received from `since` to the day before `until`, with these labels."""

    since: date | None = None
    until: date | None = None
    where: Mapping[str, Collection[str]] = field(default_factory=dict)
    decision: str | None = None
    corrected: bool | None = None


def find(connection: Connection, work_order_id: str) -> StoredWorkOrder:
    """One work order with everything that was ever said of it.

    Raises:
        NoWorkOrder: the ledger has none of this id.
    """
    row = None
    if "\x00" not in work_order_id:  # PostgreSQL refuses it, and no work order has one
        query = select(work_orders).where(work_orders.c.work_order_id == work_order_id)
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NoWorkOrder("台账中没有这个编号的工单，请核对工单编号")
    tagged = connection.execute(
        select(tags).where(tags.c.number == row.number).order_by(tags.c.tagged_at.desc())
    ).all()
    corrected = connection.execute(
        select(corrections)
        .where(corrections.c.number == row.number)
        .order_by(corrections.c.correction_id.desc())
    ).all()
    numbers = [number for one in (row, *tagged) for number in label_numbers(one)]
    codes = codes_of(connection, [*numbers, *(one.label for one in corrected if one.label)])
    return stored(row, codes, tagged, corrected)


def page(
    connection: Connection, wanted: Wanted, after: Cursor | None, most: int
) -> tuple[list[StoredWorkOrder], Cursor | None]:
    """At most `most` work orders, the newest first, from behind a cursor on; and the next cursor, if any."""
    c = work_orders.c
    query = select(work_orders).where(*_conditions(wanted))
    if after:
        day, number = after
        query = query.where(c.received_on <= day, or_(c.received_on < day, c.number < number))
    query = query.order_by(c.received_on.desc(), c.number.desc()).limit(most + 1)
    rows = connection.execute(query).all()
    shown = rows[:most]
    codes = codes_of(connection, [number for row in shown for number in label_numbers(row)])
    cursor = (shown[-1].received_on, shown[-1].number) if len(rows) > most else None
    return [stored(row, codes) for row in shown], cursor


def _conditions(wanted: Wanted) -> list[Any]:
    c = work_orders.c
    conditions: list[Any] = []
    if wanted.since:
        conditions.append(c.received_on >= wanted.since)
    if wanted.until:
        conditions.append(c.received_on < wanted.until)
    if wanted.decision:
        conditions.append(c.decision == wanted.decision)
    for facet, codes in wanted.where.items():
        conditions.append(c[DERIVED.get(facet, facet)].in_(numbers_of(facet, codes)))
    if wanted.corrected is not None:
        there = select(corrections.c.number).where(corrections.c.number == c.number).exists()
        conditions.append(there if wanted.corrected else ~there)
    return [and_(*conditions)] if conditions else []


def label_numbers(row: Row[Any]) -> Iterable[int]:
    there = row._mapping
    return [there[facet] for facet in COUNTED if facet in there]


def codes_of(connection: Connection, numbers: Collection[int]) -> dict[int, tuple[str, str | None]]:
    """The code of each label, and of its first level."""
    parent = labels.alias("parent")
    query = select(labels.c.label_id, labels.c.code, parent.c.code).join_from(
        labels, parent, labels.c.parent == parent.c.label_id, isouter=True
    )
    rows = connection.execute(query.where(labels.c.label_id.in_(set(numbers))))
    return {number: (code, first) for number, code, first in rows}


def stored(
    row: Row[Any],
    codes: Mapping[int, tuple[str, str | None]],
    tagged: Sequence[Row[Any]] = (),
    corrected: Sequence[Row[Any]] = (),
) -> StoredWorkOrder:
    named: dict[str, str] = {}
    there = row._mapping
    for facet in COUNTED:
        code, first = codes[there[facet]]
        named[facet] = code
        if facet in _FIRSTS:
            named[_FIRSTS[facet]] = first or code
    return StoredWorkOrder(
        row.work_order_id,
        row.received_at,
        row.recorded_at,
        named,
        row.decision,
        row.title,
        row.text,
        tuple(stored_tags(one, codes) for one in tagged),
        tuple(
            StoredCorrection(
                one.facet,
                codes[one.label][0] if one.label else None,
                one.corrected_by,
                one.corrected_at,
                one.reason,
            )
            for one in corrected
        ),
    )


def stored_tags(row: Row[Any], codes: Mapping[int, tuple[str, str | None]]) -> StoredTags:
    there = row._mapping
    return StoredTags(
        {facet: codes[there[facet]][0] for facet in LABELLED},
        {facet: there[f"{facet}_confidence"] for facet in LABELLED},
        row.decision,
        row.model_version,
        row.taxonomy_version,
        row.tagged_at,
    )

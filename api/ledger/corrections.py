"""Corrections: what a person says in place of the model. Both are kept, the person's counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from classifier.errors import NoWorkOrder

from ..periods import SHANGHAI
from .changes import begin_change
from .engine import retried, writing
from .labels import LabelNumbers
from .pending import KEYS, cell, note
from .schema import corrections, tags, work_orders


@dataclass(frozen=True, slots=True)
class Correction:
    """A label that a person gave in place of the model's; "" withdraws the one before.

    `first` is the first level of a two-level facet's label.
    """

    label: str
    first: str | None = None


def correct(
    engine: Engine,
    numbers: LabelNumbers,
    work_order_id: str,
    given: Mapping[str, Correction],
    corrected_by: str,
    reason: str,
) -> None:
    """Put down corrections by facet, and count the work order by them from now on.

    Raises:
        NoWorkOrder: the ledger has none of this id.
    """
    keys = {(facet, one.label): one for facet, one in given.items() if one.label}
    parents = {key: one.first for key, one in keys.items() if one.first}
    known = numbers.of(keys, parents) if keys else {}
    labels = {facet: known[facet, one.label] if one.label else None for facet, one in given.items()}
    retried(lambda: _correct(engine, work_order_id, labels, corrected_by, reason))


def _correct(
    engine: Engine, work_order_id: str, labels: Mapping[str, int | None], corrected_by: str, reason: str
) -> None:
    now = datetime.now(SHANGHAI)
    c = work_orders.c
    with writing(engine) as connection:
        wanted = select(c.number, *(c[name] for name in KEYS)).where(c.work_order_id == work_order_id)
        found = connection.execute(wanted.with_for_update()).one_or_none()
        if found is None:
            raise NoWorkOrder("台账中没有这个编号的工单，请核对工单编号")
        change = begin_change(connection, len(labels), now)
        connection.execute(
            corrections.insert(),
            [
                {"number": found.number, "facet": facet, "label": label, "corrected_by": corrected_by,
                 "corrected_at": now, "reason": reason, "change_id": change}
                for facet, label in labels.items()
            ],
        )  # fmt: skip
        modelled = _modelled(connection, found.number)
        effective = {facet: label or modelled[facet] for facet, label in labels.items()}
        connection.execute(work_orders.update().where(c.number == found.number).values(**effective))
        before = dict(found._mapping)
        differences = Counter([cell(before | effective)])
        differences[cell(before)] -= 1
        note(connection, differences)


def _modelled(connection: Connection, number: int) -> dict[str, int]:
    """The labels that the model gave last."""
    last = select(tags).where(tags.c.number == number).order_by(tags.c.tagged_at.desc()).limit(1)
    return dict(connection.execute(last).one()._mapping)

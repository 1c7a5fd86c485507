"""Work orders of a request into the ledger: what of each is recorded, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from classifier.dispatch import Dispatch
from classifier.model import Model
from classifier.work_order import Tags, WorkOrder

from .ledger.entry import Entry, given_by, own_id
from .ledger.ledger import Ledger
from .moments import read_moment
from .periods import SHANGHAI


@dataclass(slots=True)
class Arrival:
    """A work order as it arrived: with an id and a moment, its own or made here, and remarks on that."""

    order: WorkOrder
    department: str = ""
    id_generated: bool = False
    problem: str = ""  # why it cannot be recorded
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, order: WorkOrder, written: str | None, department: str = "") -> Arrival:
        """Complete a work order; `written` is when it was received, now if nothing is said."""
        arrival = cls(order, department)
        moment: datetime | None = datetime.now(SHANGHAI)
        if written:
            moment, naive = read_moment(written)
            if moment is None:
                arrival.problem = "received_at 不是日期时间，应如 2026-01-01T00:30:00+08:00"
            elif naive:
                arrival.notes.append("received_at 没有时区，按北京时间（Asia/Shanghai）记录")
        arrival.order = replace(order, received_at=moment)
        if not order.work_order_id:
            arrival.id_generated = True
            arrival.order = replace(arrival.order, work_order_id=own_id(arrival.order))
        return arrival


def enter(
    ledger: Ledger,
    arrivals: Sequence[Arrival],
    tags: Sequence[Tags],
    model: Model,
    suggested: Sequence[Dispatch],
) -> None:
    """Record what can be recorded, and put down at each of the others why not.

    Raises:
        LedgerUnavailable: the ledger cannot be reached.
    """
    places = [place for place, arrival in enumerate(arrivals) if not arrival.problem]
    entries = [_entry(arrivals[place], tags[place], model, suggested[place]) for place in places]
    for refused in ledger.record(entries).refused:
        arrivals[places[refused.index]].problem = f"{refused.field}：{refused.reason}"


def _entry(arrival: Arrival, tags: Tags, model: Model, dispatch: Dispatch) -> Entry:
    order = arrival.order
    assert order.received_at is not None  # noqa: S101 - an arrival without one has a problem
    return Entry(
        order.work_order_id,
        order.received_at,
        given_by(tags),
        tags.decision,
        model.version,
        model.taxonomy.version,
        order.title,
        order.text,
        dispatch.district_found or order.district,
        order.channel,
        arrival.department or dispatch.department,
    )

"""Volumes: how many, of what, where, since when, and against last year.

The ledger counts; here the answer is made complete: periods without work orders are zeros, shares have
their denominator, and a period is compared with the same part of its base or says that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from .ledger.counts import Count, Question
from .ledger.ledger import Ledger
from .periods import By, Compare, Period, base_of, period_start, periods, today

Codes = tuple[str, ...]
Totals = dict[Codes, tuple[int, int]]  # volume, and private-interest requests among it
Fold = Callable[[Codes], Codes]

_NONE = (0, 0)

OTHERS = "…"
"""Stands for the labels beyond the top ones."""


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know; days are both inclusive, None is the ledger's first day, and today."""

    facet: str | None = None
    cross: str | None = None
    by: By | None = None
    since: date | None = None
    last: date | None = None
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    compare: Compare | None = None
    top: int | None = None
    private: bool = False

    @property
    def facets(self) -> Codes:
        """The facets that it is counted by."""
        return tuple(name for name in (self.facet, self.cross) if name)


@dataclass(frozen=True, slots=True)
class Against:
    """A volume's base: the period, what it held and the change; what is missing is None, `note` says why."""

    period: Period | None
    volume: int | None = None
    difference: int | None = None
    change: float | None = None  # share of the base: 0.25 is a quarter more
    note: str = ""


class Volume(NamedTuple):
    """Work orders of one period and one label of each facet."""

    period: Period
    codes: Codes
    volume: int
    share: float | None  # of all work orders of the period that were asked for
    private_share: float | None = None  # private-interest requests among `volume`
    against: Against | None = None


@dataclass(frozen=True)
class Volumes:
    """The answer: a row for each period and label, by time and then by total volume."""

    asked: Asked
    since: date
    until: date
    total: int
    rows: list[Volume]
    notes: list[str]
    merged: int = 0  # labels that stand together as OTHERS


def volumes(ledger: Ledger, asked: Asked) -> Volumes:
    """Count what was asked for; all numbers of an answer are of one moment."""
    bounds = ledger.bounds()
    since, until, notes = _range(asked, bounds)
    cut = list(periods(since, until, asked.by))
    bases = {period: base_of(period, asked.compare) for period in cut} if asked.compare else {}
    plan = _Plan(asked, since, until, [base for base in bases.values() if base])
    answers = ledger.count(*plan.questions)
    codes, merged = _ordered(asked, answers[0])
    fold = _fold(codes) if merged else None
    counted = _by_period(answers[0], fold)
    rows: list[Volume] = []
    made = tuple.__new__  # of a hundred thousand, in half the time of the class's own way
    for period in cut:
        here = counted.get(period.whole.start if asked.by else None, {})
        whole = plan.whole(period, answers) if plan.has_wider else sum(volume for volume, _ in here.values())
        base = bases.get(period)
        before = _totals(plan.of(base, answers), fold) if base else {}
        for code in codes:
            volume, private = here.get(code, _NONE)
            row = (
                period,
                code,
                volume,
                volume / whole if whole else None,
                private / volume if asked.private and volume else None,
                _against(volume, before.get(code, _NONE)[0], base, bounds) if asked.compare else None,
            )
            rows.append(made(Volume, row))
    notes += _partial_notes(cut, bases)
    return Volumes(asked, since, until, sum(row.volume for row in rows), rows, notes, merged)


def _range(asked: Asked, bounds: tuple[date, date] | None) -> tuple[date, date, list[str]]:
    """From the first day that is counted to the day after the last; the future is not counted."""
    now = today()
    since = asked.since or _first_whole(bounds[0] if bounds else now, asked.by)
    last = asked.last or now
    notes = []
    if last > now:
        notes.append(f"{now.isoformat()} 以后还没有发生，只统计到当天")
        last = now
    since = min(since, last)
    if not bounds:
        notes.append("台账中还没有工单")
    return since, last + timedelta(days=1), notes


def _first_whole(day: date, by: By | None) -> date:
    return period_start(day, by) if by else day


class _Plan:
    """The questions that an answer needs: the volumes, the bases that are whole periods, and the cut ones."""

    def __init__(self, asked: Asked, since: date, until: date, bases: Sequence[Period]) -> None:
        def question(start: date, end: date, by: By | None, *, private: bool = False) -> Question:
            return Question(start, end, by, asked.facets, asked.where, private)

        self.questions = [question(since, until, asked.by, private=asked.private)]
        self._by = asked.by
        others = {facet: codes for facet, codes in asked.where.items() if facet not in asked.facets}
        self.has_wider = len(others) < len(asked.where)
        if self.has_wider:  # a share is of all labels, also of those that were not asked for
            self._wider = len(self.questions)
            self.questions.append(Question(since, until, asked.by, (), others))
        self._places: dict[Period, int] = {}
        whole = [base for base in bases if asked.by and not base.is_partial]
        if whole:
            self._places |= dict.fromkeys(whole, len(self.questions))
            self.questions.append(
                question(min(base.start for base in whole), max(base.until for base in whole), asked.by)
            )
        for base in bases:
            if base not in self._places:
                self._places[base] = len(self.questions)
                self.questions.append(question(base.start, base.until, None))

    def whole(self, period: Period, answers: Sequence[Sequence[Count]]) -> int:
        """All work orders of a period, whatever their labels in the facets that are counted by."""
        start = period.whole.start if self._by else None
        return sum(count.volume for count in answers[self._wider] if count.start == start)

    def of(self, base: Period, answers: Sequence[Sequence[Count]]) -> list[Count]:
        """The counts of a base."""
        counts = answers[self._places[base]]
        start = base.start if self._by and not base.is_partial else None
        return [count for count in counts if start is None or count.start == start]


def _by_period(counts: Sequence[Count], fold: Fold | None) -> dict[date | None, Totals]:
    found: dict[date | None, Totals] = {}
    for start, codes, volume, private in counts:
        there = found.get(start)
        if there is None:
            there = found[start] = {}
        _add(there, fold(codes) if fold else codes, volume, private)
    return found


def _ordered(asked: Asked, counts: Sequence[Count]) -> tuple[list[Codes], int]:
    """The labels of the answer's rows, the most frequent first, those beyond the top ones as one."""
    if not asked.facets:
        return [()], 0
    pairs: dict[Codes, int] = {}
    for _, codes, volume, _ in counts:
        pairs[codes] = pairs.get(codes, 0) + volume
    totals: dict[str, int] = {}
    for codes, volume in pairs.items():
        totals[codes[0]] = totals.get(codes[0], 0) + volume
    for code in asked.where.get(asked.facets[0], ()):
        totals.setdefault(code, 0)  # who asks for a label gets it, also where it is zero
        if len(asked.facets) == 1:
            pairs.setdefault((code,), 0)
    kept = sorted(totals, key=lambda code: (-totals[code], code))[: asked.top]
    merged = len(totals) - len(kept)
    place = {code: index for index, code in enumerate(kept)}
    rows = sorted(
        (codes for codes in pairs if codes[0] in place),
        key=lambda codes: (place[codes[0]], -pairs[codes], codes),
    )
    if merged:
        others = dict.fromkeys((OTHERS, *codes[1:]) for codes in sorted(pairs) if codes[0] not in place)
        rows += list(others)
    return rows, merged


def _fold(codes: Sequence[Codes]) -> Fold:
    """Labels as the answer's rows name them."""
    kept = {code[0] for code in codes if code}
    return lambda found: found if not found or found[0] in kept else (OTHERS, *found[1:])


def _totals(counts: Sequence[Count], fold: Fold | None) -> Totals:
    """Volume and private-interest requests by label."""
    totals: Totals = {}
    for _, codes, volume, private in counts:
        _add(totals, fold(codes) if fold else codes, volume, private)
    return totals


def _add(totals: Totals, codes: Codes, volume: int, private: int) -> None:
    before = totals.get(codes)
    totals[codes] = (before[0] + volume, before[1] + private) if before else (volume, private)


def _against(volume: int, before: int, base: Period | None, bounds: tuple[date, date] | None) -> Against:
    if base is None:
        return Against(None, note="日历上没有对应的基期")
    if not bounds or base.until <= bounds[0]:
        return Against(base, note="台账中没有基期的数据")
    note = f"基期数据不全，台账自 {bounds[0].isoformat()} 起" if base.start < bounds[0] else ""
    if before == 0:
        return Against(base, 0, volume, None, note or "基期为零")
    return Against(base, before, volume - before, (volume - before) / before, note)


def _partial_notes(cut: Sequence[Period], bases: Mapping[Period, Period | None]) -> list[str]:
    """Say which periods are not whole, and with what they are compared."""
    notes = []
    for period in cut:
        if period.by and period.is_partial:
            base = bases.get(period)
            against = f"，与基期的同一段（{base.label}）比较" if base else ""
            notes.append(f"{period.label} 不是完整的周期{against}")
    return notes
